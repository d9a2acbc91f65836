/** What both suites are made of. */
const hybrid = {
  kem: 'MLKEM768-X25519',
  kdf: 'HKDF-SHA256',
  aead: 'AES-256-GCM',
  signature: 'ML-DSA-65',
  seedBytes: 32,
  encBytes: 1120,
  publicKeyBytes: 1216,
  signatureBytes: 3309,
  signingKeyBytes: 1952,
} as const;

/**
 * The cryptographic suites by their number on the wire. There is no negotiation: the plan names one, and anything
 * else is refused. A suite with QKD has the same primitives and a pre-shared key in the key schedule besides (HPKE
 * `mode_psk`); it has a number of its own, so that leaving the key out is seen and signed.
 *
 * Source: draft-ietf-hpke-pq-05 (KEM 0x647a), FIPS 203, FIPS 204, RFC 9180.
 */
export const suites = {
  1: { ...hybrid, hasQkd: false },
  2: { ...hybrid, hasQkd: true },
} as const;

export type SuiteId = keyof typeof suites;

export const suiteDefault: SuiteId = 1;

/** A plan's suite with a QKD key mixed in. */
export const suiteWithQkd = { 1: 2 } as const satisfies Partial<Record<SuiteId, SuiteId>>;

export const aeadTagBytes = 16;
export const aeadNonceBytes = 12;
