import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import type { Pipeline } from '../core/aggregation/pipeline.ts';
import { createRng } from '../core/random/rng.ts';
import { createWasmCompute } from '../core/vector/wasm.ts';
import { createWorkerCompute } from './compute-workers.ts';
import { openFileRow } from './spooled-rows.ts';

const two = createWorkerCompute(2);
const one = createWasmCompute();
after(() => two.close());

const [n, d] = [24, 180_000];
const pipelines: Pipeline[] = [
  [{ rule: 'multi-krum', f: 3 }],
  [
    { rule: 'nnm', f: 3 },
    { rule: 'trimmed-mean', f: 3 },
  ],
  [{ rule: 'clipping', radius: 100 }, { rule: 'mean' }],
  [{ rule: 'median' }],
  // By readings, as 24 rows are enough for two stops.
  [{ rule: 'centered-clipping', iterations: 2 }],
];

function cohort(): Float32Array[] {
  const rng = createRng(1);
  return Array.from({ length: n }, () => {
    const shift = rng.gaussian();
    return Float32Array.from({ length: d }, (_, k) => Math.sin(k) + 0.1 * shift + 0.01 * ((k * 7919) % 101));
  });
}

test('two threads and spooled rows give the same bits as one thread', async () => {
  const rows = cohort();
  const folder = mkdtempSync(join(tmpdir(), 'qflare-spool-'));
  for (const [i, row] of rows.entries()) writeFileSync(join(folder, String(i)), row);
  const spooled = await Promise.all(rows.map((_, i) => openFileRow(join(folder, String(i)))));
  try {
    for (const pipeline of pipelines) {
      const expected = await aggregateCohort({ rows }, pipeline, {}, one);
      const threaded = await aggregateCohort({ rows }, pipeline, {}, two);
      const fromDisk = await aggregateCohort({ rows: spooled }, pipeline, {}, two);
      for (const actual of [threaded, fromDisk]) {
        assert.deepEqual(actual.vector, expected.vector);
        assert.deepEqual(actual.diagnostics, expected.diagnostics);
      }
    }
  } finally {
    await Promise.all(spooled.map((row) => row.close()));
    rmSync(folder, { recursive: true });
  }
});

test('a row that is not finite is found by whichever thread meets it', async () => {
  const rows = cohort();
  rows[5]![d - 1] = Number.NaN;
  const report = await aggregateCohort({ rows }, [{ rule: 'median' }], {}, two);
  assert.deepEqual(
    report.dropped.map(({ index }) => index),
    [5],
  );
});

test('a thread count that makes no sense is refused', () => {
  assert.throws(() => createWorkerCompute(0), /from 1 to 64/);
});
