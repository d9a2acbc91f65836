import type { Crypto } from '../../ports/crypto.ts';
import type { LedgerSeal } from '../privacy/ledger/heads.ts';
import { isSignedBy, parseCheckpoint } from './checkpoint.ts';
import { exportListSigner, exportListText } from './export-list.ts';
import { isConsistent } from './merkle-proof.ts';
import { verifyModelCard } from './model-card.ts';
import { type LedgerNow, verifyLedgerSeals } from './ledger-seals.ts';
import { verifySeenHead } from './seen-heads.ts';
import { parseVerifierKey } from './signed-note.ts';
import { type Finding, type JournalAudit, verifyJournal } from './verify-journal.ts';

/** What an offline check of an export has found. */
export type ExportAudit = {
  readonly isIntact: boolean;
  readonly findings: readonly Finding[];
  /** The log's name and key; null where not even those can be read. */
  readonly origin: string | null;
  readonly keyFingerprint: string | null;
  /** Whether the key is the one that the reader trusts: without one an export only proves that it agrees with itself. */
  readonly isKeyTrusted: boolean;
  readonly entries: number;
  /** Entries that the export withholds, as those that tell who took part in a private round. */
  readonly hidden: number;
  readonly heads: number;
  readonly witnesses: JournalAudit['witnesses'];
  readonly model: string | null;
  /** The privacy ledger as the newest tree head has it; null where none was sealed. */
  readonly ledger: LedgerSeal | null;
};

const listFiles = ['SHA256SUMS', 'SHA256SUMS.sig'];
const neededFiles = ['journal.jsonl', 'journal.leaves', 'checkpoint.txt', 'log.vkey', 'consistency.json', ...listFiles];

/**
 * Checks an export without the coordinator: signatures, every entry, every tree head, the model and its card, every file.
 *
 * Needs:    `trusted`, the SHA-256 of the log's public key from a place that the exporter cannot change. `ledgerNow`, the
 *           heads or chains of the privacy ledger as it is now, where it is to be held against the log. `seen`, a tree head that a
 *           site has kept.
 * Promises: never throws. One changed bit in any file gives a finding that names the file, and the entry for the journal.
 */
export async function verifyExport(
  files: ReadonlyMap<string, Uint8Array>,
  {
    crypto,
    trusted,
    ledgerNow,
    seen,
  }: {
    readonly crypto: Pick<Crypto, 'sha256' | 'verify'>;
    readonly trusted?: string | undefined;
    readonly ledgerNow?: LedgerNow | undefined;
    readonly seen?: string | undefined;
  },
): Promise<ExportAudit> {
  const findings: Finding[] = [];
  const blame = (file: string, problem: string) => void findings.push({ file, entry: null, problem });
  for (const name of neededFiles) if (!files.has(name)) blame(name, 'is missing');
  const bytesOf = (name: string) => files.get(name) ?? new Uint8Array();
  const textOf = (name: string) => new TextDecoder().decode(bytesOf(name));

  const key = parseVerifierKey(textOf('log.vkey'));
  const fingerprint = key && crypto.sha256(key.publicKey).toHex();
  if (key?.type !== 'treeHead') blame('log.vkey', 'is not the key of a log');
  if (trusted !== undefined && fingerprint !== trusted) blame('log.vkey', `is not the trusted key ${trusted}`);
  const checkpoint = parseCheckpoint(textOf('checkpoint.txt'));
  const isSigned = key !== undefined && checkpoint !== undefined && (await isSignedBy(checkpoint, key, crypto));
  if (!isSigned) blame('checkpoint.txt', "is not a tree head that the log's key has signed");

  let audit: JournalAudit | undefined;
  if (isSigned) {
    audit = await verifyJournal(bytesOf('journal.jsonl'), bytesOf('journal.leaves'), { checkpoint, key }, crypto);
    findings.push(...audit.findings);
    if (seen !== undefined) findings.push(...(await verifySeenHead(seen, { key, tree: audit.tree }, crypto)));
    if (!isConsistentThroughout(textOf('consistency.json'), audit, crypto)) {
      blame('consistency.json', 'does not lead from each tree head to the next');
    }
  }
  // Where the journal cannot be trusted it cannot say whose keys these are: one finding is enough.
  const isOfTheLog = (what: string, publicKey: Uint8Array) =>
    audit === undefined || signersOf(what, audit).has(crypto.sha256(publicKey).toHex());
  const ledger = verifyLedgerSeals(audit?.entries ?? [], ledgerNow);
  findings.push(...ledger.findings);
  const model = await verifyModel(files, audit, { blame, isOfTheLog, crypto });
  await verifyList(files, { blame, isOfTheLog, crypto });
  return {
    isIntact: findings.length === 0,
    findings,
    origin: checkpoint?.head.origin ?? null,
    keyFingerprint: fingerprint ?? null,
    isKeyTrusted: trusted !== undefined && fingerprint === trusted,
    entries: audit?.entries.length ?? 0,
    hidden: audit?.hidden ?? 0,
    heads: audit?.heads ?? 0,
    witnesses: audit?.witnesses ?? [],
    model,
    ledger: ledger.newest,
  };
}

