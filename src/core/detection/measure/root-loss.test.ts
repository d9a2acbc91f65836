import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootEffects } from './root-loss.ts';

// The loss of w is (w − 4)²: from 0 it is 16.
const lossOf = async ([w]: Float32Array) => (w! - 4) ** 2;

test('rootEffects() tells what each update does to the loss, with long ones cut to the median length', async () => {
  const rows = [[1], [2], [-2], [40], [-1]].map((row) => Float32Array.from(row));
  const effects = await rootEffects(rows, { base: Float32Array.of(0), norms: [1, 2, 2, 40, 1], lossOf });
  assert.deepEqual([...effects], [9 - 16, 4 - 16, 36 - 16, 4 - 16, 25 - 16]);
});

test('an update after which the loss is no number counts as the worst', async () => {
  const breaking = async ([w]: Float32Array) => (w! > 1 ? Number.NaN : 1e9 * w!);
  const rows = [[2], [1], [-1]].map((row) => Float32Array.from(row));
  const effects = await rootEffects(rows, { base: Float32Array.of(0), norms: [2, 1, 3], lossOf: breaking });
  assert.deepEqual([...effects], [1000, 1000, -1000]);
});
