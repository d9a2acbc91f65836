import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  activeKey,
  dueForRotation,
  keyAt,
  type KeyEvent,
  keyPurposes,
  type KeyRecord,
  keyStates,
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
const events: readonly KeyEvent[] = ['activate', 'retire', 'expire', 'revoke', 'destroy'];

test('a key is made, used, replaced and destroyed, and its record says when', () => {
  const active = moveKey(fresh, 'activate', 10);
  const retired = moveKey(active, 'retire', 20);
  const destroyed = moveKey(retired, 'destroy', 30);
  assert.deepEqual(destroyed, { ...fresh, state: 'destroyed', activatedAtMs: 10, endedAtMs: 20 });
});

test('the key in use cannot be destroyed, and a move that is not allowed says why', () => {
  const active = moveKey(fresh, 'activate', 10);
  assert.throws(
    () => moveKey(active, 'destroy', 20),
    /must be created or retired or expired or revoked: current value is active/,
  );
  assert.throws(() => moveKey(fresh, 'retire', 20), /current value is created/);
});

test('every state and every event: what follows, and that all else is refused and changes nothing', () => {
  const follows: Readonly<Record<string, string>> = {
    'created activate': 'active',
    'created revoke': 'revoked',
    'created destroy': 'destroyed',
    'active retire': 'retired',
    'active expire': 'expired',
    'active revoke': 'revoked',
    'retired revoke': 'revoked',
    'retired destroy': 'destroyed',
    'expired revoke': 'revoked',
    'expired destroy': 'destroyed',
    'revoked destroy': 'destroyed',
  };
  let refused = 0;
  for (const state of keyStates) {
    for (const event of events) {
      const key = { ...fresh, state, activatedAtMs: state === 'created' ? null : 5 };
      const next = follows[`${state} ${event}`];
      if (next !== undefined) assert.equal(moveKey(key, event, 9).state, next, `${state} ${event}`);
      else {
        refused++;
        assert.throws(() => moveKey(key, event, 9), RangeError, `${state} ${event}`);
      }
    }
  }
  assert.deepEqual([refused, Object.keys(follows).length], [keyStates.length * events.length - 11, 11]);
});

test('a key in use expires at twice the time at which it should have been replaced; no other key does', () => {
  const active = moveKey(fresh, 'activate', 1000);
  const end = 1000 + 180 * 86_400_000;
  assert.equal(keyAt(active, end - 1), active);
  assert.deepEqual(keyAt(active, end + 7), { ...active, state: 'expired', endedAtMs: end });
  assert.equal(activeKey([keyAt(active, end)], 'announcement'), undefined);
  assert.deepEqual(dueForRotation([keyAt(active, end)], end), []);
  for (const key of [fresh, moveKey(active, 'retire', 5), { ...active, rotateDays: null }])
    assert.equal(keyAt(key, end + 1), key);
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
        isOver ||= ['retired', 'expired', 'revoked', 'destroyed'].includes(key.state);
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
