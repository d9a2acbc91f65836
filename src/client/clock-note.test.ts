import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockNote } from './clock-note.ts';

test('clockNote() speaks beyond five minutes only, and says on which side', () => {
  const now = Date.UTC(2026, 10, 24, 12);
  assert.equal(clockNote(now, undefined), undefined);
  assert.equal(clockNote(now, now + 300_000), undefined);
  assert.match(clockNote(now, now + 300_001)!, /it is 5 minutes behind it/);
  assert.match(clockNote(now, now - 7_200_000)!, /it is 120 minutes ahead of it/);
});
