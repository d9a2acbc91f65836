import type { Kem } from '../core/protocol/kem.ts';
import type { Purpose } from '../core/protocol/purposes.ts';
import type { SignatureScheme } from '../core/protocol/signature-scheme.ts';

/** A device's or the coordinator's signing key. The private half stays inside the adapter's object. */
export type SigningKey = { readonly publicKey: Uint8Array; sign(purpose: Purpose, message: Uint8Array): Uint8Array };

/** The two halves of a sealed conversation: the value to send along, and the key that both sides derive. */
export type SealContext = { readonly enc: Uint8Array; readonly aead: Aead };

/** Chunks under one key. The nonce is chosen by the caller and never repeats under a key. */
export type Aead = {
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array;
  /** The same into memory that is there: ciphertext and tag fill `target`, which has 16 bytes more than the plaintext. */
  sealInto(nonce: Uint8Array, plaintext: Uint8Array, target: Uint8Array): void;
  /** The plaintext, or undefined when the tag does not match. */
  open(nonce: Uint8Array, ciphertext: Uint8Array, aad?: Uint8Array): Uint8Array | undefined;
};

/** A key that both sides hold already, and its name. Mixed into the key schedule, never used alone. */
export type PreSharedKey = { readonly key: Uint8Array; readonly id: Uint8Array };

/** The private half of a round's key pair. */
export type RoundKey = {
  readonly publicKey: Uint8Array;
  /** Seed and public key, for wrapping at rest. The caller wipes it. */
  exportSecret(): Uint8Array;
  /** Opens the conversation, or gives undefined when `enc` is malformed. A wrong `enc` or pre-shared key shows at the first chunk. */
  open(enc: Uint8Array, info: Uint8Array, psk?: PreSharedKey): Promise<Aead | undefined>;
};

/** Every primitive the protocol uses. No path leads from a failed check to a weaker one. */
export type Crypto = {
  sha256(bytes: Uint8Array): Uint8Array;
  randomBytes(count: number): Uint8Array;
  /** AES-256-GCM under a key of 32 bytes, with a tag of 16 bytes at the end. */
  aead(key: Uint8Array): Aead;
  /** A fresh key of a scheme; ML-DSA-65 unless named. */
  generateSigningKey(scheme?: SignatureScheme): SigningKey & { exportSeed(): Uint8Array };
  /** The key of a seed, whose length says the scheme. */
  importSigningKey(seed: Uint8Array): SigningKey;
  /** Whether every part of the public key's scheme has signed. */
  verify(publicKey: Uint8Array, purpose: Purpose, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** A fresh key of a KEM; MLKEM768-X25519 unless named. */
  generateRoundKey(kem?: Kem): Promise<RoundKey>;
  /** The key of an exported secret, whose length says the KEM. */
  importRoundKey(secret: Uint8Array): Promise<RoundKey>;
  /** Encapsulates to a round's public key, whose length says the KEM. */
  seal(publicKey: Uint8Array, info: Uint8Array, psk?: PreSharedKey): Promise<SealContext>;
  /** Constant-time equality of two byte strings. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
};
