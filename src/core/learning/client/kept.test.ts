import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeKept, encodeKept, type Kept, nothingKept, settle } from './kept.ts';

const [old, fresh] = [{ control: Float32Array.of(1) }, { control: Float32Array.of(2) }];
const kept: Kept = { settled: old, pending: { round: 4, vectors: fresh } };

test('settle(): what is pending counts when its update has, is gone when a later round opens without it', () => {
  assert.deepEqual(settle(kept, { round: 4, counted: 4 }), { settled: fresh, pending: null });
  assert.deepEqual(settle(kept, { round: 5, counted: 4 }), { settled: fresh, pending: null });
  assert.deepEqual(settle(kept, { round: 4, counted: 3 }), kept);
  assert.deepEqual(settle(kept, { round: 5, counted: 3 }), { settled: old, pending: null });
  assert.equal(settle(nothingKept, { round: 1, counted: 0 }), nothingKept);
});

test('what is kept is read back as it was, before the first round too', () => {
  const first: Kept = { settled: undefined, pending: { round: 1, vectors: fresh } };
  for (const each of [kept, first, { settled: old, pending: null }, nothingKept]) {
    assert.deepEqual(decodeKept(encodeKept(each)), each);
  }
});
