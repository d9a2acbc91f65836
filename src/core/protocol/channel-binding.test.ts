import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialOf, parseCredential, sessionId, sessionMac, sessionText } from './channel-binding.ts';

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

test('credentialOf() leaves any other token as it is, and parseCredential() takes one form', () => {
  assert.equal(credentialOf('owner-token', channels[0]), 'owner-token');
  for (const text of ['', session, '0.0', `${'0'.repeat(64)}.${'g'.repeat(64)}`, `${'0'.repeat(64)}.`]) {
    assert.equal(parseCredential(text), undefined, text);
  }
});

test('sessionMac() is the HMAC-SHA256 that Python 3 makes of the same bytes', () => {
  // hmac.new(b"session." + b"BwcH…", b"qflare/session-channel/v1" + bytes(32), "sha256").hexdigest()
  assert.equal(sessionMac(session, channels[0]), '8ddf9ae6be78f4d1643d6c8e9db019c8afaa14cad6f963e627892140b1149e6b');
});
