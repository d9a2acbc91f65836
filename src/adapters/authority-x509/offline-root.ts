import 'reflect-metadata';
import { BasicConstraintsExtension, X509Certificate as ParsedCertificate, X509Crl } from '@peculiar/x509';
import { createHash, generateKeyPairSync, sign, X509Certificate } from '../../primitives/index.ts';
import { freshSerial } from './certificates.ts';
import { der, derValues } from './der.ts';

type Certificate = InstanceType<typeof X509Certificate>;

/** A root that lies offline: its private key (PKCS #8, PEM) and its certificate (PEM). */
export type OfflineRoot = { readonly key: string; readonly certificate: string };

const algorithm = 'slh-dsa-sha2-128s';
const dayMs = 86_400_000;
const skewMs = 300_000;
/** A path from a device to the root: the device, an authority, the one that vouches for it, the root. */
const pathMax = 4;

/**
 * Makes a root under SLH-DSA-SHA2-128s, hash-based: for a machine without a network, for decades.
 *
 * Source: FIPS 205; RFC 9909 for SLH-DSA in certificates (pure mode, no context, no parameters).
 */
export function createOfflineRoot(options: {
  readonly name: string;
  readonly nowMs: number;
  readonly years: number;
  readonly passphrase?: string | undefined;
}): OfflineRoot {
  const { name, nowMs, years, passphrase } = options;
  const { privateKey, publicKey } = generateKeyPairSync(algorithm);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const subject = der(0x30, der(0x31, der(0x30, oid.commonName, der(0x0c, Buffer.from(name)))));
  const sealing = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  const key = privateKey.export({ type: 'pkcs8', format: 'pem', ...sealing }) as string;
  const identifier = keyIdentifier(spki);
  const extensions = [
    extension(oid.basicConstraints, true, der(0x30, der(0x01, Buffer.of(0xff)), der(0x02, Buffer.of(2)))),
    extension(oid.keyUsage, true, der(0x03, Buffer.of(1, 0x06))),
    extension(oid.subjectKey, false, der(0x04, identifier)),
  ];
  const end = nowMs + years * 365 * dayMs;
  const parts = { issuer: subject, validity: validity(nowMs, end), subject, spki, extensions };
  return { key, certificate: signed(parts, key, passphrase) };
}

/**
 * The root's certificate for an authority: what vouches for its key where only the root is known.
 *
 * Errors: RangeError where the certificate is no authority's, or its own signature does not hold.
 */
export function signAuthority(
  root: OfflineRoot & { readonly passphrase?: string | undefined },
  authority: string,
  { nowMs, years }: { readonly nowMs: number; readonly years: number },
): string {
  const own = new X509Certificate(authority);
  const above = new X509Certificate(root.certificate);
  if (!own.ca || !own.verify(own.publicKey)) {
    throw new RangeError('Cannot sign the authority as its certificate must be its own and an authority’s: it is not');
  }
  const [, , , , , subject, spki, extensions] = bodyOf(own);
  const kept = derValues(derValues(extensions!.body)[0]!.body).filter(({ body }) => !isOf(oid.authorityKey, body));
  const identifier = keyIdentifier(above.publicKey.export({ type: 'spki', format: 'der' }));
  const parts = {
    issuer: bodyOf(above)[5]!.bytes,
    validity: validity(nowMs, Math.min(nowMs + years * 365 * dayMs, above.validToDate.getTime())),
    subject: subject!.bytes,
    spki: spki!.bytes,
    extensions: [
      ...kept.map(({ bytes }) => bytes),
      extension(oid.authorityKey, false, der(0x30, der(0x80, identifier))),
    ],
  };
  return signed(parts, root.key, root.passphrase);
}

/**
 * Why a certificate does not lead to a root; undefined where it does. This is our own check, as TLS never sees the root: each
 * step is a name, a key identifier, a signature, dates, the right to sign, and how many authorities may stand below.
 *
 * Promises: every way out but one is a refusal; what cannot be read is refused.
 */
