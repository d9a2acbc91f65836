import type { SigningKey } from '../../ports/crypto.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { logKeyOf, signCheckpoint } from './checkpoint.ts';
import { createMerkleLog } from './merkle-log.ts';
import { encodeVerifierKey } from './signed-note.ts';

/** What an export needs beside the journal so that it can be checked offline, by file name. */
export function proofFiles(
  rows: readonly { readonly leafHash: string; readonly entry: { readonly kind: string; readonly data: object } }[],
  log: { readonly origin: string; readonly key: SigningKey },
  sha256: (bytes: Uint8Array) => Uint8Array,
): Readonly<Record<string, string>> {
  const tree = createMerkleLog(sha256);
  for (const { leafHash } of rows) tree.append(Uint8Array.fromHex(leafHash));
  const size = tree.size();
  const heads = rows.filter(({ entry }) => entry.kind === 'log.tree-head');
  const sizes = [...heads.map(({ entry }) => (entry.data as { size: number }).size), size];
  const steps = sizes.slice(1).map((to, i) => {
    const from = sizes[i]!;
    return { from, to, hashes: tree.consistencyProof(from, to).map((hash) => hash.toHex()) };
  });
  return {
    'checkpoint.txt': signCheckpoint({ origin: log.origin, size, root: tree.root(size) }, log.key),
    'consistency.json': `${canonicalJson(steps as unknown as Json)}\n`,
    'journal.leaves': rows.map(({ leafHash }) => `${leafHash}\n`).join(''),
    'log.vkey': `${encodeVerifierKey(logKeyOf(log.origin, log.key.publicKey))}\n`,
  };
}
