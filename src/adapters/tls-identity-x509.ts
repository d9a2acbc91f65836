import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { KeyObject, testedWebCrypto, X509Certificate } from '../primitives/index.ts';
import { createHash, randomBytes } from '../primitives/index.ts';
import { cryptoProvider, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

/** A server's TLS key and certificate, and the pin that links carry. */
export type ServerIdentity = { readonly key: string; readonly cert: string; readonly pin: string };

const algorithms = {
  'ML-DSA-65': { name: 'ML-DSA-65' },
  'ML-DSA-87': { name: 'ML-DSA-87' },
  'ECDSA-P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
} as const;

/** Makes a key and a self-made certificate. Clients trust it by the pin in their link, not by a chain. */
export async function createServerIdentity(
  names: readonly string[],
  nowMs: number,
  signature: keyof typeof algorithms = 'ML-DSA-65',
): Promise<ServerIdentity> {
  cryptoProvider.set(testedWebCrypto() as Crypto);
  const algorithm = algorithms[signature] as unknown as EcdsaParams & EcKeyGenParams;
  const keys = (await testedWebCrypto().subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as unknown as CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16)
      .toString('hex')
      .replace(/^[89a-f]/, '1'),
    name: 'CN=QFLARE coordinator',
    notBefore: new Date(nowMs - 3_600_000),
    notAfter: new Date(nowMs + 5 * 365 * 86_400_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
  });
  const cert = certificate.toString('pem');
  const key = KeyObject.from(keys.privateKey as unknown as webcrypto.CryptoKey).export({
    type: 'pkcs8',
    format: 'pem',
  });
  return { key: key as string, cert, pin: pinOf(cert) };
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo, in hexadecimal. */
export function pinOf(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
