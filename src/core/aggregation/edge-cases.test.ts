import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aggregate, aggregateWithReport } from './entry.ts';
import type { Pipeline } from './pipeline.ts';

// Origin: the section aggregator_edge_cases of the outside vectors, where two libraries were measured to fail.
const shared = process.env['QFLARE_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const file = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(file) ? false : 'the folder with outside vectors is not there';
type EdgeCase = { readonly id: string; readonly input: readonly (readonly (number | string)[])[] };
const edgeCases: readonly EdgeCase[] =
  skip === false ? JSON.parse(readFileSync(file, 'utf8')).aggregator_edge_cases : [];

test('the file of outside vectors has these edge cases and no others', { skip }, () => {
  assert.deepEqual(
    edgeCases.map(({ id }) => id),
    [
      'nan-row-must-be-rejected',
      'inf-row-must-be-rejected',
      'caf-f0',
      'input-immutability',
      'permutation-invariance',
      'f-bound',
      'weight-inflation',
      'trim-count',
      'determinism',
    ],
  );
});

/** Every rule that takes f, by itself or before the mean. */
const withF = (f: number): Record<string, Pipeline> => ({
  krum: [{ rule: 'krum', f }],
  'multi-krum': [{ rule: 'multi-krum', f }],
  median: [{ rule: 'median', f }],
  'trimmed-mean': [{ rule: 'trimmed-mean', f }],
  'geometric-median': [{ rule: 'geometric-median', f }],
  'mean-around-median': [{ rule: 'mean-around-median', f }],
  phocas: [{ rule: 'phocas', f }],
  nnm: [{ rule: 'nnm', f }, { rule: 'mean' }],
  arc: [{ rule: 'arc', f }, { rule: 'mean' }],
  bulyan: [{ rule: 'bulyan', f, unproven: true }],
  dnc: [{ rule: 'dnc', f }],
  mda: [{ rule: 'mda', f }],
  smea: [{ rule: 'smea', f }],
  caf: [{ rule: 'caf', f }],
  cge: [{ rule: 'cge', f }],
  monna: [{ rule: 'monna', f }],
  screened: [{ rule: 'screened', f }],
});

for (const id of ['nan-row-must-be-rejected', 'inf-row-must-be-rejected']) {
  test(`${id}: the output is that of the finite rows with f reduced by one, and the row is named`, {
    skip,
  }, async () => {
    const rows = edgeCases.find((item) => item.id === id)!.input.map((row) => row.map(Number));
    const finite = rows.filter((row) => row.every(Number.isFinite));
    const bad = rows.findIndex((row) => !row.every(Number.isFinite));
    const context = { reference: rows[0]! };
    for (const [name, pipeline] of Object.entries(withF(1))) {
      const { vector, dropped, weights } = await aggregateWithReport(rows, pipeline, context);
      const clean = await aggregate(finite, withF(0)[name]!, context);
      for (const [k, value] of vector.entries()) {
        assert.ok(Math.abs(value - clean[k]!) <= 1e-12, `${name}[${k}]: ${value} is not ${clean[k]}`);
      }
      assert.deepEqual(
        dropped.map(({ index }) => index),
        [bad],
        name,
      );
      if (weights !== null) assert.equal(weights[bad], 0, name);
    }
  });
}

test('caf-f0: without attackers CAF is the mean', async () => {
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];
  const vector = await aggregate(rows, [{ rule: 'caf', f: 0 }]);
  for (const [k, value] of vector.entries()) assert.ok(Math.abs(value - (4 + k)) <= 1e-12, `[${k}] ${value}`);
});

test('input-immutability: no rule changes the rows of its caller', async () => {
  const rows = () =>
    [
      [3, 4],
      [30, 40],
      [0.3, 0.4],
      [5, 1],
      [1, 5],
      [2, 2],
      [2, 3],
    ].map((row) => Float64Array.from(row));
  const pipelines: Record<string, Pipeline> = {
    ...withF(1),
    clipping: [{ rule: 'clipping', radius: 1 }, { rule: 'mean' }],
  };
  for (const [name, pipeline] of Object.entries(pipelines)) {
    const own = rows();
    await aggregate(own, pipeline, { reference: Float64Array.from([1, 1]) });
    assert.deepEqual(own, rows(), name);
  }
});

