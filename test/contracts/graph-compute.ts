import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createRng } from '../../src/core/random/rng.ts';
import { createGraphCompute } from '../../src/core/vector/graph-compute.ts';
import { createReferenceCompute } from '../../src/core/vector/reference.ts';
import type { GraphRuntime } from '../../src/ports/graph-runtime.ts';

const [n, d] = [66, 9000];

/** Rows around a common vector, 0.2 % of its norm apart. */
function closeRows(): Float32Array[] {
  const rng = createRng(7);
  const common = Float32Array.from({ length: d }, () => rng.gaussian());
  return Array.from({ length: n }, () => common.map((value) => value + 0.002 * rng.gaussian()));
}

/** Registers the tests of the Gram pass by a runtime's matrix product. */
export function testGraphCompute(label: string, runtimeOf: (t: TestContext) => GraphRuntime | undefined): void {
  test(`${label}: distances of 66 rows that differ by 0.2 % are right to 1e-6, also beside a row of 1e25`, async (t) => {
    const runtime = runtimeOf(t);
    if (runtime === undefined) return;
    const compute = createGraphCompute(runtime);
    const rows = closeRows();
    for (const huge of [1, 1e25]) {
      rows[5] = rows[5]!.map((value) => value * huge);
      const { centred } = await compute.gram(rows);
      const exact = await createReferenceCompute().gram(rows.map((row) => Float64Array.from(row)));
      const distance = (gram: Float64Array, i: number, j: number) =>
        gram[i * n + i]! + gram[j * n + j]! - 2 * gram[i * n + j]!;
      let worst = 0;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) {
          const truth = distance(exact.centred, i, j);
          worst = Math.max(worst, Math.abs(distance(centred, i, j) - truth) / truth);
        }
      }
      assert.ok(worst < 1e-6, `${worst} beside ${huge}`);
    }
  });

  test(`${label}: a row with a NaN is named, and few rows take the SIMD kernel`, async (t) => {
    const runtime = runtimeOf(t);
    if (runtime === undefined) return;
    const compute = createGraphCompute(runtime);
    const rows = closeRows();
    rows[3]![8500] = Number.NaN;
    assert.deepEqual((await compute.gram(rows)).nonFinite, [3]);
    assert.deepEqual((await compute.gram([Float32Array.of(3), Float32Array.of(1)])).nonFinite, []);
  });
}
