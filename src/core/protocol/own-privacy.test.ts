import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownPrivacy, ownPrivacyLine } from './own-privacy.ts';

test('what a client is told of itself: both odometers, what is charged, and whose the figure is', () => {
  const told = {
    version: 1,
    purpose: 'training',
    delta: 1e-5,
    granted: 6,
    plan: 5.9,
    odometer: 8,
    individual: 2.5,
  } as const;
  assert.deepEqual(ownPrivacy.parse(told), told);
  const line = ownPrivacyLine(told);
  assert.match(line, /"training" at δ = 0\.00001: your own odometer stands at ε = 2\.5000, at worst 8\.0000/);
  assert.match(line, /charged 5\.9000 of 6 .*keep it to yourself/);
  assert.ok(!ownPrivacy.safeParse({ ...told, version: 2 }).success);
});
