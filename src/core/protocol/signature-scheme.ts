import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';

/** An algorithm that a scheme is made of, and how long its raw forms are. */
export const signatureAlgorithms = {
  ed25519: { publicKeyBytes: 32, signatureBytes: 64, seedBytes: 32 },
  'ml-dsa-65': { publicKeyBytes: 1952, signatureBytes: 3309, seedBytes: 32 },
  // Its seed stands behind one byte, `seedMark87`: lengths tell schemes apart.
  'ml-dsa-87': { publicKeyBytes: 2592, signatureBytes: 4627, seedBytes: 33 },
} as const;

/** The byte before a seed of ML-DSA-87. */
export const seedMark87 = 87;

export type SignatureAlgorithm = keyof typeof signatureAlgorithms;

/**
 * What identities sign with. Keys, signatures and seeds of a scheme are those of its algorithms, one behind the other; every
 * part must verify. Which scheme applies is what the public key says that a verifier holds, never what comes with a
 * signature.
 */
export const signatureSchemes = {
  'ML-DSA-65': ['ml-dsa-65'],
  'ML-DSA-87': ['ml-dsa-87'],
  'Ed25519+ML-DSA-65': ['ed25519', 'ml-dsa-65'],
} as const satisfies Readonly<Record<string, readonly SignatureAlgorithm[]>>;

export type SignatureScheme = keyof typeof signatureSchemes;

export const signatureSchemeDefault: SignatureScheme = 'ML-DSA-65';

const ids = Object.keys(signatureSchemes) as SignatureScheme[];
type Size = keyof (typeof signatureAlgorithms)[SignatureAlgorithm];

/** How long a scheme's public key, signature or seed is. */
export function schemeBytes(scheme: SignatureScheme, size: Size): number {
  return signatureSchemes[scheme].reduce((sum, algorithm) => sum + signatureAlgorithms[algorithm][size], 0);
}

/** The scheme of a public key or of a seed: no two have one length. Undefined for any other length. */
export function schemeOf(size: 'publicKeyBytes' | 'seedBytes', length: number): SignatureScheme | undefined {
  return ids.find((id) => schemeBytes(id, size) === length);
}

/** Takes the parts of a key, signature or seed apart. The length must be the scheme's. */
export function partsOfScheme(
  scheme: SignatureScheme,
  size: Size,
  bytes: Uint8Array,
): readonly { readonly algorithm: SignatureAlgorithm; readonly bytes: Uint8Array }[] {
  let at = 0;
  return signatureSchemes[scheme].map((algorithm) => {
    const part = bytes.subarray(at, at + signatureAlgorithms[algorithm][size]);
    at += part.length;
    return { algorithm, bytes: part };
  });
}

/**
 * What each part of a scheme signs. A part of a dual signature names the scheme and both public keys: alone, or beside
 * another partner, it verifies nothing.
 *
 * Formula: preimage for one algorithm; "qflare/dual/v1" ‖ 0x00 ‖ SHA-512(public keys) ‖ preimage for more.
 * Source:  "weak non-separability" of Bindel and Hale, eprint 2023/423, by a label and the keys in what is signed.
 */
export function partMessage(scheme: SignatureScheme, publicKey: Uint8Array, preimage: Uint8Array): Uint8Array {
  if (signatureSchemes[scheme].length === 1) return preimage;
  return concatBytes(new TextEncoder().encode('qflare/dual/v1\0'), sha512(publicKey), preimage);
}
