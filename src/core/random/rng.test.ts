import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from './rng.ts';

test('createRng() gives the same stream for the same seed and another for another', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, createRng(seed).uint32);
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('child() does not depend on what the parent has drawn', () => {
  const fresh = createRng(1).child('client', 3).uint32();
  const used = createRng(1);
  used.uint32();
  assert.equal(used.child('client', 3).uint32(), fresh);
  assert.notEqual(createRng(1).child('client', 4).uint32(), fresh);
});

test('gaussian() has mean 0 and variance 1 within four standard errors at 100,000 draws', () => {
  const rng = createRng(42);
  const n = 100_000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const x = rng.gaussian();
    sum += x;
    squares += x * x;
  }
  assert.ok(Math.abs(sum / n) < 4 / Math.sqrt(n));
  assert.ok(Math.abs(squares / n - 1) < 4 * Math.sqrt(2 / n));
});

test('below() is uniform: chi-square of 10 cells at 100,000 draws is under the 1e-4 quantile (33.7)', () => {
  const rng = createRng(5);
  const cells = new Float64Array(10);
  for (let i = 0; i < 100_000; i++) cells[rng.below(10)]!++;
  const chiSquare = cells.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chiSquare < 33.7, String(chiSquare));
});

test('shuffleInPlace() keeps the items', () => {
  const items = createRng(9).shuffleInPlace([1, 2, 3, 4, 5]);
  assert.deepEqual([...items].sort(), [1, 2, 3, 4, 5]);
});

test('createRng() refuses a seed that is no safe integer', () => {
  for (const seed of [0.5, Number.NaN, 2 ** 53, Infinity])
    assert.throws(() => createRng(seed), /must be a safe integer/);
});
