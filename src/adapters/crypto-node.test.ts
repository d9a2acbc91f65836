import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { ml_kem1024_p384, ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { slh_dsa_sha2_128s } from '@noble/post-quantum/slh-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Kem } from '../core/protocol/kem.ts';
import { explainFailure } from '../cli/failure.ts';
import { createNodeCrypto, startNodeCrypto } from './crypto-node.ts';
import { knownAnswers } from '../primitives/known-answers.ts';
import { nodePrimitives, type Primitives } from '../primitives/node-primitives.ts';
import { SelfTestError } from '../primitives/self-test.ts';

const counting = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);
const utf8 = (text: string) => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array) => createNodeCrypto().sha256(bytes).toHex();

test('the known answers are those of another implementation', () => {
  const { message, context, kem, signature, signature87, hpke, hpke1024 } = knownAnswers;
  const kemKeys = ml_kem768.keygen(counting(64));
  assert.equal(sha256(kemKeys.publicKey), kem.publicKeySha256);
  const made = ml_kem768.encapsulate(kemKeys.publicKey, counting(32));
  assert.deepEqual([made.cipherText.toBase64(), made.sharedSecret.toHex()], [kem.ciphertext, kem.sharedKey]);

  const signer = ml_dsa65.keygen(counting(32));
  assert.equal(sha256(signer.publicKey), signature.publicKeySha256);
  const options = { context: utf8(context), extraEntropy: false } as const;
  assert.equal(ml_dsa65.sign(utf8(message), signer.secretKey, options).toBase64(), signature.signature);

  const { hashSignature } = knownAnswers;
  const slhKey = Uint8Array.fromHex(hashSignature.publicKey);
  const slhSignature = Uint8Array.fromBase64(hashSignature.signature);
  const slhOptions = { context: utf8(context) };
  assert.ok(slh_dsa_sha2_128s.verify(slhSignature, utf8(message), slhKey, slhOptions));

  const hybrid = ml_kem768_x25519.keygen(counting(32));
  assert.equal(sha256(hybrid.publicKey), hpke.publicKeySha256);
  const sealed = ml_kem768_x25519.encapsulate(hybrid.publicKey, counting(64));
  assert.equal(sealed.cipherText.toBase64(), hpke.enc);
  assert.equal(exportOf(sealed.sharedSecret, utf8(message), utf8(context)), hpke.exported);

  const larger = ml_dsa87.keygen(counting(32));
  assert.equal(sha256(larger.publicKey), signature87.publicKeySha256);
  assert.equal(ml_dsa87.sign(utf8(message), larger.secretKey, options).toBase64(), signature87.signature);
  const wide = ml_kem1024_p384.keygen(counting(32));
  assert.equal(sha256(wide.publicKey), hpke1024.publicKeySha256);
  const wider = ml_kem1024_p384.encapsulate(wide.publicKey, counting(ml_kem1024_p384.lengths.msgRand!));
  assert.equal(wider.cipherText.toBase64(), hpke1024.enc);
  assert.equal(exportOf(wider.sharedSecret, utf8(message), utf8(context), 'sha384'), hpke1024.exported);
});

/**
 * HPKE's exporter, written out: LabeledExtract and LabeledExpand of RFC 9180, section 5.1, for the base mode, KEM 0x647a
 * with HKDF-SHA256 or 0x0051 with HKDF-SHA384, and AES-256-GCM.
 */
function exportOf(
  shared: Uint8Array,
  info: Uint8Array,
  exporterContext: Uint8Array,
  by: 'sha256' | 'sha384' = 'sha256',
): string {
  const ids = by === 'sha256' ? '647a00010002' : '005100020002';
  const suiteId = Buffer.concat([utf8('HPKE'), Buffer.from(ids, 'hex')]);
  const none = Buffer.alloc(0);
  const extract = (salt: Uint8Array, label: string, ikm: Uint8Array) => {
    // HKDF-Extract alone: HMAC of the input under the salt.
    return hmac(salt, Buffer.concat([utf8('HPKE-v1'), suiteId, utf8(label), ikm]), by);
  };
  const expand = (key: Uint8Array, label: string, context: Uint8Array, length: number) =>
    hmac(
      key,
      Buffer.concat([Buffer.from([0, length]), utf8('HPKE-v1'), suiteId, utf8(label), context, Buffer.from([1])]),
      by,
    ).subarray(0, length);
  const context = Buffer.concat([
    Buffer.from([0]),
    extract(none, 'psk_id_hash', none),
    extract(none, 'info_hash', info),
  ]);
  const secret = extract(shared, 'secret', none);
  return expand(expand(secret, 'exp', context, by === 'sha256' ? 32 : 48), 'sec', exporterContext, 32).toString('hex');
}

function hmac(key: Uint8Array, message: Uint8Array, by: 'sha256' | 'sha384' = 'sha256'): Buffer {
  const block = Buffer.alloc(by === 'sha256' ? 64 : 128);
  block.set(key);
  const pad = (byte: number) => block.map((one) => one ^ byte);
  const hash = (bytes: Uint8Array) => nodePrimitives.createHash(by).update(bytes).digest();
  return Buffer.from(hash(Buffer.concat([pad(0x5c), hash(Buffer.concat([pad(0x36), message]))])));
}

