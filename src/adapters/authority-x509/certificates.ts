import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, testedWebCrypto } from '../../primitives/index.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  type Extension as AnyExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509';
import type { CertificateRecord } from '../../ports/authority.ts';

cryptoProvider.set(testedWebCrypto() as Crypto);

export const certificateAlgorithms = ['ML-DSA-65', 'ML-DSA-87', 'ECDSA-P-384'] as const;
export type CertificateAlgorithm = (typeof certificateAlgorithms)[number];

const parameters = {
  'ML-DSA-65': { name: 'ML-DSA-65' },
  'ML-DSA-87': { name: 'ML-DSA-87' },
  'ECDSA-P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
} as const satisfies Record<CertificateAlgorithm, object>;

/** What signs: a key with the certificate that names it. */
export type Signer = {
  readonly algorithm: CertificateAlgorithm;
  readonly key: Uint8Array;
  readonly certificate: string;
};
type Validity = { readonly notBeforeMs: number; readonly notAfterMs: number };

/** A fresh private key, PKCS #8. */
export function freshKey(algorithm: CertificateAlgorithm): Uint8Array {
  const { privateKey } =
    algorithm === 'ECDSA-P-384'
      ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
      : generateKeyPairSync(algorithm === 'ML-DSA-65' ? 'ml-dsa-65' : 'ml-dsa-87');
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}

/** 127 random bits and a leading one: never zero, never negative, never with leading zeros. */
export function freshSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** The certificate of an authority for its key: by itself, or by another authority that vouches for it. */
export async function authorityCertificate(
  own: { readonly algorithm: CertificateAlgorithm; readonly key: Uint8Array; readonly name: string } & Validity,
  by?: Signer,
): Promise<string> {
  const keys = await keyPair(own.algorithm, own.key);
  const signer = by === undefined ? keys : await keyPair(by.algorithm, by.key);
  const issuer = by === undefined ? own.name : new X509Certificate(by.certificate).subject;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: freshSerial(),
    subject: own.name,
    issuer,
    ...datesOf(own),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: parameters[by?.algorithm ?? own.algorithm] as EcdsaParams,
    extensions: [
      // One authority below: what a cross certificate needs.
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** The public key of a request whose own signature holds, and its algorithm; undefined for anything else. */
export async function readRequest(
  text: string,
): Promise<
  { readonly publicKey: Pkcs10CertificateRequest['publicKey']; readonly algorithm: CertificateAlgorithm } | undefined
> {
  try {
    const request = new Pkcs10CertificateRequest(text);
    const { name, namedCurve } = request.publicKey.algorithm as { name: string; namedCurve?: string };
    const algorithm = certificateAlgorithms.find(
      (id) => id === (namedCurve === undefined ? name : `${name}-${namedCurve}`),
    );
    if (algorithm === undefined || !(await request.verify())) return undefined;
    return { publicKey: request.publicKey, algorithm };
  } catch {
    // Whatever a stranger sent: it is no request.
    return undefined;
  }
}

/** A certificate for a device to open TLS connections with, and for nothing else. */
export async function clientCertificate(
  signer: Signer,
  leaf: {
    readonly publicKey: Pkcs10CertificateRequest['publicKey'];
    readonly subject: string;
    readonly serial: string;
  } & Validity,
): Promise<string> {
  const keys = await keyPair(signer.algorithm, signer.key);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: leaf.serial,
    subject: [{ CN: [leaf.subject] }],
    issuer: new X509Certificate(signer.certificate).subject,
    ...datesOf(leaf),
    publicKey: leaf.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: parameters[signer.algorithm] as EcdsaParams,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      await AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** The signed list of an authority's revoked certificates (RFC 5280, section 5), with its number. */
export async function revocationList(
  signer: Signer,
  list: {
    readonly number: number;
    readonly thisUpdateMs: number;
    readonly nextUpdateMs: number;
    readonly revoked: readonly CertificateRecord[];
  },
): Promise<string> {
  const keys = await keyPair(signer.algorithm, signer.key);
  const extensions: AnyExtension[] = [
    await AuthorityKeyIdentifierExtension.create(keys.publicKey),
    new Extension(crlNumberId, false, derInteger(list.number)),
  ];
  const crl = await X509CrlGenerator.create({
    issuer: new X509Certificate(signer.certificate).subject,
    thisUpdate: new Date(list.thisUpdateMs),
    nextUpdate: new Date(list.nextUpdateMs),
    entries: list.revoked.map(({ serial, revokedAtMs, reason }) => ({
      serialNumber: serial,
      revocationDate: new Date(revokedAtMs!),
      reason: X509CrlReason[reason!],
    })),
    signingKey: keys.privateKey,
    signingAlgorithm: parameters[signer.algorithm] as EcdsaParams,
    extensions,
  });
  // The library's own label is not the one that OpenSSL reads.
  return `${PemConverter.encode(crl.rawData, 'X509 CRL')}\n`;
}

const crlNumberId = '2.5.29.20';

/** A non-negative integer in DER. */
function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 0x7f ? `00${even}` : even, 'hex');
  return Uint8Array.from([2, bytes.length, ...bytes]);
}

async function keyPair(algorithm: CertificateAlgorithm, pkcs8: Uint8Array): Promise<CryptoKeyPair> {
  const { subtle } = testedWebCrypto();
  const privateKey = await subtle.importKey('pkcs8', Buffer.from(pkcs8), parameters[algorithm] as never, true, [
    'sign',
  ]);
  const publicKey = await subtle.getPublicKey(privateKey, ['verify']);
  return { privateKey, publicKey } as unknown as CryptoKeyPair;
}

function datesOf({ notBeforeMs, notAfterMs }: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) };
}
