import type { Crypto } from '../../ports/crypto.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { leafHash } from '../protocol/merkle.ts';
import { type Checkpoint, isSignedBy, parseCheckpoint } from './checkpoint.ts';
import { hiddenLeafOf } from './hidden-entry.ts';
import { createMerkleLog, type MerkleLog } from './merkle-log.ts';
import { type NoteKey, parseVerifierKey } from './signed-note.ts';

/** What is wrong, and where: the file, and the entry of the journal where one can be named. */
export type Finding = { readonly file: string; readonly entry: number | null; readonly problem: string };

/** One entry as far as its verification goes. */
export type AuditedEntry = {
  readonly sequence: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, Json | undefined>>;
};

export type JournalAudit = {
  readonly findings: readonly Finding[];
  readonly entries: readonly AuditedEntry[];
  readonly tree: MerkleLog;
  /** Entries that the export withholds: their hashes are in the log, their content cannot be judged. */
  readonly hidden: number;
  /** Signed tree heads in the journal that hold. */
  readonly heads: number;
  /** Who beside the coordinator has signed which size. */
  readonly witnesses: readonly { readonly name: string; readonly size: number }[];
};

const journalFile = 'journal.jsonl';
const leavesFile = 'journal.leaves';

/**
 * Checks a journal against its leaf hashes and a signed tree head, entry by entry.
 *
 * Promises: never throws. The signed root decides who is right: an entry is named when its text does not give its leaf, and
 *           the list of leaves is blamed when the texts give the signed root.
 */
export async function verifyJournal(
  journal: Uint8Array,
  leaves: Uint8Array,
  signed: { readonly checkpoint: Checkpoint; readonly key: NoteKey },
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
): Promise<JournalAudit> {
  const { head } = signed.checkpoint;
  const texts = linesOf(journal);
  const listed = linesOf(leaves);
  const hashes = texts.map((text) => hiddenLeafOf(text) ?? leafHash(text, crypto.sha256));
  const tree = createMerkleLog(crypto.sha256);
  for (const hash of hashes) tree.append(hash);
  const isWhole = hashes.length === head.size && isSame(tree.root(head.size), head.root);

  const differing = hashes.findIndex((hash, i) => !isSame(new TextEncoder().encode(hash.toHex()), listed[i] ?? empty));
  const isListed = differing === -1 && listed.length === texts.length && endsLine(leaves);
  const findings: Finding[] = [];
  if (!isWhole) {
    const entry = differing !== -1 ? differing : Math.min(texts.length, listed.length);
    const problem =
      texts.length === head.size
        ? 'is not what the signed tree head covers: it was changed'
        : `is where the journal departs from its tree head: ${texts.length} entries, ${head.size} signed`;
    findings.push({ file: journalFile, entry, problem });
  } else if (!isListed) {
    const entry = differing !== -1 ? differing : texts.length;
    findings.push({ file: leavesFile, entry, problem: 'is not the hash of its entry, which is intact' });
  }
  if (!endsLine(journal)) findings.push({ file: journalFile, entry: texts.length - 1, problem: 'has no end of line' });

  const entries: AuditedEntry[] = [];
  for (const [i, text] of texts.entries()) {
    const entry = parseEntry(text);
    if (entry === undefined || entry.sequence !== i || originOfEntry(entry) !== head.origin) {
      findings.push({ file: journalFile, entry: i, problem: 'is not a canonical entry of this run in this place' });
      break;
    }
    entries.push(entry);
  }
  const heads = await verifyHeads(entries, { ...signed, tree }, crypto);
  return {
    findings: [...findings, ...heads.findings],
    entries,
    hidden: entries.filter(({ kind }) => kind === 'hidden').length,
    tree,
    heads: heads.count,
    witnesses: heads.witnesses,
  };
}

const empty = new Uint8Array();

/** Each tree head within the journal: signed by the log, of the entries before it, and cosigned by whom it says. */
async function verifyHeads(
  entries: readonly AuditedEntry[],
  { key, tree }: { readonly key: NoteKey; readonly tree: MerkleLog },
  crypto: Pick<Crypto, 'verify'>,
): Promise<{ count: number; findings: Finding[]; witnesses: { name: string; size: number }[] }> {
  const findings: Finding[] = [];
  const witnesses: { name: string; size: number }[] = [];
  let count = 0;
  const known = witnessesOf(entries);
  for (const { sequence, kind, data } of entries) {
    if (kind !== 'log.tree-head' && kind !== 'log.cosigned') continue;
    const checkpoint = parseCheckpoint(String(data['checkpoint']));
    const isSound =
      checkpoint !== undefined &&
      checkpoint.head.size <= sequence &&
      isSame(tree.root(checkpoint.head.size), checkpoint.head.root) &&
      (await isSignedBy(checkpoint, key, crypto));
    const witness = known.find(({ name }) => name === data['witness']);
    const isCosigned =
      kind === 'log.tree-head' || (isSound && witness !== undefined && (await isSignedBy(checkpoint, witness, crypto)));
    if (!isSound || !isCosigned) {
      findings.push({
        file: journalFile,
        entry: sequence,
        problem: 'holds a tree head that is not of the entries before it',
      });
    } else if (kind === 'log.tree-head') count += 1;
    else witnesses.push({ name: witness!.name, size: checkpoint.head.size });
  }
  return { count, findings, witnesses };
}

/** The witnesses that the run's plan names. */
function witnessesOf(entries: readonly AuditedEntry[]): readonly NoteKey[] {
  const created = entries.find(({ kind }) => kind === 'run.created');
  const plan = created?.data['plan'] as { transparency?: { witnesses?: readonly string[] } } | undefined;
  const keys = (plan?.transparency?.witnesses ?? []).map((text) => parseVerifierKey(text));
  return keys.filter((key) => key !== undefined);
}

function parseEntry(text: Uint8Array): (AuditedEntry & { orgId: string; runId: string }) | undefined {
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
    const entry = JSON.parse(decoded) as AuditedEntry & { orgId: string; runId: string };
    return canonicalJson(entry as unknown as Json) === decoded && typeof entry.data === 'object' && entry.data !== null
      ? entry
      : undefined;
  } catch {
    return undefined;
  }
}

function originOfEntry({ orgId, runId }: { readonly orgId?: string; readonly runId?: string }): string {
  return `qflare/${orgId}/${runId}`;
}

/** Lines as bytes: what was changed need not be text any more. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    lines.push(bytes.subarray(start, end === -1 ? bytes.length : end));
    start = end === -1 ? bytes.length : end + 1;
  }
  return lines;
}

function endsLine(bytes: Uint8Array): boolean {
  return bytes.length === 0 || bytes.at(-1) === 0x0a;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
