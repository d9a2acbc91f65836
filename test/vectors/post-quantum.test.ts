// Outside vectors (NIST ACVP, C2SP Wycheproof) against the native implementation and @noble/post-quantum, which a browser
// uses. They lie beside the repository; where they are not, the tests are skipped and say so.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, decapsulate, encapsulate, type KeyObject, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { nativeExpanded } from './expanded-key.ts';
import { groups, missing } from './outside.ts';

const kems = { 'ML-KEM-512': ml_kem512, 'ML-KEM-768': ml_kem768, 'ML-KEM-1024': ml_kem1024 };
const signers = { 'ML-DSA-44': ml_dsa44, 'ML-DSA-65': ml_dsa65, 'ML-DSA-87': ml_dsa87 };

const bytes = (hex: string | undefined) => Uint8Array.fromHex(hex ?? '');
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex').toUpperCase();

function nativePublic(type: string, raw: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.from(raw),
    format: 'raw-public',
    asymmetricKeyType: type.toLowerCase() as 'ml-dsa-65',
  });
}
function nativePrivate(type: string, seed: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.from(seed),
    format: 'raw-seed',
    asymmetricKeyType: type.toLowerCase() as 'ml-dsa-65',
  });
}
function rawPublic(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'raw-public' });
}

for (const size of ['512', '768', '1024'] as const) {
  const name = `ML-KEM-${size}` as const;
  const [decaps, keygen, encaps] = ['test', 'keygen_seed_test', 'encaps_test'].map(
    (kind) => `wycheproof-mlkem_${size}_${kind}`,
  ) as [string, string, string];

  test(`${name} decapsulation with implicit rejection: Wycheproof, native and noble`, { skip: missing(decaps) }, () => {
    for (const { seed, c, K, result, tcId } of groups(decaps).flatMap((group) => group.tests)) {
      const native = attempt(() => decapsulate(nativePrivate(name, bytes(seed)), bytes(c)));
      const noble = attempt(() => kems[name].decapsulate(bytes(c), kems[name].keygen(bytes(seed)).secretKey));
      const wanted = result === 'valid' ? K?.toUpperCase() : undefined;
      assert.equal(native && hex(native), wanted, `native, case ${tcId}`);
      assert.equal(noble && hex(noble), wanted, `noble, case ${tcId}`);
    }
  });

  const expanded = `wycheproof-mlkem_${size}_semi_expanded_decaps_test`;

  test(`${name} decapsulation under an expanded key: Wycheproof, native`, { skip: missing(expanded) }, () => {
    for (const { dk, c, K, result, tcId } of groups(expanded).flatMap((group) => group.tests)) {
      const native = attempt(() => decapsulate(nativeExpanded(name, bytes(dk)), bytes(c)));
      assert.equal(native && hex(native), result === 'valid' ? K?.toUpperCase() : undefined, `case ${tcId}`);
    }
  });

  test(`${name} key generation from a seed: Wycheproof, native and noble`, { skip: missing(keygen) }, () => {
    for (const { seed, ek, result, tcId } of groups(keygen).flatMap((group) => group.tests)) {
      const native = attempt(() => rawPublic(nativePrivate(name, bytes(seed))));
      const noble = attempt(() => kems[name].keygen(bytes(seed)).publicKey);
      const wanted = result === 'valid' ? ek?.toUpperCase() : undefined;
      assert.equal(native && hex(native), wanted, `native, case ${tcId}`);
      assert.equal(noble && hex(noble), wanted, `noble, case ${tcId}`);
    }
  });

  test(`${name} encapsulation, malformed keys refused: Wycheproof, native and noble`, { skip: missing(encaps) }, () => {
    for (const { m, ek, c, K, result, tcId } of groups(encaps).flatMap((group) => group.tests)) {
      const noble = attempt(() => kems[name].encapsulate(bytes(ek), bytes(m)));
      const isTaken = takes(() => encapsulate(nativePublic(name, bytes(ek))));
      assert.equal(isTaken, result === 'valid', `native, case ${tcId}`);
      const wanted = result === 'valid' ? [c?.toUpperCase(), K?.toUpperCase()] : undefined;
      assert.deepEqual(noble && [hex(noble.cipherText), hex(noble.sharedSecret)], wanted, `noble, case ${tcId}`);
    }
  });
}

