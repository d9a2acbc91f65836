import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrolmentBytes } from './invitation.ts';
import { announcement, announcementBytes, enrolRequest, sessionProofBytes } from './messages.ts';

const example = {
  version: 1 as const,
  orgId: 'acme',
  runId: 'run-1',
  deviceId: 'd-1',
  state: 'work' as const,
  round: 2,
  counted: 1,
  phaseId: 'train',
  collects: 'update' as const,
  baseModel: 'a'.repeat(64),
  layout: 'b'.repeat(64),
  suite: 1,
  codec: 'float32',
  roundKey: '',
};

test('an announcement is signed as canonical JSON: the order of its keys does not matter', () => {
  const reversed = Object.fromEntries(Object.entries(example).toReversed()) as typeof example;
  assert.deepEqual(announcementBytes(reversed), announcementBytes(example));
  assert.match(new TextDecoder().decode(announcementBytes(example)), /^\{"baseModel":"a+","codec":"float32"/);
});

test('an announcement with a key more, a short hash or an unknown state is refused', () => {
  assert.ok(announcement.safeParse(example).success);
  for (const wrong of [
    { more: 1 },
    { baseModel: 'aa' },
    { state: 'rest' },
    { round: -1 },
    { counted: -1 },
    { orgId: '../x' },
  ]) {
    assert.ok(!announcement.safeParse({ ...example, ...wrong }).success, JSON.stringify(wrong));
  }
});

test('proofs bind the token or challenge, the key or device, and the server', () => {
  const enrolment = { invitation: 'i', publicKey: 'k', pin: 'p', channel: 'e' };
  const session = { deviceId: 'd', challenge: 'c', pin: 'p', channel: 'e' };
  for (const key of Object.keys(enrolment)) {
    assert.notDeepEqual(enrolmentBytes({ ...enrolment, [key]: 'x' }), enrolmentBytes(enrolment));
  }
  for (const key of Object.keys(session)) {
    assert.notDeepEqual(sessionProofBytes({ ...session, [key]: 'x' }), sessionProofBytes(session));
  }
});

test('an enrolment with a key or proof of another length is refused', () => {
  const text = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64');
  const request = {
    invitation: text(1952),
    voucher: text(3309),
    name: 'site',
    publicKey: text(1952),
    channel: 'ab'.repeat(32),
    proof: text(3309),
  };
  assert.ok(enrolRequest.safeParse(request).success);
  assert.ok(!enrolRequest.safeParse({ ...request, publicKey: text(32) }).success);
  assert.ok(!enrolRequest.safeParse({ ...request, proof: text(64) }).success);
});
