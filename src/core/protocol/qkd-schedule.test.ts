import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import type { PreSharedKey } from '../../ports/crypto.ts';
import { firstEpochSecret, nextEpochSecret, qkdPreSharedKey } from './qkd-schedule.ts';

const crypto = createNodeCrypto();
const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const inputs = {
  mark: { epoch: 2, keyId: 'k-7' },
  epochSecret: key.map((byte) => 255 - byte),
  key,
  deviceId: 'd-1',
  round: 5,
};

/** The info written out by hand: text is one length byte and UTF-8, numbers are big-endian. */
const infoOf = (use: string) =>
  Buffer.concat([
    Buffer.from([14 + use.length]),
    Buffer.from(`qflare/qkd/v1/${use}`),
    Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 5, 3]),
    Buffer.from('d-1'),
    Buffer.from([3]),
    Buffer.from('k-7'),
  ]);

test('key and next secret are HKDF-SHA256 as the header says: against the HKDF of OpenSSL', () => {
  const expected = (use: string) => Buffer.from(hkdfSync('sha256', key, inputs.epochSecret, infoOf(use), 32));
  assert.deepEqual(Buffer.from(qkdPreSharedKey(inputs).key), expected('psk'));
  assert.deepEqual(Buffer.from(nextEpochSecret(inputs)), expected('epoch'));
  assert.equal(new TextDecoder().decode(qkdPreSharedKey(inputs).id), 'qflare-qkd/2/k-7');
});

test('each input changes the key: key, secret, epoch, id, device, round, and whether there is a fresh key', () => {
  const changed = [
    { ...inputs, key: key.with(0, 9) },
    { ...inputs, epochSecret: firstEpochSecret },
    { ...inputs, mark: { ...inputs.mark, epoch: 3 } },
    { ...inputs, mark: { ...inputs.mark, keyId: 'k-8' } },
    { ...inputs, deviceId: 'd-2' },
    { ...inputs, round: 6 },
    { ...inputs, mark: { epoch: 2, keyId: '' }, key: null },
  ];
  const all = [inputs, ...changed].flatMap((one) => [qkdPreSharedKey(one).key, nextEpochSecret(one)]);
  assert.equal(new Set(all.map((bytes) => Buffer.from(bytes).toString('hex'))).size, all.length);
});

test('a key id without its key, or the reverse, is refused', () => {
  assert.throws(() => qkdPreSharedKey({ ...inputs, key: null }), /current value is "k-7" with no key/);
  assert.throws(() => nextEpochSecret({ ...inputs, mark: { epoch: 0, keyId: '' } }), /current value is "" with a key/);
});

test('combiner: what is sealed opens only with both the private key of the round and the QKD key', async () => {
  const info = new TextEncoder().encode('header');
  const nonce = new Uint8Array(12);
  const round = await crypto.generateRoundKey();
  const stranger = await crypto.generateRoundKey();
  const psk = qkdPreSharedKey(inputs);
  const { enc, aead } = await crypto.seal(round.publicKey, info, psk);
  const sealed = aead.seal(nonce, info);
  const opens = async (roundKey: typeof round, guess?: PreSharedKey) =>
    (await roundKey.open(enc, info, guess))?.open(nonce, sealed) !== undefined;
  assert.equal(await opens(round, psk), true);
  // ML-KEM and X25519 broken, QKD key unknown: nothing opens.
  assert.equal(await opens(round), false);
  assert.equal(await opens(round, { ...psk, key: new Uint8Array(32) }), false);
  assert.equal(await opens(round, { ...psk, id: new TextEncoder().encode('qflare-qkd/2/k-8') }), false);
  // QKD link tapped, ML-KEM and X25519 whole: nothing opens.
  assert.equal(await opens(stranger, psk), false);
});
