import type { KeyObject } from 'node:crypto';
import { preimageOf, type Purpose } from '../core/protocol/purposes.ts';
import {
  partMessage,
  partsOfScheme,
  schemeBytes,
  schemeOf,
  seedMark87,
  type SignatureAlgorithm,
  signatureSchemeDefault,
  signatureSchemes,
} from '../core/protocol/signature-scheme.ts';
import { type Kem, kemDefault, kemOf, kems } from '../core/protocol/kem.ts';
import { aeadTagBytes } from '../core/protocol/suite.ts';
import type { Aead, Crypto, PreSharedKey, RoundKey, SigningKey } from '../ports/crypto.ts';
import { nodePrimitives, type Primitives } from '../primitives/node-primitives.ts';
import { requireSound, testHpke } from '../primitives/self-test.ts';

const bulkLabel = new TextEncoder().encode('qflare/bulk/v1');
/** Of either KEM. */
const roundSeedBytes = 32;
const publicKeysMax = 4096;
const sealPartBytes = 1 << 16;

/** As `createNodeCrypto`, with every self-test done: what a process that runs for long starts with. */
export async function startNodeCrypto(primitives: Primitives = nodePrimitives): Promise<Crypto> {
  const crypto = createNodeCrypto(primitives);
  await soundSuite(primitives, kemDefault);
  return crypto;
}

const soundHpke = new WeakMap<Primitives, Promise<void>>();

/** HPKE, once it has given its known answer. */
async function soundSuite(primitives: Primitives, kem: Kem): Promise<ReturnType<Primitives['createHpke']>> {
  if (!soundHpke.has(primitives)) soundHpke.set(primitives, testHpke(primitives));
  await soundHpke.get(primitives);
  return primitives.createHpke(kem);
}

/**
 * The primitives of Node (OpenSSL ≥ 3.5) and HPKE over its WebCrypto: the one module that wraps them all.
 *
 * Errors: SelfTestError when a primitive does not give its known answer, here or at the first use of HPKE.
 */
