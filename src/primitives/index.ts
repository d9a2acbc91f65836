/**
 * The one module that cryptographic primitives come from: Node's (OpenSSL), each behind the known-answer self-tests of all
 * of them. They run at the first use in a process; when one fails, every use fails.
 *
 * Errors: SelfTestError at a use, when the machine's cryptography does not give its known answers.
 */
import { KeyObject as NodeKeyObject, webcrypto, X509Certificate as NodeX509Certificate } from 'node:crypto';
import { nodePrimitives, type Primitives } from './node-primitives.ts';
import { requireSound } from './self-test.ts';

/** A primitive that works once all of them have given their known answers. */
function tested<Name extends keyof Primitives>(name: Name): Primitives[Name] {
  const primitive = nodePrimitives[name] as (...args: readonly unknown[]) => unknown;
  return ((...args: readonly unknown[]) => {
    requireSound(nodePrimitives);
    return primitive(...args);
  }) as Primitives[Name];
}

export const argon2 = tested('argon2');
export const createCipheriv = tested('createCipheriv');
export const createDecipheriv = tested('createDecipheriv');
export const createHash = tested('createHash');
export const generateKeyPairSync = tested('generateKeyPairSync');
export const hash = tested('hash');
export const hkdfSync = tested('hkdfSync');
export const randomBytes = tested('randomBytes');
export const randomFillSync = tested('randomFillSync');
export const sign = tested('sign');
export const timingSafeEqual = tested('timingSafeEqual');
export const verify = tested('verify');

/** WebCrypto over the same OpenSSL, for certificates. */
export function testedWebCrypto(): typeof webcrypto {
  requireSound(nodePrimitives);
  return webcrypto;
}

/** Keys and certificates as Node holds them: forms, not algorithms. */
export const KeyObject = NodeKeyObject;
export const X509Certificate = NodeX509Certificate;