type Context = {
  readonly blame: (file: string, problem: string) => void;
  readonly isOfTheLog: (what: string, publicKey: Uint8Array) => boolean;
  readonly crypto: Pick<Crypto, 'sha256' | 'verify'>;
};

/** The newest model, its card, and what the journal says of both. Gives the model's hash. */
async function verifyModel(
  files: ReadonlyMap<string, Uint8Array>,
  audit: JournalAudit | undefined,
  { blame, isOfTheLog, crypto }: Context,
): Promise<string | null> {
  const published = audit?.entries.findLast(({ kind }) => kind === 'model.published' || kind === 'run.created');
  const named = published && String(published.data['hash'] ?? published.data['model']);
  const [model, card] = [files.get('model.safetensors'), files.get('card.json')];
  if (published === undefined || (model === undefined && card === undefined)) return named ?? null;
  if (model === undefined || crypto.sha256(model).toHex() !== named) {
    blame('model.safetensors', 'is not the model that the journal names');
  }
  const signed = await verifyModelCard(parseJson(card), crypto);
  const isOurs = card !== undefined && crypto.sha256(card).toHex() === published.data['card'];
  if (!isOurs || signed?.card.model !== named || !isOfTheLog('modelCard', Uint8Array.fromBase64(signed!.publicKey))) {
    blame('card.json', 'is not the signed card of the model that the journal names');
  }
  return named!;
}

/** The list of files, its signature, and each file against it. */
async function verifyList(
  files: ReadonlyMap<string, Uint8Array>,
  { blame, isOfTheLog, crypto }: Context,
): Promise<void> {
  const [list, signature] = listFiles.map((name) => files.get(name) ?? new Uint8Array()) as [Uint8Array, Uint8Array];
  const signer = await exportListSigner(list, signature, crypto);
  if (signer === undefined || !isOfTheLog('exportList', signer)) {
    blame('SHA256SUMS', 'is not signed (SHA256SUMS.sig) by the key that the journal names for it');
  }
  const listed = new Map(
    new TextDecoder()
      .decode(list)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(66), line.slice(0, 64)] as const),
  );
  const present = [...files].filter(([name]) => !listFiles.includes(name));
  const actual = present.map(([name, bytes]) => ({ name, sha256: crypto.sha256(bytes).toHex() }));
  let found = 0;
  const find = (name: string, problem: string) => {
    found += 1;
    blame(name, problem);
  };
  for (const { name, sha256 } of actual) {
    if (listed.get(name) !== sha256) find(name, listed.has(name) ? 'is not the file that was listed' : 'is not listed');
    listed.delete(name);
  }
  for (const name of listed.keys()) find(name, 'is listed and missing');
  if (found === 0 && exportListText(actual) !== new TextDecoder().decode(list)) blame('SHA256SUMS', 'is not in order');
}

/** The keys that the journal names for a purpose, at any start of the coordinator. */
function signersOf(what: string, audit: JournalAudit): ReadonlySet<string> {
  const started = audit.entries.filter(({ kind }) => kind === 'server.started');
  return new Set(started.map(({ data }) => (data['keys'] as Record<string, string> | undefined)?.[what] ?? ''));
}

type Step = { readonly from: number; readonly to: number; readonly hashes: readonly string[] };

/** Each step's proof against the roots that the entries give, from the first tree head to the last. */
function isConsistentThroughout(text: string, { tree }: JournalAudit, crypto: Pick<Crypto, 'sha256'>): boolean {
  try {
    const steps = JSON.parse(text) as readonly Step[];
    return steps.every(({ from, to, hashes }, i) => {
      const headAt = (size: number) => ({ size, root: tree.root(size) });
      const isNext = i === 0 || steps[i - 1]!.to === from;
      const path = hashes.map((hash) => Uint8Array.fromHex(hash));
      return isNext && isConsistent(headAt(from), headAt(to), path, crypto.sha256);
    });
  } catch {
    return false;
  }
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