test('permutation-invariance: only who sent a row matters, not when it came, ties included', async () => {
  const rows = [
    [0.1, 2, -1],
    [0.7, 1.1, -0.4],
    [0.35, 1.9, -1.3],
    [0.2, 1.3, -0.85],
    [9, -7, 3],
    [0.55, 1.6, -0.2],
    [0.44, 2.2, -1.15],
  ];
  const reference = [0.3, 1.5, -0.7];
  const orders = [
    [6, 5, 4, 3, 2, 1, 0],
    [4, 0, 6, 2, 5, 1, 3],
  ];
  for (const [name, pipeline] of Object.entries(withF(1))) {
    const clientIds = rows.map((_, i) => `client-${i}`);
    const first = await aggregate(rows, pipeline, { reference, clientIds });
    for (const order of orders) {
      const arrived = order.map((i) => rows[i]!);
      const other = await aggregate(arrived, pipeline, { reference, clientIds: order.map((i) => clientIds[i]!) });
      assert.deepEqual(other, first, name);
      // Without names the row's number is its name: the scores of Bulyan's last choices tie by their nature.
      if (name === 'bulyan') continue;
      const nameless = await aggregate(arrived, pipeline, { reference });
      for (const [k, value] of nameless.entries()) assert.ok(Math.abs(value - first[k]!) <= 1e-12, `${name}[${k}]`);
    }
  }
});

test('f-bound: half or more attackers are refused; Bulyan needs 4f + 3 rows, Krum 2f + 3', async () => {
  const rows = (n: number) => Array.from({ length: n }, (_, i) => [i, i * i]);
  const refused = (n: number, pipeline: Pipeline) =>
    assert.rejects(
      aggregate(rows(n), pipeline),
      { name: 'RangeError', message: /n ≥ |honest majority/ },
      JSON.stringify(pipeline),
    );
  for (const rule of ['trimmed-mean', 'krum', 'multi-krum', 'mda', 'mean-around-median', 'smea', 'caf'] as const) {
    await refused(6, [{ rule, f: 3 }]);
  }
  await refused(10, [{ rule: 'bulyan', f: 2 }]);
  await refused(6, [{ rule: 'krum', f: 2 }]);
  await aggregate(rows(11), [{ rule: 'bulyan', f: 2 }]);
  await aggregate(rows(7), [{ rule: 'krum', f: 2 }]);
});

test('weight-inflation: a client that claims a million examples has one vote', async () => {
  const rows = [[1], [1.1], [1.05], [1.2], [5]];
  const weights = [1, 1, 1, 1, 1_000_000];
  for (const rule of ['krum', 'multi-krum', 'median'] as const) {
    const plain = await aggregate(rows, [{ rule, f: 1 }]);
    assert.deepEqual(await aggregate(rows, [{ rule, f: 1 }], { weights }), plain, rule);
    assert.ok(plain[0]! < 1.21, rule);
  }
});

test('trim-count: 29 of 100 rows are 29, and a share is refused rather than cut off', async () => {
  // 29 attackers: with 28 trimmed on each side the mean would not be zero.
  const rows = Array.from({ length: 100 }, (_, i) => [i < 29 ? -7100 : 0]);
  assert.deepEqual(await aggregate(rows, [{ rule: 'trimmed-mean', f: 29 }]), [0]);
  assert.notDeepEqual(await aggregate(rows, [{ rule: 'trimmed-mean', f: 28 }]), [0]);
  await assert.rejects(aggregate(rows, [{ rule: 'trimmed-mean', f: 0.29 }]), {
    name: 'RangeError',
    message:
      'Cannot read the pipeline at "0.f": f must be a number of rows (0, 1, 2 …) or "auto": current value is 0.29',
  });
});

test('determinism: SMEA and CAF give the same bits thirty times', async () => {
  const rows = Array.from({ length: 7 }, (_, i) => Array.from({ length: 5 }, (_, k) => Math.sin(13 * i + 7 * k)));
  for (const rule of ['smea', 'caf'] as const) {
    const first = await aggregate(rows, [{ rule, f: 2 }]);
    for (let i = 0; i < 30; i++) assert.deepEqual(await aggregate(rows, [{ rule, f: 2 }]), first, rule);
  }
});
