import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  activeKey,
  dueForRotation,
  type KeyEvent,
  keyPurposes,
  type KeyRecord,
  moveKey,
  rotationDueMs,
} from './lifecycle.ts';

const fresh: KeyRecord = {
  id: 'announcement-1',
  purpose: 'announcement',
  version: 1,
  state: 'created',
  createdAtMs: 0,
  activatedAtMs: null,
  endedAtMs: null,
  rotateDays: 90,
};
const events: readonly KeyEvent[] = ['activate', 'retire', 'revoke', 'destroy'];

test('a key is made, used, replaced and destroyed, and its record says when', () => {
  const active = moveKey(fresh, 'activate', 10);
  const retired = moveKey(active, 'retire', 20);
  const destroyed = moveKey(retired, 'destroy', 30);
  assert.deepEqual(destroyed, { ...fresh, state: 'destroyed', activatedAtMs: 10, endedAtMs: 20 });
});

test('the key in use cannot be destroyed, and a move that is not allowed says why', () => {
  const active = moveKey(fresh, 'activate', 10);
  assert.throws(() => moveKey(active, 'destroy', 20), /must be created or retired or revoked: current value is active/);
  assert.throws(() => moveKey(fresh, 'retire', 20), /current value is created/);
});

test('whatever happens to a key: it is used at most once, never after it was revoked or destroyed', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (sequence) => {
      let key = fresh;
      let uses = 0;
      let isOver = false;
      for (const [i, event] of sequence.entries()) {
        try {
          key = moveKey(key, event, i);
        } catch (error) {
          assert.ok(error instanceof RangeError);
          continue;
        }
        if (key.state === 'active') uses += 1;
        assert.ok(!(isOver && key.state === 'active'));
        isOver ||= ['retired', 'revoked', 'destroyed'].includes(key.state);
      }
      assert.ok(uses <= 1);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('rotation is due a whole number of days after the first use, and never for keys without a period', () => {
  const active = moveKey(fresh, 'activate', 1000);
  const due = 1000 + 90 * 86_400_000;
  assert.equal(rotationDueMs(active), due);
  assert.deepEqual(dueForRotation([fresh, active], due - 1), []);
  assert.deepEqual(dueForRotation([fresh, active], due), [active]);
  assert.equal(rotationDueMs({ ...active, rotateDays: null }), null);
  assert.equal(activeKey([fresh, active], 'announcement'), active);
  assert.equal(activeKey([fresh], 'announcement'), undefined);
  assert.ok(Object.values(keyPurposes).every(({ is }) => is.length > 5));
});