export function chainProblem(
  certificate: string,
  { root, between, nowMs }: { readonly root: string; readonly between: readonly string[]; readonly nowMs: number },
): string | undefined {
  try {
    const top = new X509Certificate(root);
    const pool = between.map((pem) => new X509Certificate(pem));
    if (!top.publicKey.asymmetricKeyType?.startsWith('slh-dsa')) return 'the root is not under SLH-DSA';
    if (!isIssuedBy(top, top, 0) || !isInTime(top, nowMs)) return 'the root does not hold';
    let paths: readonly (readonly Certificate[])[] = [[new X509Certificate(certificate)]];
    for (let length = 1; length < pathMax; length++) {
      const live = paths.filter((path) => isInTime(path.at(-1)!, nowMs));
      if (live.some((path) => isIssuedBy(path.at(-1)!, top, path.length - 1))) return undefined;
      paths = live.flatMap((path) =>
        pool
          .filter((one) => !path.includes(one) && isIssuedBy(path.at(-1)!, one, path.length - 1))
          .map((one) => [...path, one]),
      );
    }
    return 'no way of signatures that hold now leads to the root';
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
}

/**
 * Why a list does not say that a certificate holds; undefined where it does. The list must be signed by who has issued the
 * certificate, and not be outdated: without one nothing is trusted.
 */
export async function revocationProblem(
  certificate: string,
  { list, between, nowMs }: { readonly list: string; readonly between: readonly string[]; readonly nowMs: number },
): Promise<string | undefined> {
  try {
    const own = new X509Certificate(certificate);
    const crl = new X509Crl(list);
    const issuers = between.map((pem) => new X509Certificate(pem)).filter((one) => isIssuedBy(own, one, 0));
    const signed = await Promise.all(
      issuers.map((one) => crl.verify({ publicKey: new ParsedCertificate(one.raw).publicKey })),
    );
    if (!signed.some((isSigned) => isSigned)) return 'the list is not signed by who has issued the certificate';
    if (crl.nextUpdate === undefined || crl.nextUpdate.getTime() < nowMs) return 'the list is outdated';
    const hit = crl.findRevoked(own.serialNumber.toLowerCase());
    return hit === null ? undefined : `it was revoked on ${hit.revocationDate.toISOString().slice(0, 10)}`;
  } catch (error) {
    return `the list cannot be read: ${(error as Error).message}`;
  }
}

/** Whether a certificate is signed by an authority that may have so many authorities below it. */
function isIssuedBy(certificate: Certificate, by: Certificate, below: number): boolean {
  if (!by.ca || !certificate.checkIssued(by) || !certificate.verify(by.publicKey)) return false;
  const room = new ParsedCertificate(by.raw).getExtension(BasicConstraintsExtension)?.pathLength;
  return room === undefined || below <= room;
}

function isInTime({ validFromDate, validToDate }: Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

type Parts = {
  readonly issuer: Uint8Array;
  readonly validity: Uint8Array;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly extensions: readonly Uint8Array[];
};

function signed(
  { issuer, validity: dates, subject, spki, extensions }: Parts,
  key: string,
  passphrase?: string,
): string {
  const identifier = der(0x30, oid.slhDsa);
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.from(freshSerial(), 'hex')),
    identifier,
    issuer,
    dates,
    subject,
    spki,
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign(null, body, { key, ...(passphrase === undefined ? {} : { passphrase }) });
  return new X509Certificate(der(0x30, body, identifier, der(0x03, Buffer.of(0), signature))).toString();
}

const oid = {
  slhDsa: Buffer.from('0609608648016503040314', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
  keyUsage: Buffer.from('0603551d0f', 'hex'),
  subjectKey: Buffer.from('0603551d0e', 'hex'),
  authorityKey: Buffer.from('0603551d23', 'hex'),
};

function bodyOf(certificate: Certificate) {
  return derValues(derValues(derValues(certificate.raw)[0]!.body)[0]!.body);
}

function isOf(id: Uint8Array, body: Uint8Array): boolean {
  return Buffer.compare(body.subarray(0, id.length), id) === 0;
}

function extension(id: Uint8Array, isCritical: boolean, value: Uint8Array): Buffer {
  return der(0x30, id, ...(isCritical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

/** RFC 7093, method 1: 160 bits of the SHA-256 of the key's bits. */
function keyIdentifier(spki: Uint8Array): Buffer {
  const bits = derValues(derValues(spki)[0]!.body)[1]!.body.subarray(1);
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

/** From a little before now, so that clocks may differ. Years from 2050 on are written with four digits (RFC 5280). */
function validity(fromMs: number, toMs: number): Buffer {
  const time = (ms: number) => {
    const digits = new Date(ms).toISOString().replace(/[-:T]|\..*$/g, '');
    const isLate = Number(digits.slice(0, 4)) >= 2050;
    return der(isLate ? 0x18 : 0x17, Buffer.from(`${isLate ? digits : digits.slice(2)}Z`));
  };
  return der(0x30, time(fromMs - skewMs), time(toMs));
}
