import type { Crypto } from '../../ports/crypto.ts';
import { isSignedBy, parseCheckpoint } from './checkpoint.ts';
import type { MerkleLog } from './merkle-log.ts';
import type { NoteKey } from './signed-note.ts';
import type { Finding } from './verify-journal.ts';

/**
 * Holds a journal against a tree head that a site has seen while the run went on: two histories under one key come to light
 * where they meet.
 *
 * Promises: gives a finding unless the log's key has signed the head and the journal's first entries give its root.
 */
export async function verifySeenHead(
  seen: string,
  { key, tree }: { readonly key: NoteKey; readonly tree: MerkleLog },
  crypto: Pick<Crypto, 'verify'>,
): Promise<readonly Finding[]> {
  const checkpoint = parseCheckpoint(seen);
  const finding = (problem: string) => [{ file: 'checkpoint.txt', entry: null, problem }];
  if (checkpoint === undefined || !(await isSignedBy(checkpoint, key, crypto)))
    return finding('is not of the log whose tree head the site has seen');
  const { size, root } = checkpoint.head;
  if (size <= tree.size() && tree.root(size).toHex() === root.toHex()) return [];
  return finding(`does not continue the ${size} entries that the site has seen: somebody was shown another history`);
}
