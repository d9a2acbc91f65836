import { canonicalJson, type Json } from '../protocol/canonical-json.ts';

/**
 * Kinds of entries that tell who took part in a round, or un-noised figures. Under central privacy they are for the
 * operator alone: each carries a salt, so that its leaf hash in the log commits to it and tells nothing.
 */
export const hiddenKinds: ReadonlySet<string> = new Set([
  'client.declined',
  'round.closed',
  'round.evaluated',
  'round.event',
  'round.opened',
  'round.verdicts',
  'update.refused',
]);

type Place = { readonly orgId: string; readonly runId: string; readonly sequence: number };

/** The line of an export in the place of an entry that is withheld: its leaf hash, so that the log can be checked. */
export function hiddenLine({ orgId, runId, sequence }: Place, leafHash: string): string {
  return canonicalJson({ data: { leafHash }, kind: 'hidden', orgId, runId, sequence } as unknown as Json);
}

/** The leaf hash of a withheld entry; undefined for every other line. */
export function hiddenLeafOf(line: Uint8Array): Uint8Array | undefined {
  const text = new TextDecoder().decode(line);
  const leafHash = /^\{"data":\{"leafHash":"([0-9a-f]{64})"\},"kind":"hidden",/.exec(text)?.[1];
  return leafHash === undefined ? undefined : Uint8Array.fromHex(leafHash);
}
