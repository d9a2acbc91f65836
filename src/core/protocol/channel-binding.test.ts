import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialOf, parseCredential, proves, sessionId, sessionMac, sessionText } from './channel-binding.ts';

const channels = ['00'.repeat(32), 'ff'.repeat(32)] as const;
const session = sessionText(new Uint8Array(32).fill(7));

test('a session is sent as its name and a proof for one connection: nothing of it is in them', () => {
  const [one, other] = channels.map((channel) => credentialOf(session, channel));
  assert.notEqual(one, other);
  assert.equal(one!.includes(session.slice('session.'.length)), false);
  const { id, mac } = parseCredential(one!)!;
  assert.deepEqual([id, mac], [sessionId(session), sessionMac(session, channels[0])]);
  assert.equal(parseCredential(other!)!.id, id);
});

test('proves() takes the credential of this token for this channel and no other', () => {
  const crypto = { isEqual: (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0 };
  const good = credentialOf('owner-token', channels[0]);
  assert.equal(proves(good, 'owner-token', channels[0], crypto), true);
  const [id, mac] = good.split('.');
  const [otherId, otherMac] = credentialOf('another', channels[0]).split('.');
  for (const credential of ['owner-token', '', `${id}.${otherMac}`, `${otherId}.${mac}`]) {
    assert.equal(proves(credential, 'owner-token', channels[0], crypto), false, credential);
  }
  assert.equal(proves(good, 'owner-token', channels[1], crypto), false);
  assert.equal(proves(good, 'another', channels[0], crypto), false);
});

test('parseCredential() takes one form', () => {
  for (const text of ['', session, '0.0', `${'0'.repeat(64)}.${'g'.repeat(64)}`, `${'0'.repeat(64)}.`]) {
    assert.equal(parseCredential(text), undefined, text);
  }
});

test('sessionMac() is the HMAC-SHA256 that Python 3 makes of the same bytes', () => {
  // hmac.new(b"session." + b"BwcH…", b"qflare/session-channel/v1" + bytes(32), "sha256").hexdigest()
  assert.equal(sessionMac(session, channels[0]), '8ddf9ae6be78f4d1643d6c8e9db019c8afaa14cad6f963e627892140b1149e6b');
});
