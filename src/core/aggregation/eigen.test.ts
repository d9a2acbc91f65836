// The top eigenpair against matrices whose eigenvalues are known, small ones (Jacobi) and large ones (power steps).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { topEigenpair } from './eigen.ts';

const near = (actual: number, wanted: number, error: number, name: string) =>
  assert.ok(
    Math.abs(actual - wanted) <= error * Math.max(1, Math.abs(wanted)),
    `${name}: ${actual} instead of ${wanted}`,
  );

/** Σ λ_k q_k q_kᵀ for orthonormal q_k, by Gram and Schmidt. */
function matrixOf(values: readonly number[], n: number, seed: number) {
  const rng = createRng(seed);
  const axes: Float64Array[] = [];
  for (const _ of values) {
    const axis = Float64Array.from({ length: n }, rng.gaussian);
    for (const other of axes) {
      const along = other.reduce((sum, value, k) => sum + value * axis[k]!, 0);
      for (let k = 0; k < n; k++) axis[k]! -= along * other[k]!;
    }
    const length = Math.sqrt(axis.reduce((sum, value) => sum + value * value, 0));
    axes.push(axis.map((value) => value / length));
  }
  const matrix = new Float64Array(n * n);
  for (const [j, axis] of axes.entries())
    for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) matrix[a * n + b]! += values[j]! * axis[a]! * axis[b]!;
  return { matrix, top: axes[0]! };
}

test('topEigenpair() finds the largest eigenvalue and its vector, on both sides of 48 rows and at any scale', () => {
  for (const n of [2, 3, 7, 48, 49, 70]) {
    for (const scale of [1e-8, 1, 1e12]) {
      const values = Array.from({ length: n }, (_, k) => (k === 0 ? 5 : 3 / k) * scale);
      const { matrix, top } = matrixOf(values, n, n);
      const before = matrix.slice();
      const { value, vector } = topEigenpair(matrix, n);
      near(value / scale, 5, 1e-12, `value of ${n} at ${scale}`);
      const lead = vector.reduce((most, entry, i) => (Math.abs(entry) > Math.abs(vector[most]!) ? i : most), 0);
      assert.ok(vector[lead]! > 0, 'the largest entry is positive');
      const sign = Math.sign(top[lead]!);
      vector.forEach((entry, i) => near(entry, sign * top[i]!, 1e-6, `${n} rows, entry ${i}`));
      assert.deepEqual(matrix, before);
    }
  }
});

test('topEigenpair() of simple matrices by hand', () => {
  const of = (...rows: readonly (readonly number[])[]) => topEigenpair(Float64Array.from(rows.flat()), rows.length);
  assert.deepEqual(of([0, 0], [0, 0]), { value: 0, vector: Float64Array.of(1, 0) });
  assert.deepEqual(of([7]), { value: 7, vector: Float64Array.of(1) });
  assert.deepEqual(of([2, 0, 0], [0, 9, 0], [0, 0, 4]), { value: 9, vector: Float64Array.of(0, 1, 0) });
  const pair = of([2, 1], [1, 2]);
  near(pair.value, 3, 1e-14, 'value');
  // Of two entries as large the first is positive.
  pair.vector.forEach((entry) => near(entry, Math.SQRT1_2, 1e-12, 'entry'));
  const against = of([2, -1], [-1, 2]);
  near(against.value, 3, 1e-14, 'value');
  near(against.vector[0]!, Math.SQRT1_2, 1e-12, 'first');
  near(against.vector[1]!, -Math.SQRT1_2, 1e-12, 'second');
  const steep = of([1, 1e-9], [1e-9, 4]);
  near(steep.value, 4, 1e-14, 'nearly diagonal');
  near(steep.vector[0]!, 1e-9 / 3, 1e-15, 'nearly diagonal');
});

test('topEigenpair() of many rows: nothing but zeros, one row alone, and a pair nearly as large', () => {
  const n = 60;
  assert.deepEqual(topEigenpair(new Float64Array(n * n), n).value, 0);
  const single = new Float64Array(n * n);
  single[17 * n + 17] = 3;
  const { value, vector } = topEigenpair(single, n);
  near(value, 3, 1e-12, 'value');
  vector.forEach((entry, i) => near(entry, i === 17 ? 1 : 0, 1e-12, `entry ${i}`));
  const close = topEigenpair(matrixOf([2, 1.98, ...Array.from({ length: 58 }, () => 0.1)], n, 8).matrix, n);
  near(close.value, 2, 1e-9, 'a gap of a hundredth');
});
