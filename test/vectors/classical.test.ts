// The classical layer under the hybrid one, against published vectors. Those of RFCs are here; C2SP Wycheproof lies beside
// the repository, and where a file is not there its test is skipped and says so.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { groups, missing } from './outside.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

/** RFC 8410 wrappings of raw X25519 keys. */
const x25519Private = (raw: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([hex('302e020100300506032b656e04220420'), raw]),
    format: 'der',
    type: 'pkcs8',
  });
const x25519Public = (raw: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([hex('302a300506032b656e032100'), raw]), format: 'der', type: 'spki' });

test('HKDF-SHA-256: RFC 5869, test cases 1 to 3', () => {
  const counting = (from: number, to: number) => Buffer.from(Array.from({ length: to - from + 1 }, (_, i) => from + i));
  const cases = [
    [
      Buffer.alloc(22, 11),
      counting(0, 12),
      counting(0xf0, 0xf9),
      42,
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      counting(0, 0x4f),
      counting(0x60, 0xaf),
      counting(0xb0, 0xff),
      82,
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ],
    [
      Buffer.alloc(22, 11),
      Buffer.alloc(0),
      Buffer.alloc(0),
      42,
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ] as const;
  for (const [ikm, salt, info, length, okm] of cases) {
    assert.equal(Buffer.from(hkdfSync('sha256', ikm, salt, info, length)).toString('hex'), okm);
  }
});

test('X25519: RFC 7748, section 6.1', () => {
  const privateKey = x25519Private(hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'));
  const publicKey = x25519Public(hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
  const shared = diffieHellman({ privateKey, publicKey });
  assert.equal(shared.toString('hex'), '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
});

test('HPKE: RFC 9180, appendix A.1.1 (DHKEM X25519, HKDF-SHA256, AES-128-GCM, base mode)', async () => {
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM);
  const privateKey = await suite.DeserializePrivateKey(
    hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
    true,
  );
  const publicKey = await suite.DeserializePublicKey(
    hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
  );
  const recipient = await suite.SetupRecipient(
    { privateKey, publicKey },
    hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
    { info: hex('4f6465206f6e2061204772656369616e2055726e') },
  );
  const opened = await recipient.Open(
    hex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
    hex('436f756e742d30'),
  );
  assert.equal(Buffer.from(opened).toString(), 'Beauty is truth, truth beauty');
  const exported = await recipient.Export(new Uint8Array(), 32);
  assert.equal(
    Buffer.from(exported).toString('hex'),
    '3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee',
  );
});

test('HKDF-SHA-256: Wycheproof', { skip: missing('wycheproof-hkdf_sha256_test') }, () => {
  for (const { ikm, salt, info, size, okm, result, tcId } of groups('wycheproof-hkdf_sha256_test').flatMap(
    (g) => g.tests,
  )) {
    const made = attempt(() => hkdfSync('sha256', hex(ikm!), hex(salt!), hex(info!), Number(size)));
    assert.equal(made && Buffer.from(made).toString('hex'), result === 'valid' ? okm : undefined, `case ${tcId}`);
  }
});

test('AES-256-GCM with 96-bit nonces: Wycheproof, through the port', {
  skip: missing('wycheproof-aes_gcm_test'),
}, () => {
  const crypto = createNodeCrypto();
  let count = 0;
  for (const group of groups('wycheproof-aes_gcm_test')) {
    if (Number(group['keySize']) !== 256 || Number(group['ivSize']) !== 96 || Number(group['tagSize']) !== 128)
      continue;
    for (const { key, iv, aad, msg, ct, tag, result, tcId } of group.tests) {
      const aead = crypto.aead(hex(key!));
      const sealed = Buffer.concat([hex(ct!), hex(tag!)]);
      const opened = aead.open(hex(iv!), sealed, hex(aad!));
      assert.equal(opened && Buffer.from(opened).toString('hex'), result === 'valid' ? msg : undefined, `case ${tcId}`);
      if (result === 'valid') assert.deepEqual(Buffer.from(aead.seal(hex(iv!), hex(msg!), hex(aad!))), sealed);
      count += 1;
    }
  }
  assert.ok(count > 50);
});

test('X25519: Wycheproof; a shared secret of zero is refused', { skip: missing('wycheproof-x25519_test') }, () => {
  for (const { public: theirs, private: own, shared, flags, tcId } of groups('wycheproof-x25519_test').flatMap(
    (g) => g.tests,
  )) {
    const made = attempt(() =>
      diffieHellman({ privateKey: x25519Private(hex(own!)), publicKey: x25519Public(hex(theirs!)) }),
    );
    const isZero = String(flags).includes('ZeroSharedSecret');
    assert.equal(made?.toString('hex'), isZero ? undefined : shared, `case ${tcId}`);
  }
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
