import { schemeBytes, type SignatureScheme } from './signature-scheme.ts';

/** What the suites are made of. */
const hybrid = {
  kem: 'MLKEM768-X25519',
  kdf: 'HKDF-SHA256',
  aead: 'AES-256-GCM',
  seedBytes: 32,
  encBytes: 1120,
  publicKeyBytes: 1216,
} as const;

/** How devices sign under a suite. */
function signedBy<Scheme extends SignatureScheme>(signature: Scheme) {
  const bytes = (size: 'signatureBytes' | 'publicKeyBytes') => schemeBytes(signature, size);
  return { signature, signatureBytes: bytes('signatureBytes'), signingKeyBytes: bytes('publicKeyBytes') } as const;
}

/**
 * The cryptographic suites by their number on the wire. There is no negotiation: the plan names one, and anything
 * else is refused. Under 3 and 4 devices sign with Ed25519 and ML-DSA-65, and both must verify. A suite with QKD has the same primitives and a pre-shared key in the key schedule besides (HPKE
 * `mode_psk`); it has a number of its own, so that leaving the key out is seen and signed.
 *
 * Source: draft-ietf-hpke-pq-05 (KEM 0x647a), FIPS 203, FIPS 204, RFC 9180.
 */
export const suites = {
  1: { ...hybrid, ...signedBy('ML-DSA-65'), hasQkd: false },
  2: { ...hybrid, ...signedBy('ML-DSA-65'), hasQkd: true },
  3: { ...hybrid, ...signedBy('Ed25519+ML-DSA-65'), hasQkd: false },
  4: { ...hybrid, ...signedBy('Ed25519+ML-DSA-65'), hasQkd: true },
} as const;

export type SuiteId = keyof typeof suites;

export const suiteDefault: PlainSuiteId = 1;

/** A plan's suite with a QKD key mixed in. */
export const suiteWithQkd = { 1: 2, 3: 4 } as const satisfies Partial<Record<SuiteId, SuiteId>>;

/** What a plan may name: a suite without QKD, which has one with QKD beside it. */
export type PlainSuiteId = keyof typeof suiteWithQkd;

export const plainSuiteIds = Object.keys(suiteWithQkd).map(Number) as PlainSuiteId[];

export const aeadTagBytes = 16;
export const aeadNonceBytes = 12;

/** Whether a device's public key is of the scheme that a plan's suite demands: no other one is taken, stronger or weaker. */
export function isOfSuite(suite: PlainSuiteId, publicKey: Uint8Array): boolean {
  return publicKey.length === suites[suite].signingKeyBytes;
}
