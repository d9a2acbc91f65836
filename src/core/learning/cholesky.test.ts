import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createRng } from '../random/rng.ts';
import { choleskyFactor, solveFactored } from './cholesky.ts';

test('choleskyFactor() and solveFactored() by hand', () => {
  // [[4, 2], [2, 5]] = L·Lᵀ with L = [[2, 0], [1, 2]];  x = [1, −1] gives b = [2, −3].
  const { lower, pivot } = choleskyFactor(Float64Array.of(4, 2, 2, 5), 2);
  assert.equal(pivot, null);
  assert.deepEqual([lower[0], lower[2], lower[3]], [2, 1, 2]);
  assert.deepEqual([...solveFactored(lower, Float64Array.of(2, -3))], [1, -1]);
});

test('choleskyFactor() names the pivot that is none: singular, indefinite, or no number', () => {
  assert.deepEqual(choleskyFactor(Float64Array.of(1, 2, 2, 4), 2).pivot, { index: 1, value: 0 });
  assert.deepEqual(choleskyFactor(Float64Array.of(1, 2, 2, 1), 2).pivot, { index: 1, value: -3 });
  assert.equal(choleskyFactor(Float64Array.of(Number.NaN), 1).pivot?.index, 0);
  // What is left of a pivot after rounding is no pivot.
  assert.equal(choleskyFactor(Float64Array.of(1, 1, 1, 1 + 5e-13), 2).pivot?.index, 1);
  assert.equal(choleskyFactor(Float64Array.of(1, 1, 1, 1 + 5e-12), 2).pivot, null);
});

test('law: A·x of the solution x is b again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 1e6 }), (n, seed) => {
      const rng = createRng(seed);
      const m = Float64Array.from({ length: n * n }, () => rng.gaussian());
      const a = Float64Array.from({ length: n * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < n; k++) sum += m[i * n + k]! * m[j * n + k]!;
        return sum;
      });
      const b = Float64Array.from({ length: n }, () => rng.gaussian());
      const { lower, pivot } = choleskyFactor(a, n);
      assert.equal(pivot, null);
      const x = solveFactored(lower, b);
      b.forEach((value, i) => {
        const product = x.reduce((sum, one, j) => sum + a[i * n + j]! * one, 0);
        assert.ok(Math.abs(product - value) < 1e-11, `${product} for ${value}`);
      });
    }),
    { seed: 5, numRuns: 100 },
  );
});