export function createNodeCrypto(primitives: Primitives = nodePrimitives): Crypto {
  const { createHash, createPublicKey, randomBytes, sign, timingSafeEqual, verify } = primitives;
  requireSound(primitives);
  const hpkeOf = (kem: Kem) => soundSuite(primitives, kem);
  const publicKeys = new Map<string, KeyObject>();
  const forms = signingForms(primitives);

  // Importing a key halves the throughput of verification, so the last ones are kept.
  function publicKeyOf(algorithm: SignatureAlgorithm, bytes: Uint8Array): KeyObject {
    const id = `${algorithm} ${bytes.toBase64()}`;
    const known = publicKeys.get(id);
    if (known !== undefined) return known;
    const key = createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: algorithm });
    if (publicKeys.size >= publicKeysMax) publicKeys.clear();
    publicKeys.set(id, key);
    return key;
  }

  async function roundKey(kem: Kem, pair: { publicKey: unknown; privateKey: unknown }): Promise<RoundKey> {
    const hpke = await hpkeOf(kem);
    const keys = pair as Awaited<ReturnType<typeof hpke.GenerateKeyPair>>;
    const publicKey = await hpke.SerializePublicKey(keys.publicKey);
    const seed = await hpke.SerializePrivateKey(keys.privateKey);
    return {
      publicKey,
      exportSecret: () => Buffer.concat([seed, publicKey]),
      open: async (enc, info, psk) => {
        if (enc.length !== kems[kem].encBytes) return undefined;
        try {
          const recipient = await hpke.SetupRecipient(keys, enc, { info, ...pskOptions(psk) });
          return aead(await recipient.Export(bulkLabel, 32));
        } catch {
          return undefined;
        }
      },
    };
  }

  function signingKey(seed: Uint8Array): SigningKey {
    const scheme = schemeOf('seedBytes', seed.length);
    if (scheme === undefined) {
      throw new RangeError(
        `Cannot use a signing key as its seed must be of a known scheme: it has ${seed.length} bytes`,
      );
    }
    const parts = partsOfScheme(scheme, 'seedBytes', seed);
    const keys = parts.map(({ algorithm, bytes }) => ({ algorithm, key: forms.privateKey(algorithm, bytes) }));
    const publicKey = Buffer.concat(keys.map(({ key }) => createPublicKey(key).export({ format: 'raw-public' })));
    return {
      publicKey,
      sign(purpose: Purpose, message) {
        const bytes = partMessage(scheme, publicKey, preimageOf(purpose, message));
        const signatures = keys.map(({ algorithm, key }) =>
          sign(null, bytes, { key, ...forms.context(algorithm, purpose) }),
        );
        return signatures.length === 1 ? signatures[0]! : Buffer.concat(signatures);
      },
    };
  }

  function aead(key: Uint8Array): Aead {
    return {
      seal(nonce, plaintext, aad) {
        const cipher = primitives.createCipheriv('aes-256-gcm', key, nonce);
        if (aad !== undefined) cipher.setAAD(aad);
        return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      },
      sealInto(nonce, plaintext, target) {
        const cipher = primitives.createCipheriv('aes-256-gcm', key, nonce);
        // Each part comes in fresh memory of OpenSSL's caller: small ones are used again and stay in the cache.
        for (let at = 0; at < plaintext.length; at += sealPartBytes) {
          target.set(cipher.update(plaintext.subarray(at, at + sealPartBytes)), at);
        }
        cipher.final();
        target.set(cipher.getAuthTag(), plaintext.length);
      },
      open(nonce, ciphertext, aad) {
        if (ciphertext.length < aeadTagBytes) return undefined;
        const decipher = primitives.createDecipheriv('aes-256-gcm', key, nonce);
        if (aad !== undefined) decipher.setAAD(aad);
        decipher.setAuthTag(ciphertext.subarray(ciphertext.length - aeadTagBytes));
        const plaintext = decipher.update(ciphertext.subarray(0, ciphertext.length - aeadTagBytes));
        try {
          decipher.final();
          return plaintext;
        } catch {
          return undefined;
        }
      },
    };
  }

  return {
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    randomBytes: (count) => randomBytes(count),
    isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),

    generateSigningKey(scheme = signatureSchemeDefault) {
      const seed = Buffer.concat(signatureSchemes[scheme].map(forms.freshSeed));
      return { ...signingKey(seed), exportSeed: () => seed };
    },
    importSigningKey: signingKey,

    async verify(publicKey, purpose, message, signature) {
      const scheme = schemeOf('publicKeyBytes', publicKey.length);
      if (scheme === undefined || signature.length !== schemeBytes(scheme, 'signatureBytes')) return false;
      const bytes = partMessage(scheme, publicKey, preimageOf(purpose, message));
      const keys = partsOfScheme(scheme, 'publicKeyBytes', publicKey);
      // Every part is verified, whatever the others say.
      const verdicts = await Promise.all(
        partsOfScheme(scheme, 'signatureBytes', signature).map(({ algorithm, bytes: part }, i) => {
          const key = { key: publicKeyOf(algorithm, keys[i]!.bytes), ...forms.context(algorithm, purpose) };
          return new Promise<boolean>((resolve) => {
            verify(null, bytes, key, part, (error, isValid) => resolve(error === null && isValid));
          });
        }),
      );
      return verdicts.every((isValid) => isValid);
    },

    aead,
    generateRoundKey: async (kem = kemDefault) => roundKey(kem, await (await hpkeOf(kem)).GenerateKeyPair(true)),
    async importRoundKey(secret) {
      const [seed, raw] = [secret.subarray(0, roundSeedBytes), secret.subarray(roundSeedBytes)];
      const kem = knownKem(raw);
      const hpke = await hpkeOf(kem);
      const privateKey = await hpke.DeserializePrivateKey(seed, true);
      return roundKey(kem, { privateKey, publicKey: await hpke.DeserializePublicKey(raw) });
    },

    async seal(publicKey, info, psk) {
      const hpke = await hpkeOf(knownKem(publicKey));
      const recipient = await hpke.DeserializePublicKey(publicKey);
      const { encapsulatedSecret, ctx } = await hpke.SetupSender(recipient, { info, ...pskOptions(psk) });
      return { enc: encapsulatedSecret, aead: aead(await ctx.Export(bulkLabel, 32)) };
    },
  };
}

function knownKem(publicKey: Uint8Array): Kem {
  const kem = kemOf(publicKey.length);
  if (kem !== undefined) return kem;
  throw new RangeError(`Cannot use a round's key as it must be of a known KEM: it has ${publicKey.length} bytes`);
}

/** How Node takes the algorithms of signatures: ML-DSA with a context, Ed25519 (RFC 8032) without. */
function signingForms({ createPrivateKey, generateKeyPairSync }: Primitives) {
  const secretForm = { ed25519: 'raw-private', 'ml-dsa-65': 'raw-seed', 'ml-dsa-87': 'raw-seed' } as const;
  return {
    privateKey(algorithm: SignatureAlgorithm, seed: Uint8Array) {
      const isMarked = algorithm === 'ml-dsa-87';
      if (isMarked && seed[0] !== seedMark87) {
        throw new RangeError(
          `Cannot use a seed of ML-DSA-87 as its first byte must be ${seedMark87}: it is ${seed[0]}`,
        );
      }
      const key = Buffer.from(isMarked ? seed.subarray(1) : seed);
      return createPrivateKey({ key, format: secretForm[algorithm], asymmetricKeyType: algorithm });
    },
    freshSeed(algorithm: SignatureAlgorithm): Uint8Array {
      const { privateKey } = generateKeyPairSync(algorithm as 'ed25519');
      const seed = privateKey.export({ format: secretForm[algorithm] as 'raw-private' });
      return algorithm === 'ml-dsa-87' ? Buffer.concat([Uint8Array.of(seedMark87), seed]) : seed;
    },
    context: (algorithm: SignatureAlgorithm, purpose: Purpose) =>
      algorithm === 'ed25519' ? {} : { context: Buffer.from(purpose) },
  };
}

/** HPKE takes base mode or `mode_psk` from what is there. */
function pskOptions(psk: PreSharedKey | undefined) {
  return psk === undefined ? {} : { psk: psk.key, pskId: psk.id };
}
