import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeVectors, encodeVectors } from './vectors.ts';

test('vectors are read back under their names, whatever the order in which they were given', () => {
  const bytes = encodeVectors({ b: Float32Array.of(3), a: Float32Array.of(1, 2) }, { round: '4' });
  assert.deepEqual(encodeVectors({ a: Float32Array.of(1, 2), b: Float32Array.of(3) }, { round: '4' }), bytes);
  const { vectors, metadata } = decodeVectors(bytes);
  assert.deepEqual(vectors, { a: Float32Array.of(1, 2), b: Float32Array.of(3) });
  assert.deepEqual(metadata, { round: '4' });
  assert.throws(() => decodeVectors(bytes.subarray(1)), RangeError);
});