test('the written-out HMAC is that of HKDF', () => {
  const okm = Buffer.from(hkdfSync('sha256', utf8('ikm'), utf8('salt'), utf8('info'), 32));
  assert.deepEqual(hmac(hmac(utf8('salt'), utf8('ikm')), Buffer.concat([utf8('info'), Buffer.from([1])])), okm);
});

/** Each way in which a primitive can be wrong: its answer changed, or a check that always says yes. */
const broken: Readonly<Record<string, Partial<Primitives>>> = {
  'SHA-256': { createHash: ((name: string) => nodePrimitives.createHash(name).update('x')) as never },
  'SHA-256 in one call': { hash: (() => '00') as never },
  Argon2id: { argon2Sync: (() => Buffer.alloc(32)) as never },
  Ed25519: {
    sign: ((_: null, message: Uint8Array, key: never) => {
      const signature = nodePrimitives.sign(null, message, key);
      return signature.length === 64 ? signature.fill(0) : signature;
    }) as never,
  },
  'SLH-DSA-SHA2-128s': {
    verify: ((_: null, message: Uint8Array, key: never, signature: Uint8Array) =>
      signature.length === 7856 || nodePrimitives.verify(null, message, key, signature)) as never,
  },
  HKDF: { hkdfSync: (() => new ArrayBuffer(42)) as never },
  'AES-256-GCM': {
    createCipheriv: ((_: string, ...rest: [never, never]) =>
      nodePrimitives.createCipheriv('chacha20-poly1305', ...rest)) as never,
  },
  'ML-KEM-768': { decapsulate: (() => Buffer.alloc(32)) as never },
  'ML-DSA-65': { verify: (() => true) as never },
  'the random generator': { randomBytes: ((count: number) => Buffer.alloc(count, 7)) as never },
  'constant-time comparison': { timingSafeEqual: () => true },
};

test('a primitive that does not give its known answer, or accepts what it must refuse, stops everything', () => {
  for (const [name, change] of Object.entries(broken)) {
    const refusal = { name: 'SelfTestError', message: new RegExp(`as ${name} must give`) };
    const changed = { ...nodePrimitives, ...change };
    for (let use = 0; use < 2; use++) assert.throws(() => createNodeCrypto(changed), refusal, name);
  }
  const filled = { ...nodePrimitives, randomFillSync: ((bytes: Buffer) => bytes) as never };
  assert.throws(() => createNodeCrypto(filled), /as the random generator must give/);
  const unchecked = { ...nodePrimitives, createDecipheriv: openWithoutTag as never };
  assert.throws(() => createNodeCrypto(unchecked), /as AES-256-GCM must give/);
  const unknown = {
    ...nodePrimitives,
    generateKeyPairSync: undefined,
    decapsulate: undefined,
  } as unknown as Primitives;
  assert.throws(() => createNodeCrypto(unknown), SelfTestError);
});

test('HPKE that gives another answer refuses at its first use, and a long-lived process at its start', async () => {
  const wrong = {
    ...nodePrimitives,
    createHpke: (kem: Kem) => {
      const suite = nodePrimitives.createHpke(kem);
      const setup = suite.SetupRecipient.bind(suite);
      suite.SetupRecipient = (key, enc, options) => setup(key, enc, { ...options, info: utf8('other') });
      return suite;
    },
  };
  const crypto = createNodeCrypto(wrong);
  await assert.rejects(crypto.generateRoundKey(), SelfTestError);
  await assert.rejects(crypto.seal(new Uint8Array(1216), utf8('')), SelfTestError);
  await assert.rejects(crypto.importRoundKey(new Uint8Array(1248)), SelfTestError);
  await assert.rejects(startNodeCrypto(wrong), SelfTestError);
  const gone = { ...nodePrimitives, createHpke: () => ({}) as never };
  await assert.rejects(startNodeCrypto(gone), /as HPKE with MLKEM768-X25519 must give/);
  assert.ok((await startNodeCrypto()).randomBytes(1));
});

test('a failed self-test ends the command with code 5 and says what to do', () => {
  const { message, exitCode } = explainFailure(new SelfTestError('ML-DSA-65'));
  assert.equal(exitCode, 5);
  assert.match(message, /ML-DSA-65 must give its known answer.*official Node 26/);
});

test('aead() binds what is said beside the text, and opens nothing that was changed', () => {
  const crypto = createNodeCrypto();
  const aead = crypto.aead(crypto.randomBytes(32));
  const [nonce, aad] = [crypto.randomBytes(12), utf8('row 7')];
  const sealed = aead.seal(nonce, utf8('text'), aad);
  assert.equal(new TextDecoder().decode(aead.open(nonce, sealed, aad)), 'text');
  assert.equal(aead.open(nonce, sealed), undefined);
  assert.equal(aead.open(nonce, sealed, utf8('row 8')), undefined);
  assert.equal(aead.open(crypto.randomBytes(12), sealed, aad), undefined);
  assert.equal(aead.open(nonce, sealed.subarray(0, 15), aad), undefined);
});

function openWithoutTag(...args: Parameters<Primitives['createDecipheriv']>) {
  const decipher = nodePrimitives.createDecipheriv(...(args as [never, never, never])) as unknown as {
    final(): Buffer;
  };
  decipher.final = () => Buffer.alloc(0);
  return decipher;
}
