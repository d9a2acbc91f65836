import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lbfgsProduct } from './lbfgs.ts';

// From robust-dp.json, `fldetector_lbfgs`: the compact L-BFGS product of FLDetector's public code, computed outside.
const steps = [
  [0.1, -0.05, 0.03],
  [0.02, 0.08, -0.04],
];
const changes = [
  [0.185, -0.03900000000000001, 0.019999999999999997],
  [0.064, 0.118, -0.024],
];

test('lbfgsProduct() gives the outside vector of FLDetector', () => {
  const product = lbfgsProduct(steps, changes, [0.07, -0.01, 0.05])!;
  const expected = [0.13651626185234306, 0.019455282858411874, 0.054668696642995326];
  for (const [k, value] of product.entries()) assert.ok(Math.abs(value - expected[k]!) < 1e-9, `${value}`);
});

test('lbfgsProduct() maps the last step to the last change of the gradient', () => {
  const product = lbfgsProduct(steps, changes, steps[1]!)!;
  for (const [k, value] of product.entries()) assert.ok(Math.abs(value - changes[1]![k]!) < 1e-12);
});

test('lbfgsProduct() of a quadratic loss with one curvature is that curvature times the step', () => {
  const product = lbfgsProduct([[1, 0, 0]], [[3, 0, 0]], [0, 2, 1])!;
  assert.deepEqual(
    [...product].map((value) => Math.round(1e12 * value) / 1e12),
    [0, 6, 3],
  );
});

test('lbfgsProduct() has nothing to say without pairs, and of a model that stood still', () => {
  assert.equal(lbfgsProduct([], [], [1, 2]), null);
  assert.equal(lbfgsProduct([[0, 0]], [[1, 1]], [1, 2]), null);
  // Two equal steps with different answers: the matrix is singular, the answer is not a number that means anything.
  const twice = lbfgsProduct(
    [
      [1, 0],
      [1, 0],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    [1, 2],
  );
  assert.equal(twice, null);
});
