import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { KeyObject, testedWebCrypto } from '../primitives/index.ts';
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

const algorithms = {
  'ML-DSA-65': { name: 'ML-DSA-65' },
  'ML-DSA-87': { name: 'ML-DSA-87' },
  'ECDSA-P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
} as const;

/**
 * A key of its own for TLS connections and the signed request for its certificate (PKCS #10). It is not the key that signs
 * envelopes: X.509 signs with the empty context, and a key has one purpose.
 */
export async function createCertificateRequest(
  subject: string,
  algorithm: keyof typeof algorithms = 'ML-DSA-65',
): Promise<{ readonly key: string; readonly request: string }> {
  const ours = testedWebCrypto();
  cryptoProvider.set(ours as Crypto);
  const parameters = algorithms[algorithm] as unknown as EcKeyGenParams & EcdsaParams;
  const keys = (await ours.subtle.generateKey(parameters, true, ['sign', 'verify'])) as unknown as CryptoKeyPair;
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [subject] }],
    keys,
    signingAlgorithm: parameters,
  });
  const key = KeyObject.from(keys.privateKey as unknown as webcrypto.CryptoKey);
  return { key: key.export({ type: 'pkcs8', format: 'pem' }) as string, request: request.toString('pem') };
}
