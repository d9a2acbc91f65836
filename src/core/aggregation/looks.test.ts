import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceCompute } from '../vector/reference.ts';
import { aggregate, aggregateWithReport } from './entry.ts';
import { aggregateCohort } from './aggregate.ts';

/** Six rows of eight numbers; row 5 lies far out in the last coordinate, row 4 less far in the first. */
const rows = [
  [1, 0, 2, 1, 0, 1, 2, 0],
  [0, 1, 1, 2, 1, 0, 1, 1],
  [1, 1, 0, 1, 2, 1, 0, 0],
  [0, 0, 1, 0, 1, 2, 1, 1],
  [9, 1, 1, 1, 1, 1, 1, 0],
  [1, 0, 1, 1, 0, 1, 1, 40],
];
const without = (left: number, all = rows): number[] =>
  all[0]!.map((_, k) => all.reduce((sum, row, i) => sum + (i === left ? 0 : row[k]!), 0) / (all.length - 1));

function assertClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  for (const [k, value] of expected.entries()) assert.ok(Math.abs(actual[k]! - value) < 1e-12, `[${k}] ${actual[k]}`);
}

test('DnC on as many random coordinates as there are is DnC on all', async () => {
  const plain = await aggregate(rows, [{ rule: 'dnc', f: 1 }]);
  assertClose(plain, without(5));
  for (const subsample of [8, 10_000]) {
    assertClose(await aggregate(rows, [{ rule: 'dnc', f: 1, subsample, iterations: 3 }], { seed: 7 }), plain);
  }
});

test('DnC on one random coordinate drops who is farthest out in it, and draws from the seed alone', async () => {
  const dropped = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const step = { rule: 'dnc', f: 1, subsample: 1 } as const;
    const { vector, diagnostics } = await aggregateWithReport(rows, [step], { seed });
    const { selected } = diagnostics.findings as { selected: readonly number[] };
    const left = rows.findIndex((_, i) => !selected.includes(i));
    assertClose(vector, without(left));
    assert.deepEqual(await aggregate(rows, [{ ...step, seed }], { seed: 999 }), vector);
    dropped.add(left);
  }
  // In the first coordinate row 4 is farthest out, in the last row 5.
  assert.ok(dropped.has(4) && dropped.has(5), [...dropped].join());
});

test('DnC keeps whom every look has kept: enough looks find both who lie apart', async () => {
  const step = { rule: 'dnc', f: 1, subsample: 2, iterations: 30 } as const;
  const { diagnostics } = await aggregateWithReport(rows, [step], { seed: 3 });
  const { selected } = diagnostics.findings as { selected: readonly number[] };
  assert.ok(!selected.includes(4) && !selected.includes(5), selected.join());
});

test('DnC looks at the mixtures where rows are mixed before it, and at float32 rows alike', async () => {
  const twice = [...rows, rows[0]!];
  const pipeline = [
    { rule: 'nnm', f: 1 },
    { rule: 'dnc', f: 1, subsample: 8 },
  ] as const;
  const all = [
    { rule: 'nnm', f: 1 },
    { rule: 'dnc', f: 1 },
  ] as const;
  assertClose(await aggregate(twice, pipeline, { seed: 1 }), await aggregate(twice, all));
  const single = twice.map((row) => Float32Array.from(row));
  const { vector } = await aggregateCohort({ rows: single }, pipeline, { seed: 1 }, createReferenceCompute());
  for (const [k, value] of (await aggregate(twice, all)).entries()) assert.ok(Math.abs(vector[k]! - value) < 1e-6);
});

test('SignGuard counts signs on a random share of the coordinates where it is asked, the same for the same seed', async () => {
  const coordinateShare = 0.5;
  const counted = async (seed: number) => {
    const { diagnostics } = await aggregateWithReport(rows, [{ rule: 'signguard', coordinateShare }], { seed });
    return diagnostics.findings['signShares'] as readonly (readonly number[])[];
  };
  const seen = new Set<string>();
  for (let seed = 0; seed < 12; seed++) {
    const shares = await counted(seed);
    // Of four coordinates: quarters.
    for (const [positive] of shares) assert.equal((4 * positive!) % 1, 0);
    assert.deepEqual(await counted(seed), shares);
    seen.add(JSON.stringify(shares));
  }
  assert.ok(seen.size > 3);
  const all = await aggregate(rows, [{ rule: 'signguard', coordinateShare: 1 }], { seed: 5 });
  assert.deepEqual(all, await aggregate(rows, [{ rule: 'signguard' }]));
});

test('the geometric median starts at the mean where it is asked: one step from there, by hand', async () => {
  // From the mean 2 of 0, 1 and 5 the distances are 2, 1 and 3: (0/2 + 1/1 + 5/3) / (1/2 + 1 + 1/3) = 16/11.
  const line = [[0], [1], [5]];
  const [value] = await aggregate(line, [{ rule: 'geometric-median', iterations: 1, start: 'mean' }], {
    reference: [9],
  });
  assert.ok(Math.abs(value! - 16 / 11) < 1e-12, String(value));
});
