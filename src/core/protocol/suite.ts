import { kems, type Kem } from './kem.ts';
import { schemeBytes, type SignatureScheme } from './signature-scheme.ts';

/** What envelopes are sealed with under a suite. */
function sealedBy<Id extends Kem>(kem: Id) {
  return { kem, aead: 'AES-256-GCM', ...kems[kem] } as const;
}

/** How devices sign under a suite. */
function signedBy<Scheme extends SignatureScheme>(signature: Scheme) {
  const bytes = (size: 'signatureBytes' | 'publicKeyBytes') => schemeBytes(signature, size);
  return { signature, signatureBytes: bytes('signatureBytes'), signingKeyBytes: bytes('publicKeyBytes') } as const;
}

/** All that is the same with and without QKD. `provedBy` signs what proves afterwards: tree heads, model cards, lists of exports. */
const hybrid = { ...sealedBy('MLKEM768-X25519'), ...signedBy('ML-DSA-65'), provedBy: 'ML-DSA-65' } as const;
const dual = { ...sealedBy('MLKEM768-X25519'), ...signedBy('Ed25519+ML-DSA-65'), provedBy: 'ML-DSA-65' } as const;
const cnsa = { ...sealedBy('MLKEM1024-P384'), ...signedBy('ML-DSA-87'), provedBy: 'ML-DSA-87' } as const;

/**
 * The cryptographic suites by their number on the wire. There is no negotiation: the plan names one, and anything
 * else is refused. What a coordinator announces is signed as devices sign. Under 3 and 4 that is Ed25519 and ML-DSA-65, and
 * both must verify; 5 and 6 are those of the profile "cnsa-style". A suite with QKD has the same primitives and a pre-shared
 * key in the key schedule besides (HPKE `mode_psk`); it has a number of its own, so that leaving the key out is seen and
 * signed.
 *
 * Source: draft-ietf-hpke-pq-05 (KEMs 0x647a and 0x0051), FIPS 203, FIPS 204, RFC 9180.
 */
export const suites = {
  1: { ...hybrid, hasQkd: false },
  2: { ...hybrid, hasQkd: true },
  3: { ...dual, hasQkd: false },
  4: { ...dual, hasQkd: true },
  5: { ...cnsa, hasQkd: false },
  6: { ...cnsa, hasQkd: true },
} as const;

export type SuiteId = keyof typeof suites;

export const suiteDefault: PlainSuiteId = 1;

/** A plan's suite with a QKD key mixed in. */
export const suiteWithQkd = { 1: 2, 3: 4, 5: 6 } as const satisfies Partial<Record<SuiteId, SuiteId>>;

/** What a plan may name: a suite without QKD, which has one with QKD beside it. */
export type PlainSuiteId = keyof typeof suiteWithQkd;

export const plainSuiteIds = Object.keys(suiteWithQkd).map(Number) as PlainSuiteId[];

export const aeadTagBytes = 16;
export const aeadNonceBytes = 12;

/**
 * Whether the public key of a device, or of who signs a coordinator's announcements, is of the scheme that a plan's suite
 * demands: no other one is taken, stronger or weaker.
 */
export function isOfSuite(suite: PlainSuiteId, publicKey: Uint8Array): boolean {
  return publicKey.length === suites[suite].signingKeyBytes;
}

/** Whether a log's key is of the scheme that tree heads must be signed with under a plan's suite. */
export function provesAs(suite: PlainSuiteId, logKey: Uint8Array): boolean {
  return logKey.length === schemeBytes(suites[suite].provedBy, 'publicKeyBytes');
}
