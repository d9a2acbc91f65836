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
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke';

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
  createHpke: () => new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM),
};

export type Primitives = typeof nodePrimitives;
