import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../coordinator/run-log.ts';
import { parsePlan } from '../core/plan/plan.ts';
import { clockBehindRun } from './clock-behind-run.ts';

const plan = parsePlan({ model: { kind: 'mlp', layers: [4, 2] }, enrolment: { linkHours: 10 } });
const now = Date.UTC(2026, 10, 24, 12);
const hour = 3_600_000;

function snapshot(invitedMs: number, enrolledMs = 0, openedMs = 0): Snapshot {
  return {
    run: { facts: openedMs === 0 ? null : { startedAtMs: openedMs } },
    invitations: new Map([['a', { expiresAtMs: invitedMs + 10 * hour }]]),
    devices: new Map([['d', { enrolledAtMs: enrolledMs }]]),
  } as unknown as Snapshot;
}

test('clockBehindRun() speaks when a link, a device or a round is from the future', () => {
  assert.equal(clockBehindRun(now, snapshot(now - hour, now - hour, now), plan), undefined);
  assert.equal(clockBehindRun(now, snapshot(now + 300_000), plan), undefined);
  assert.match(
    clockBehindRun(now, snapshot(now + hour), plan)!,
    /recorded \(2026-11-24T13:00\): it is 2026-11-24T12:00/,
  );
  assert.match(clockBehindRun(now, snapshot(now, now + hour), plan)!, /links expire by it/);
  assert.match(clockBehindRun(now, snapshot(now, now, now + hour), plan)!, /Set it/);
  const empty = { run: { facts: null }, invitations: new Map(), devices: new Map() } as unknown as Snapshot;
  assert.equal(clockBehindRun(now, empty, plan), undefined);
});
