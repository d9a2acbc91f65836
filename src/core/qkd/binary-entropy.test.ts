import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binaryEntropy } from './binary-entropy.ts';

test('binaryEntropy() is 1 bit at a half, 0 at and beyond both ends, and symmetric', () => {
  assert.deepEqual([-0.1, 0, 0.5, 1, 1.1].map(binaryEntropy), [0, 0, 1, 0, 0]);
  // h(¼) = 2 − ¾ log₂ 3
  assert.ok(Math.abs(binaryEntropy(0.25) - (2 - 0.75 * Math.log2(3))) < 1e-15);
  assert.ok(Math.abs(binaryEntropy(0.11) - binaryEntropy(0.89)) < 1e-15);
});
