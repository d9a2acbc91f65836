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
import { kdfHkdfSha256, kemMlkem768X25519 } from './hybrid-kem.ts';

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
  createHpke: () => new CipherSuite(kemMlkem768X25519, kdfHkdfSha256, AEAD_AES_256_GCM),
};

export type Primitives = typeof nodePrimitives;
