import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { KeyObject, randomBytes, testedWebCrypto } from '../primitives/index.ts';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { KeySourceTlsProfile } from '../ports/key-source.ts';

/** A certificate and its key, as PEM. */
export type KmeIdentity = { readonly cert: string; readonly key: string };

/** Who may speak to a key management entity: a certificate for each SAE, whose common name and URI `sae:ID` are its SAE id. */
export type KmeAuthority = {
  readonly ca: string;
  issue(name: string): Promise<KmeIdentity>;
};

const algorithms = {
  'post-quantum': { name: 'ML-DSA-65' },
  classical: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const satisfies Record<KeySourceTlsProfile, object>;

const validityMs = 365 * 86_400_000;

/** Makes an authority for a simulated key management entity. Its own key is forgotten with this process. */
export async function createKmeAuthority(profile: KeySourceTlsProfile, nowMs: number): Promise<KmeAuthority> {
  cryptoProvider.set(testedWebCrypto() as Crypto);
  const algorithm = algorithms[profile] as EcdsaParams & EcKeyGenParams;
  const validity = { notBefore: new Date(nowMs - 3_600_000), notAfter: new Date(nowMs + validityMs) };
  const newKeys = async () =>
    (await testedWebCrypto().subtle.generateKey(algorithm, true, ['sign', 'verify'])) as unknown as CryptoKeyPair;
  const own = await newKeys();
  const authority: X509Certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=QFLARE simulated KME authority',
    ...validity,
    keys: own,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  return {
    ca: authority.toString('pem'),
    async issue(name) {
      const keys = await newKeys();
      const cert = await X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${name}`,
        issuer: authority.subject,
        ...validity,
        publicKey: keys.publicKey,
        signingKey: own.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
            { type: 'url', value: `sae:${name}` },
          ]),
        ],
      });
      const key = KeyObject.from(keys.privateKey as unknown as webcrypto.CryptoKey);
      return { cert: cert.toString('pem'), key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
    },
  };
}

function serial(): string {
  return `1${randomBytes(15).toString('hex')}`;
}
