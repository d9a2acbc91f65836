import {
  argon2,
  argon2Sync,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  generateKeyPairSync,
  hash,
  hkdfSync,
  randomBytes,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { AEAD_AES_256_GCM, CipherSuite } from 'hpke';
import { kdfHkdfSha256, kdfHkdfSha384, kemMlkem1024P384, kemMlkem768X25519 } from './hybrid-kem.ts';

const hpke = {
  'MLKEM768-X25519': () => new CipherSuite(kemMlkem768X25519, kdfHkdfSha256, AEAD_AES_256_GCM),
  'MLKEM1024-P384': () => new CipherSuite(kemMlkem1024P384, kdfHkdfSha384, AEAD_AES_256_GCM),
} as const;

/** A KEM by its name in the suites. */
export type HpkeKem = keyof typeof hpke;

/** Everything that is taken from Node and from HPKE, as one value: the self-test sees what is used. */
export const nodePrimitives = {
  argon2,
  argon2Sync,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  generateKeyPairSync,
  hash,
  hkdfSync,
  randomBytes,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
  createHpke: (kem: HpkeKem) => hpke[kem](),
};

export type Primitives = typeof nodePrimitives;