for (const size of ['44', '65', '87'] as const) {
  const name = `ML-DSA-${size}` as const;
  const [verifying, signing] = [
    `wycheproof-mldsa_${size}_verify_test`,
    `wycheproof-mldsa_${size}_sign_seed_test`,
  ] as const;

  test(`${name} verification of valid and malformed signatures: Wycheproof, native and noble`, {
    skip: missing(verifying),
  }, () => {
    for (const group of groups(verifying)) {
      const publicKey = bytes(group['publicKey']);
      for (const { msg, sig, ctx, result, tcId } of group.tests) {
        const context = bytes(ctx);
        const key = attempt(() => nativePublic(name, publicKey));
        const native = key && attempt(() => verify(null, bytes(msg), { key, context }, bytes(sig)));
        const noble = attempt(() => signers[name].verify(bytes(sig), bytes(msg), publicKey, { context }));
        assert.equal(native ?? false, result === 'valid', `native, case ${tcId}`);
        assert.equal(noble ?? false, result === 'valid', `noble, case ${tcId}`);
      }
    }
  });

  test(`${name} signing from a seed: Wycheproof; noble gives the signature, native one that holds`, {
    skip: missing(signing),
  }, () => {
    let count = 0;
    for (const group of groups(signing)) {
      const seed = bytes(group['privateSeed']);
      for (const { msg, sig, ctx, rnd, result, flags, tcId } of group.tests) {
        // Signing a prepared μ, and the scheme without its domain separator, are interfaces that nothing here has.
        if (msg === undefined || flags?.includes('Internal')) continue;
        // The default suite signs every fourth case: noble takes 10 ms and more for each.
        if (process.env['QFLARE_DEEP'] === undefined && tcId % 4 !== 0) continue;
        const options = { context: bytes(ctx), extraEntropy: rnd === undefined ? false : bytes(rnd) } as const;
        const noble = attempt(() => {
          const keys = signers[name].keygen(seed);
          return { signature: signers[name].sign(bytes(msg), keys.secretKey, options), publicKey: keys.publicKey };
        });
        assert.equal(
          noble && hex(noble.signature),
          result === 'valid' ? sig?.toUpperCase() : undefined,
          `case ${tcId}`,
        );
        const native = attempt(() => sign(null, bytes(msg), { key: nativePrivate(name, seed), context: bytes(ctx) }));
        assert.equal(native !== undefined, result === 'valid', `native, case ${tcId}`);
        const isBoth = native !== undefined && noble !== undefined;
        if (isBoth) assert.ok(signers[name].verify(native, bytes(msg), noble.publicKey, { context: bytes(ctx) }));
        count += 1;
      }
    }
    assert.ok(count > 15, `${count} cases`);
  });
}

for (const size of ['44', '65', '87'] as const) {
  const name = `ML-DSA-${size}` as const;
  const file = `wycheproof-mldsa_${size}_sign_noseed_test`;

  test(`${name} signing under an expanded key: Wycheproof; noble gives the signature, native one that holds`, {
    skip: missing(file),
  }, () => {
    let count = 0;
    for (const group of groups(file)) {
      const secretKey = bytes(group['privateKey']);
      for (const { msg, sig, ctx, rnd, result, flags, tcId } of group.tests) {
        if (msg === undefined || flags?.includes('Internal')) continue;
        if (process.env['QFLARE_DEEP'] === undefined && tcId % 4 !== 0) continue;
        const context = bytes(ctx);
        const extraEntropy = rnd === undefined ? (false as const) : bytes(rnd);
        const native = attempt(() => sign(null, bytes(msg), { key: nativeExpanded(name, secretKey), context }));
        assert.equal(native !== undefined, result === 'valid', `native, case ${tcId}`);
        const noble = attempt(() => signers[name].sign(bytes(msg), secretKey, { context, extraEntropy }));
        // A key whose parts do not fit one another is refused by the native implementation alone.
        if (result === 'valid') {
          assert.equal(noble && hex(noble), sig?.toUpperCase(), `noble, case ${tcId}`);
          assert.ok(signers[name].verify(native!, bytes(msg), signers[name].getPublicKey(secretKey), { context }));
        }
        count += 1;
      }
    }
    assert.ok(count > 0, 'no case was tried');
  });
}

// ML-DSA of noble is slow: a thousand cases take ten seconds.
const cases = process.env['QFLARE_DEEP'] === undefined ? 24 : 1000;

test(`native and noble open and verify what the other made, of every size, in ${cases} random cases`, () => {
  const context = new TextEncoder().encode('qflare/envelope/v1');
  for (let i = 0; i < cases; i++) {
    const seed64 = crypto.getRandomValues(new Uint8Array(64));
    for (const name of Object.keys(kems) as (keyof typeof kems)[]) {
      const { publicKey, secretKey } = kems[name].keygen(seed64);
      const own = nativePrivate(name, seed64);
      assert.equal(hex(rawPublic(own)), hex(publicKey));
      const fromNative = encapsulate(nativePublic(name, publicKey)) as { sharedKey: Buffer; ciphertext: Buffer };
      assert.equal(hex(kems[name].decapsulate(fromNative.ciphertext, secretKey)), hex(fromNative.sharedKey));
      const { cipherText, sharedSecret } = kems[name].encapsulate(publicKey);
      assert.equal(hex(decapsulate(own, cipherText)), hex(sharedSecret));
      // Of a forged ciphertext both make the same other secret.
      cipherText[i % cipherText.length]! ^= 1 << (i % 8);
      const rejected = hex(decapsulate(own, cipherText));
      assert.equal(rejected, hex(kems[name].decapsulate(cipherText, secretKey)));
      assert.notEqual(rejected, hex(sharedSecret));
    }
    const name = (Object.keys(signers) as (keyof typeof signers)[])[i % 3]!;
    const seed = seed64.subarray(0, 32);
    const message = crypto.getRandomValues(new Uint8Array(i));
    const key = nativePrivate(name, seed);
    const noble = signers[name].keygen(seed);
    assert.equal(hex(rawPublic(key)), hex(noble.publicKey));
    assert.ok(signers[name].verify(sign(null, message, { key, context }), message, noble.publicKey, { context }));
    const signature = signers[name].sign(message, noble.secretKey, { context });
    assert.ok(verify(null, message, { key: createPublicKey(key), context }, signature));
    assert.ok(
      !verify(null, message, { key: createPublicKey(key), context: Buffer.from('qflare/session/v1') }, signature),
    );
  }
});

test("the round's key pair is X-Wing: noble makes the same public key of its seed", async () => {
  const pair = await createNodeCrypto().generateRoundKey();
  const secret = pair.exportSecret();
  assert.equal(hex(ml_kem768_x25519.keygen(secret.subarray(0, 32)).publicKey), hex(pair.publicKey));
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function takes(work: () => unknown): boolean {
  return (
    attempt(() => {
      work();
      return true;
    }) ?? false
  );
}
