import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceLine } from './devices.ts';

const device = {
  deviceId: 'd-1',
  clientId: 'site-a',
  name: 'Site A',
  status: 'approved' as const,
  isConnected: true,
  enrolledAtMs: 0,
  key: { dueMs: Number.MAX_SAFE_INTEGER, endsMs: Number.MAX_SAFE_INTEGER },
};
const reputation = {
  trust: 0.31,
  uncertainty: 0.1,
  forecast: 0.2,
  standing: 'excluded' as const,
  flaggedRounds: 3,
  judgedRounds: 4,
  lastFlag: {
    round: 7,
    reasons: ['works against the others'],
    pattern: { label: 'sign-flip' as const, evidence: ['its cosine to the aggregate is -0.42'] },
  },
  patterns: [{ label: 'sign-flip' as const, count: 3 }],
};

test('a device line says what is believed of it, why, and what its updates looked like', () => {
  const line = deviceLine({ ...device, reputation });
  assert.match(line, /excluded, trust 0\.31 ± 0\.10, flagged in 3 of 4 rounds/);
  assert.match(
    line,
    /round 7: works against the others; looks like a sign flip: its cosine to the aggregate is -0\.42$/,
  );
  const unnamed = { ...reputation, lastFlag: { ...reputation.lastFlag, pattern: null } };
  assert.match(deviceLine({ ...device, reputation: unnamed }), /works against the others$/);
  assert.doesNotMatch(deviceLine({ ...device, reputation: null }), /trust/);
});

test('a device line says when an old key ends, before it does', () => {
  const key = { dueMs: 1000, endsMs: 86_400_000 };
  const lineAt = (nowMs: number) => deviceLine({ ...device, key, reputation: null }, nowMs);
  assert.doesNotMatch(lineAt(999), /key/);
  assert.match(lineAt(1000), /its key is to be replaced and ends on 1970-01-02/);
  assert.doesNotMatch(deviceLine({ ...device, key, status: 'removed', reputation: null }, 1000), /key/);
});
