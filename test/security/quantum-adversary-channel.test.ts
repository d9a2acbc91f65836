import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { channelProfiles } from '../../src/core/protocol/channel-profile.ts';
import { createHttpsWorld } from '../system/https-world.ts';
import { smallPlan } from '../system/world.ts';
import { freshEphemeral, type Group, openRecording, recordTalk } from './tls-recording.ts';

/*
 * The quantum adversary against a recorded channel, *simulated*: Shor's algorithm would compute the X25519 half of a
 * client's ephemeral key from what is on the wire, so the test gives it that half.
 */

const secret = 'a-token-that-nobody-may-read';
const request = `GET /nothing?${secret} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;

/** Records one request to a coordinator of a profile. */
async function recorded(profile: 'default' | 'compatibility', group: Group) {
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), channelProfiles[profile].signature);
  const world = await createHttpsWorld({ plan: smallPlan({ security: { profile } }), tls });
  try {
    const keys = freshEphemeral(group);
    return { keys, recording: await recordTalk(world.port, group, keys, request) };
  } finally {
    await world.close();
  }
}

test('the quantum adversary (simulated): with the X25519 keys of a recorded connection nothing of it opens; with ML-KEM too, all of it', async () => {
  const { keys, recording } = await recorded('default', 'X25519MLKEM768');
  assert.equal(openRecording(recording, { x25519: keys.x25519 }), undefined);
  assert.equal(openRecording(recording, { ...keys, mlKem: freshEphemeral('X25519MLKEM768').mlKem }), undefined);
  assert.equal(openRecording(recording, { ...freshEphemeral('X25519'), mlKem: keys.mlKem }), undefined);
  // The control of these very steps: both halves open it.
  const opened = openRecording(recording, keys)!;
  assert.equal(opened.up, request);
  assert.match(opened.down, /^HTTP\/1\.1 404 /);
  assert.equal(recording.up.includes(secret), false);
});

test('the control: under the classical profile the same attacker reads a recorded connection, both directions', async () => {
  const { keys, recording } = await recorded('compatibility', 'X25519');
  assert.equal(recording.up.includes(secret), false);
  assert.equal(openRecording(recording, freshEphemeral('X25519')), undefined);
  const opened = openRecording(recording, { x25519: keys.x25519 })!;
  assert.ok(opened.up.includes(secret));
  assert.match(opened.down, /^HTTP\/1\.1 404 /);
});
