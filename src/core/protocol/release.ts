import { z } from 'zod';
import { canonicalBytes } from './canonical-json.ts';

/**
 * What a release is signed with. Every part of a suite must verify; which suite applies is what the public key says that a
 * verifier holds, never what comes with the signature, and the signed bytes name it: a part that is left out or taken from
 * another suite verifies nothing.
 *
 * `slh-dsa`: hash-based, the most cautious choice (FIPS 205), slow and large: for keys that lie offline for years.
 * `dual`: classical and post-quantum, as long as either holds.
 */
export const releaseSuites = {
  'slh-dsa': ['slh-dsa-sha2-128s'],
  dual: ['ed25519', 'ml-dsa-65'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ReleaseSuite = keyof typeof releaseSuites;

export const releaseSuiteIds = Object.keys(releaseSuites) as [ReleaseSuite, ...ReleaseSuite[]];

/** The context of every part: no key of a release signs anything else. */
export const releaseContext = 'qflare/release/v1';

const part = z.string().min(1).max(40_000);

/** A public key of a suite: one part for each of its algorithms, in order. */
export const releaseKey = z.strictObject({ suite: z.enum(releaseSuiteIds), keys: z.array(part).min(1).max(2) });

const file = z.strictObject({
  path: z.string().min(1).max(4096),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The files of a release and what signs them. */
export const signedRelease = z.strictObject({
  version: z.literal(1),
  files: z.array(file).min(1).max(100_000),
  signatures: z.array(part).min(1).max(2),
});

export type ReleaseFile = z.infer<typeof file>;
export type ReleaseKey = z.infer<typeof releaseKey>;
export type SignedRelease = z.infer<typeof signedRelease>;

/** The bytes that each part of a suite signs: files in the order of their paths, and the suite. */
export function releaseBytes(suite: ReleaseSuite, files: readonly ReleaseFile[]): Uint8Array {
  const ordered = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return canonicalBytes({ purpose: releaseContext, suite, files: ordered });
}
