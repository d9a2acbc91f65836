import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySums } from './strategy.ts';
import { decodeNoise, decodeSums, encodeNoise, encodeSums } from './sum-file.ts';

const salt = new Uint8Array(32).fill(7);

test('the state between two leaves and drawn noise come back bit for bit', () => {
  const nodes = [
    { level: 2, sum: Float64Array.of(1, -(2 ** 52) - 1, 0), estimate: Float64Array.of(0.1, -0, 1e-300) },
    { level: 0, sum: Float64Array.of(3, 4, 5), estimate: Float64Array.of(1 / 3, 2 / 3, -1) },
  ];
  const state = { leaves: 5, nodes };
  assert.deepEqual(decodeSums(encodeSums(state, 3, salt)), state);
  assert.deepEqual(decodeSums(encodeSums(emptySums, 3, salt)), emptySums);
  const drawn = {
    noise: [Int32Array.of(1, -2), Int32Array.of(2 ** 31 - 1, -(2 ** 31))],
    salt,
    stateSalt: new Uint8Array(32).fill(9),
  };
  assert.deepEqual(decodeNoise(encodeNoise(drawn)), drawn);
  // As bytes come from a cipher: a view into memory that is shared, and whose slice is no copy.
  const shared = (bytes: Uint8Array) => Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
  assert.deepEqual(decodeSums(shared(encodeSums(state, 3, salt))), state);
  assert.deepEqual(decodeNoise(shared(encodeNoise(drawn))), drawn);
});

test('the hash of a state tells nothing without its salt: equal sums under other salts are other bytes', () => {
  const other = new Uint8Array(32).fill(8);
  assert.notDeepEqual(encodeSums(emptySums, 3, salt), encodeSums(emptySums, 3, other));
});
