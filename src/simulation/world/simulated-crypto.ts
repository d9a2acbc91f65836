import { hash } from '../../primitives/index.ts';
import { concatBytes } from '@noble/hashes/utils.js';
import { type Announcer, createAnnouncer } from '../../coordinator/announcer.ts';
import type { CertifiedRun } from '../../core/protocol/key-certificate.ts';
import { schemeBytes, schemeOf, signatureSchemeDefault } from '../../core/protocol/signature-scheme.ts';
import { type Kem, kemDefault, kemOf, kems } from '../../core/protocol/kem.ts';
import { aeadTagBytes } from '../../core/protocol/suite.ts';
import type { Rng } from '../../core/random/rng.ts';
import type { ProofKeys } from '../../ports/proof-keys.ts';
import type { Aead, Crypto, PreSharedKey, RoundKey, SigningKey } from '../../ports/crypto.ts';

/** Of a round's key, and of a signing key. */
const seedBytes = 32;

/**
 * SIMULATED cryptography: the sizes and the failures of the real suite, and NO security at all. Anybody can forge its
 * signatures and read what it seals; it notices every change and every mix-up of keys, purposes and contexts. It exists so
 * that a world is a function of its seed, which real cryptography is not (signing and encapsulation draw their own
 * randomness), and so that thousands of seeds are cheap. No production code can import this folder.
 */
export function createSimulatedCrypto(rng: Rng): Crypto {
  const randomBytes = bytesFrom(rng);
  // Streams of their own: the real suite draws these elsewhere, and what is left must not move.
  const keyBytes = bytesFrom(rng.child('round-keys'));
  const encBytes = bytesFrom(rng.child('encapsulations'));
  return {
    sha256,
    randomBytes,
    isEqual: (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]),
    generateSigningKey(scheme = signatureSchemeDefault) {
      const seed = randomBytes(schemeBytes(scheme, 'seedBytes'));
      return { ...signingKey(seed), exportSeed: () => seed };
    },
    importSigningKey: signingKey,
    async verify(publicKey, purpose, message, signature) {
      const scheme = schemeOf('publicKeyBytes', publicKey.length);
      return (
        scheme !== undefined &&
        signature.length === schemeBytes(scheme, 'signatureBytes') &&
        isStretchOf(signature, signatureSeed(publicKey, purpose, message))
      );
    },
    aead: createAead,
    generateRoundKey: async (kem = kemDefault) => roundKey(kem, keyBytes(seedBytes)),
    importRoundKey: async (secret) => roundKey(kemOf(secret.length - seedBytes)!, secret.slice(0, seedBytes)),
    async seal(publicKey, info, psk) {
      const enc = stretch(encBytes(32), kems[kemOf(publicKey.length)!].encBytes);
      return { enc, aead: createAead(digest('key', publicKey, enc, info, ...pskParts(psk))) };
    },
  };
}

/** A coordinator's proof keys from the world's seed. */
export function simulatedProofKeys({ importSigningKey }: Pick<Crypto, 'importSigningKey'>, rng: Rng): ProofKeys {
  const seedOf = (name: string) => bytesFrom(rng.child('proof-keys', name))(seedBytes);
  return {
    treeHead: importSigningKey(seedOf('tree-head')),
    modelCard: importSigningKey(seedOf('model-card')),
    exportList: importSigningKey(seedOf('export-list')),
    pseudonym: seedOf('pseudonym'),
  };
}

/** A coordinator's announcement key and the root key above it, from the world's seed. */
export function simulatedAnnouncer(
  { importSigningKey }: Pick<Crypto, 'importSigningKey'>,
  rng: Rng,
  run: CertifiedRun,
): Announcer {
  const keyOf = (name: string) => importSigningKey(bytesFrom(rng.child(name))(seedBytes));
  return createAnnouncer(keyOf('root-key'), run, keyOf('signing-key'));
}

/** Bytes from a seeded stream, in place of the secret ones that a simulated world must not draw. */
export function bytesFrom(rng: Rng): (count: number) => Uint8Array {
  return (count) => {
    const words = Uint32Array.from({ length: Math.ceil(count / 4) }, () => rng.uint32());
    return new Uint8Array(words.buffer, 0, count);
  };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

function digest(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const lengths = Uint32Array.from(parts, (part) => part.length);
  return sha256(concatBytes(new TextEncoder().encode(`simulated/${label}/`), new Uint8Array(lengths.buffer), ...parts));
}

/** A value of the real one's size that 32 bytes decide: a repetition of them. */
function stretch(seed: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  bytes.set(seed.subarray(0, count));
  // What is there doubles: a copy of the first bytes each time.
  for (let filled = seed.length; filled < count; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return bytes;
}

function isStretchOf(bytes: Uint8Array, seed: Uint8Array): boolean {
  return Buffer.compare(bytes, stretch(seed, bytes.length)) === 0;
}

function signatureSeed(publicKey: Uint8Array, purpose: string, message: Uint8Array): Uint8Array {
  return digest('signature', publicKey.subarray(0, 32), new TextEncoder().encode(purpose), message);
}

function signingKey(seed: Uint8Array): SigningKey {
  const scheme = schemeOf('seedBytes', seed.length) ?? signatureSchemeDefault;
  const publicKey = stretch(digest('signing-key', seed), schemeBytes(scheme, 'publicKeyBytes'));
  const bytes = schemeBytes(scheme, 'signatureBytes');
  return {
    publicKey,
    sign: (purpose, message) => stretch(signatureSeed(publicKey, purpose, message), bytes),
  };
}

function roundKey(kem: Kem, seed: Uint8Array): RoundKey {
  const publicKey = stretch(digest('round-key', seed), kems[kem].publicKeyBytes);
  return {
    publicKey,
    exportSecret: () => concatBytes(seed, publicKey),
    open: async (enc, info, psk) =>
      enc.length === kems[kem].encBytes ? createAead(digest('key', publicKey, enc, info, ...pskParts(psk))) : undefined,
  };
}

function pskParts(psk: PreSharedKey | undefined): readonly Uint8Array[] {
  return psk === undefined ? [] : [psk.key, psk.id];
}

/** Plaintext and a tag over key, nonce and plaintext. */
function createAead(key: Uint8Array): Aead {
  const tagOf = (nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array = new Uint8Array()) =>
    digest('tag', key, nonce, plaintext, aad).subarray(0, aeadTagBytes);
  return {
    seal: (nonce, plaintext, aad) => concatBytes(plaintext, tagOf(nonce, plaintext, aad)),
    sealInto: (nonce, plaintext, target) => target.set(concatBytes(plaintext, tagOf(nonce, plaintext))),
    open(nonce, ciphertext, aad) {
      if (ciphertext.length < aeadTagBytes) return undefined;
      const plaintext = ciphertext.slice(0, ciphertext.length - aeadTagBytes);
      const tag = ciphertext.subarray(ciphertext.length - aeadTagBytes);
      return Buffer.compare(tag, tagOf(nonce, plaintext, aad)) === 0 ? plaintext : undefined;
    },
  };
}
