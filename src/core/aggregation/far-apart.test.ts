import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregate, aggregateWithReport } from './entry.ts';
import type { Pipeline } from './pipeline.ts';

// A sweep of 53,600 aggregations with magnitudes from 1e-45 to 3.4e38 found what is held here: one row of tiny values was
// stretched together with the centre that is taken from it, and every distance to it was infinite.

const pipelines: readonly Pipeline[] = [
  [{ rule: 'geometric-median' }],
  [{ rule: 'multi-krum', f: 1 }],
  [{ rule: 'nnm', f: 1 }, { rule: 'mean' }],
  [{ rule: 'caf', f: 1 }],
  [{ rule: 'smea', f: 1 }],
  [{ rule: 'flame' }],
  [{ rule: 'watchful', f: 1 }],
];

async function assertSameOnBothPaths(rows: readonly (readonly number[])[], label: string): Promise<void> {
  const single = rows.map((row) => Float32Array.from(row));
  const scale = Math.max(...single.slice(1).flatMap((row) => Array.from(row, Math.abs)));
  for (const pipeline of pipelines) {
    const { vector, diagnostics } = await aggregateWithReport(single, pipeline);
    const plain = await aggregate(
      single.map((row) => Float64Array.from(row)),
      pipeline,
    );
    for (const [k, value] of plain.entries()) {
      const apart = Math.abs(vector[k]! - value);
      assert.ok(
        apart <= 4e-6 * Math.max(scale, Math.abs(value)),
        `${pipeline.at(-1)!.rule} ${label} [${k}]: ${vector[k]} is not ${value}`,
      );
    }
    assert.ok(diagnostics.norms.every(Number.isFinite) && diagnostics.distances2!.every(Number.isFinite), label);
  }
}

test('one row of tiny values moves a rule no farther in float32 than in float64', async () => {
  for (const tiny of [1e-13, 1e-20, 1e-30, 1e-44]) {
    await assertSameOnBothPaths(
      [
        [tiny, -tiny, tiny],
        [1, 2, 3],
        [1.125, 2.0625, 3],
        [0.875, 2, 3.25],
        [1, 1.75, 3],
      ],
      `${tiny}`,
    );
  }
});

test('rows beyond the squares of float32 beside a usual one, and beside one that is longer still, come out as in float64', async () => {
  for (const [odd, scale] of [
    [1, 2 ** 80],
    [2 ** 100, 2 ** 80],
    [2 ** -120, 2 ** -80],
    [2 ** -60, 2 ** -80],
  ] as const) {
    const rows = [[odd, odd], ...[4, 5, 6, 8, 9].map((value) => [value * scale, -value * scale])];
    await assertSameOnBothPaths(rows, `${odd} beside ${scale}`);
  }
});

test('centred clipping takes the median of the distances, not the root of the median of their squares', async () => {
  // Distances 1 and 3 from 0: the median is 2, so 3 comes to 2 and the mean of 1 and 2 is 1.5.
  const { vector, diagnostics } = await aggregateWithReport([[1], [3]], [{ rule: 'centered-clipping' }]);
  assert.equal(diagnostics.findings['radius'], 2);
  assert.deepEqual(vector, [1.5]);
});
