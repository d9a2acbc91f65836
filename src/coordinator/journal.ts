import { canonicalJson, type Json } from '../core/protocol/canonical-json.ts';
import { leafHash } from '../core/protocol/merkle.ts';
import type { JournalEntry, JournalRow } from '../ports/store.ts';

/** What happened, before it has a place in the journal. */
export type Draft = {
  readonly kind: string;
  readonly round?: number;
  readonly data: { readonly [key: string]: Json | undefined };
};

const utf8 = new TextEncoder();

/** Gives a draft its place, its time and its leaf hash: SHA-256(0x00 ‖ canonical JSON), RFC 6962. */
export function toRow(
  draft: Draft,
  place: Pick<JournalEntry, 'orgId' | 'runId' | 'sequence' | 'atMs'>,
  sha256: (bytes: Uint8Array) => Uint8Array,
): JournalRow {
  const entry: JournalEntry = { version: 1, ...place, round: draft.round ?? null, kind: draft.kind, data: draft.data };
  const text = canonicalJson(entry as unknown as Json);
  return { entry, text, leafHash: leafHash(utf8.encode(text), sha256).toHex() };
}
