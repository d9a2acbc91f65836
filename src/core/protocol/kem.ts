/**
 * The hybrid KEMs that a round's key may be of, with the KDF that goes with each, and how long their raw forms are. Which
 * one applies is what a key's length says: no two have one length.
 *
 * Source: draft-ietf-hpke-pq-05 (0x647a, 0x0051), FIPS 203.
 */
export const kems = {
  'MLKEM768-X25519': { kdf: 'HKDF-SHA256', seedBytes: 32, encBytes: 1120, publicKeyBytes: 1216 },
  'MLKEM1024-P384': { kdf: 'HKDF-SHA384', seedBytes: 32, encBytes: 1665, publicKeyBytes: 1665 },
} as const;

export type Kem = keyof typeof kems;

export const kemDefault: Kem = 'MLKEM768-X25519';

const ids = Object.keys(kems) as Kem[];

/** The KEM of a public key of so many bytes; undefined for any other length. */
export function kemOf(publicKeyBytes: number): Kem | undefined {
  return ids.find((id) => kems[id].publicKeyBytes === publicKeyBytes);
}
