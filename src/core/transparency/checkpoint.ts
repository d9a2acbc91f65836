import { concatBytes } from '@noble/hashes/utils.js';
import type { Crypto, SigningKey } from '../../ports/crypto.ts';
import { purposes } from '../protocol/purposes.ts';
import { encodeNote, keyIdOf, type Note, type NoteKey, type NoteSignature, parseNote } from './signed-note.ts';

/** A tree head: how many entries a log holds, and the root of their tree. */
export type TreeHead = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** The name of a run's log: its origin line, and the name of the key that signs it. */
export function originOf({ orgId, runId }: { readonly orgId: string; readonly runId: string }): string {
  return `qflare/${orgId}/${runId}`;
}

/** The text of a checkpoint: origin, size and root, one a line (C2SP tlog-checkpoint, no extension lines). */
export function checkpointText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${root.toBase64()}\n`;
}

/** A checkpoint taken apart: the head, and the note with its signatures. Nothing in it is verified. */
export type Checkpoint = { readonly head: TreeHead; readonly note: Note };

/** Reads a checkpoint. Never throws; gives undefined for anything but the one encoding of a checkpoint. */
export function parseCheckpoint(encoded: string): Checkpoint | undefined {
  const note = parseNote(encoded);
  const [origin, size, root, ...rest] = note?.text.split('\n') ?? [];
  if (note === undefined || rest.length !== 1 || !/^(0|[1-9][0-9]{0,14})$/.test(size ?? '')) return undefined;
  try {
    const head = { origin: origin!, size: Number(size), root: Uint8Array.fromBase64(root!) };
    return head.root.length === 32 && checkpointText(head) === note.text ? { head, note } : undefined;
  } catch {
    return undefined;
  }
}

/** The log's signature of a tree head: ML-DSA-65 or ML-DSA-87, as the suite says, over the note's text, with a context of its own. */
function signTreeHead(head: TreeHead, key: SigningKey): NoteSignature {
  const signature = key.sign(purposes.treeHead, new TextEncoder().encode(checkpointText(head)));
  return { name: head.origin, keyId: keyIdOf(logKeyOf(head.origin, key.publicKey)), signature };
}

/** The checkpoint of a head as text, signed by the log. */
export function signCheckpoint(head: TreeHead, key: SigningKey): string {
  return encodeNote({ text: checkpointText(head), signatures: [signTreeHead(head, key)] });
}

export function logKeyOf(origin: string, publicKey: Uint8Array): NoteKey {
  return { name: origin, type: 'treeHead', publicKey };
}

/**
 * A witness's signature: it has seen that this head continues the last one it signed.
 *
 * Formula: u64 time ‖ ML-DSA("cosignature/v1\ntime <time>\n" ‖ checkpoint text).
 * Source:  C2SP tlog-cosignature.  Differs: ML-DSA-65 or ML-DSA-87 with a context, where the source has Ed25519 and ML-DSA-44.
 */
export function cosign(
  head: TreeHead,
  witness: { readonly name: string; readonly key: SigningKey },
  atSeconds: number,
): NoteSignature {
  const signature = witness.key.sign(purposes.cosignature, cosignedBytes(head, atSeconds));
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(atSeconds));
  const key: NoteKey = { name: witness.name, type: 'cosignature', publicKey: witness.key.publicKey };
  return { name: witness.name, keyId: keyIdOf(key), signature: concatBytes(time, signature) };
}

/** Whether a note key has signed this checkpoint. A signature under its name and id that does not hold counts as none. */
export async function isSignedBy(
  { head, note }: Checkpoint,
  key: NoteKey,
  crypto: Pick<Crypto, 'verify'>,
): Promise<boolean> {
  const id = keyIdOf(key);
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === id);
  if (own.length !== 1) return false;
  const { signature } = own[0]!;
  if (key.type === 'treeHead') {
    return crypto.verify(key.publicKey, purposes.treeHead, new TextEncoder().encode(note.text), signature);
  }
  if (signature.length < 8) return false;
  const atSeconds = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  return crypto.verify(key.publicKey, purposes.cosignature, cosignedBytes(head, atSeconds), signature.subarray(8));
}

function cosignedBytes(head: TreeHead, atSeconds: number): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${atSeconds}\n${checkpointText(head)}`);
}
