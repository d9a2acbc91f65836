import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { purposes } from './purposes.ts';
import { suiteDefault, suites } from './suite.ts';

const crypto = createNodeCrypto();
const message = new TextEncoder().encode('message');

test('the lengths of the suite are those of FIPS 203, FIPS 204 and X25519, and those that the adapter makes', async () => {
  const suite = suites[suiteDefault];
  // ML-KEM-768 has keys of 1184 and ciphertexts of 1088 bytes, X25519 adds 32 to each.
  assert.equal(suite.publicKeyBytes, 1184 + 32);
  assert.equal(suite.encBytes, 1088 + 32);
  assert.equal(suite.signingKeyBytes, 1952);
  assert.equal(suite.signatureBytes, 3309);
  const roundKey = await crypto.generateRoundKey();
  assert.equal(roundKey.publicKey.length, suite.publicKeyBytes);
  assert.equal(roundKey.exportSecret().length, suite.seedBytes + suite.publicKeyBytes);
  assert.equal((await crypto.seal(roundKey.publicKey, message)).enc.length, suite.encBytes);
  const key = crypto.generateSigningKey();
  assert.equal(key.publicKey.length, suite.signingKeyBytes);
  assert.equal(key.sign(purposes.session, message).length, suite.signatureBytes);
});

test('a signature for one purpose verifies for no other', async () => {
  const key = crypto.generateSigningKey();
  for (const made of Object.values(purposes)) {
    const signature = key.sign(made, message);
    for (const asked of Object.values(purposes)) {
      assert.equal(await crypto.verify(key.publicKey, asked, message, signature), made === asked, `${made} ${asked}`);
    }
  }
});

test('verify() is false, and does not throw, for wrong lengths, another key and another message', async () => {
  const key = crypto.generateSigningKey();
  const signature = key.sign(purposes.session, message);
  const verify = (publicKey: Uint8Array, text: Uint8Array, sign: Uint8Array) =>
    crypto.verify(publicKey, purposes.session, text, sign);
  assert.equal(await verify(key.publicKey, message, signature), true);
  assert.equal(await verify(key.publicKey.subarray(1), message, signature), false);
  assert.equal(await verify(key.publicKey, message, signature.subarray(1)), false);
  assert.equal(await verify(new Uint8Array(1952).fill(255), message, signature), false);
  assert.equal(await verify(crypto.generateSigningKey().publicKey, message, signature), false);
  assert.equal(await verify(key.publicKey, message.subarray(1), signature), false);
});

test('a signing key that is imported from its seed is the same key', async () => {
  const key = crypto.generateSigningKey();
  const again = crypto.importSigningKey(key.exportSeed());
  assert.deepEqual(Uint8Array.from(again.publicKey), Uint8Array.from(key.publicKey));
  const signature = again.sign(purposes.envelope, message);
  assert.equal(await crypto.verify(key.publicKey, purposes.envelope, message, signature), true);
});

test('a round key that is imported from its secret opens what was sealed to it; another info or key does not', async () => {
  const roundKey = await crypto.generateRoundKey();
  const nonce = new Uint8Array(12);
  const { enc, aead } = await crypto.seal(roundKey.publicKey, message);
  const sealed = aead.seal(nonce, message);
  const again = await crypto.importRoundKey(roundKey.exportSecret());
  assert.deepEqual((await again.open(enc, message))?.open(nonce, sealed)?.toString(), 'message');
  assert.equal((await again.open(enc, message.subarray(1)))?.open(nonce, sealed), undefined);
  const other = await crypto.generateRoundKey();
  assert.equal((await other.open(enc, message))?.open(nonce, sealed), undefined);
  assert.equal(await again.open(enc.subarray(1), message), undefined);
  const context = (await again.open(enc, message))!;
  assert.equal(context.open(nonce, sealed.subarray(0, 15)), undefined);
  assert.equal(context.open(nonce, new Uint8Array()), undefined);
});

test('the suite of cnsa-style has the lengths of ML-KEM-1024 with P-384 and of ML-DSA-87, and round keys of both kinds stay apart', async () => {
  const { kem, signature, ...sizes } = suites[5];
  assert.deepEqual([sizes.publicKeyBytes, sizes.encBytes], [1568 + 97, 1568 + 97]);
  assert.deepEqual([sizes.signingKeyBytes, sizes.signatureBytes], [2592, 4627]);
  const round = await crypto.generateRoundKey(kem);
  assert.equal(round.publicKey.length, sizes.publicKeyBytes);
  const { enc, aead } = await crypto.seal(round.publicKey, message);
  assert.equal(enc.length, sizes.encBytes);
  const nonce = new Uint8Array(12);
  const again = await crypto.importRoundKey(round.exportSecret());
  const opened = (await again.open(enc, message))!.open(nonce, aead.seal(nonce, message));
  assert.deepEqual(Uint8Array.from(opened!), message);
  const smaller = await crypto.generateRoundKey();
  assert.equal(await smaller.open(enc, message), undefined);
  assert.equal(await round.open((await crypto.seal(smaller.publicKey, message)).enc, message), undefined);
  await assert.rejects(crypto.seal(round.publicKey.subarray(1), message), RangeError);
  await assert.rejects(crypto.importRoundKey(new Uint8Array(40)), RangeError);

  const key = crypto.generateSigningKey(signature);
  const signed = key.sign(purposes.envelope, message);
  assert.deepEqual([key.publicKey.length, signed.length], [sizes.signingKeyBytes, sizes.signatureBytes]);
  const same = crypto.importSigningKey(key.exportSeed());
  assert.equal(await crypto.verify(same.publicKey, purposes.envelope, message, signed), true);
  assert.equal(await crypto.verify(same.publicKey, purposes.session, message, signed), false);
  assert.throws(() => crypto.importSigningKey(key.exportSeed().fill(0, 0, 1)), /first byte must be 87/);
});
