import type { Clock } from '../ports/clock.ts';
import { signCheckpoint } from '../core/transparency/checkpoint.ts';
import { createMerkleLog, type MerkleLog } from '../core/transparency/merkle-log.ts';
import { DamagedError } from '../ports/damage.ts';
import type { Crypto, SigningKey } from '../ports/crypto.ts';
import { firstBrokenEntry, type LedgerChain, type LedgerEntry } from '../core/privacy/ledger/chain.ts';
import { ledgerHeads, ledgerSeal } from '../core/privacy/ledger/heads.ts';
import { chainsToSeal } from '../core/privacy/ledger/sealed-chains.ts';
import {
  type Change,
  ConflictError,
  type Device,
  type Invitation,
  type JournalRow,
  type ModelRow,
  type Store,
} from '../ports/store.ts';
import { type Draft, toRow } from './journal.ts';
import { evolve, initialState, type RunState } from './state.ts';

/** Everything that is known of a run, as of the last entry. */
export type Snapshot = {
  readonly run: RunState;
  readonly invitations: ReadonlyMap<string, Invitation>;
  readonly devices: ReadonlyMap<string, Device>;
  readonly models: readonly ModelRow[];
  /** By subject, of all runs of the organisation; empty unless it was loaded. */
  readonly ledger: ReadonlyMap<string, LedgerChain>;
};

/** What to write, and what to answer once it is on disk. */
export type Decision<T> = {
  readonly changes?: readonly Change[];
  readonly drafts?: readonly Draft[];
  readonly result: T;
};

/**
 * The one way to change a run. Decisions are taken one after the other on the newest snapshot; those that wait
 * together are written in one transaction; an answer is given only after its transaction is on disk.
 */
export type RunLog = {
  load(): Promise<void>;
  /** Reads the ledger, also what other runs have written meanwhile. Throws when it was tampered with. */
  loadLedger(): Promise<void>;
  snapshot(): Snapshot;
  record<T>(decide: (snapshot: Snapshot) => Decision<T>): Promise<T>;
  /** The Merkle tree of the entries that are on disk. */
  tree(): Pick<MerkleLog, 'size' | 'leaf' | 'root' | 'inclusionProof' | 'consistencyProof'>;
  /** As `record`; where another run has written to the ledger meanwhile, the decision is taken again on what it is now. */
  recordOnLedger<T>(decide: (snapshot: Snapshot) => Decision<T>): Promise<T>;
  /** Called after each transaction. */
  onCommit(listener: (rows: readonly JournalRow[]) => void): () => void;
};

const ledgerAttemptsMax = 100;

type Waiting = {
  readonly decide: (snapshot: Snapshot) => Decision<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
};

const sealedKinds = new Set(['run.created', 'round.closed', 'run.completed', 'run.stopped']);

export function createRunLog(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly orgId: string;
  readonly runId: string;
  /** The log's name and the key that signs its tree heads; who only reads has none. */
  readonly treeHead?: { readonly origin: string; readonly key: SigningKey };
  /** A salt for entries whose leaf hash must tell nothing; undefined for the others. */
  readonly saltFor?: (kind: string) => string | undefined;
  /** The store cannot be written: nothing will be recorded any more. */
  readonly onFailure: (error: unknown) => void;
}): RunLog {
  const { store, clock, crypto, orgId, runId } = parts;
  let snapshot: Snapshot = {
    run: initialState,
    invitations: new Map(),
    devices: new Map(),
    models: [],
    ledger: new Map(),
  };
  let sequence = 0;
  let tree = createMerkleLog(crypto.sha256);
  let isDraining = false;
  let failure: unknown;
  let waiting: Waiting[] = [];
  const listeners = new Set<(rows: readonly JournalRow[]) => void>();

  async function drain(): Promise<void> {
    isDraining = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await writeBatch(batch);
    }
    isDraining = false;
  }

  /** Memory follows the disk: readers see a decision only after its transaction is written. */
  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    const changes: Change[] = [];
    const rows: JournalRow[] = [];
    const answers: (() => void)[] = [];
    let next = snapshot;
    for (const { decide, resolve, reject } of batch) {
      try {
        if (failure !== undefined) throw failure;
        const decision = decide(next);
        const decided = (decision.drafts ?? []).map((draft, i) =>
          toRow(
            salted(draft),
            { orgId, runId, sequence: sequence + rows.length + i, atMs: clock.wallMs() },
            crypto.sha256,
          ),
        );
        const changed = (decision.changes ?? []).reduce(applyChange, next);
        next = { ...changed, run: decided.reduce((run, row) => evolve(run, row.entry), changed.run) };
        changes.push(...(decision.changes ?? []));
        rows.push(...decided);
        answers.push(() => resolve(decision.result as never));
      } catch (error) {
        reject(error);
      }
    }
    const seal = ledgerSealAfter(rows, next);
    if (seal !== undefined) {
      rows.push(seal);
      next = { ...next, run: evolve(next.run, seal.entry) };
    }
    for (const row of rows) tree.append(Uint8Array.fromHex(row.leafHash));
    const head = treeHeadAfter(rows);
    if (head !== undefined) {
      rows.push(head);
      tree.append(Uint8Array.fromHex(head.leafHash));
      next = { ...next, run: evolve(next.run, head.entry) };
    }
    try {
      if (changes.length + rows.length > 0) await store.commit(changes, rows);
    } catch (error) {
      tree.truncate(sequence);
      await refuseBatch(batch, error);
      return;
    }
    snapshot = next;
    sequence += rows.length;
    for (const answer of answers) answer();
    if (rows.length > 0) for (const listener of listeners) listener(rows);
  }

  /** Where the privacy ledger stands, before the head that signs it: who resets it is seen by whoever has the log. */
  function ledgerSealAfter(rows: readonly JournalRow[], { ledger, run }: Snapshot): JournalRow | undefined {
    if (!isSealed(rows) || ledger.size === 0) return undefined;
    const place = { orgId, runId, sequence: sequence + rows.length, atMs: clock.wallMs() };
    const chains = chainsToSeal(ledger, run.ledgerSeal?.chains);
    return toRow({ kind: 'ledger.sealed', data: { ...ledgerSeal(ledgerHeads(ledger)), chains } }, place, crypto.sha256);
  }

  function isSealed(rows: readonly JournalRow[]): boolean {
    return parts.treeHead !== undefined && rows.some(({ entry }) => sealedKinds.has(entry.kind));
  }

  /** What ends a round or a run is sealed in its own transaction: the signed head of the tree up to it. */
  function treeHeadAfter(rows: readonly JournalRow[]): JournalRow | undefined {
    if (parts.treeHead === undefined || !isSealed(rows)) return undefined;
    const { origin, key } = parts.treeHead;
    const size = tree.size();
    const checkpoint = signCheckpoint({ origin, size, root: tree.root(size) }, key);
    const place = { orgId, runId, sequence: size, atMs: clock.wallMs() };
    return toRow({ kind: 'log.tree-head', data: { size, checkpoint } }, place, crypto.sha256);
  }

  /** A conflict is the fault of one decision: the others are taken again without it. Any other error is the end. */
  async function refuseBatch(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (error instanceof ConflictError && batch.length > 1) {
      for (const one of batch) await writeBatch([one]);
      return;
    }
    if (!(error instanceof ConflictError)) {
      failure = error;
      parts.onFailure(error);
    }
    for (const { reject } of batch) reject(error);
  }

  async function loadLedger(): Promise<void> {
    const chains = Map.groupBy(await store.ledger(), ({ event }) => event.subject);
    for (const [subject, chain] of chains) checkChain(subject, chain);
    // What this run has appended since it was read is longer: chains only grow.
    for (const [subject, chain] of snapshot.ledger) {
      if (chain.length > (chains.get(subject)?.length ?? 0)) chains.set(subject, [...chain]);
    }
    snapshot = { ...snapshot, ledger: chains };
  }

  function record<T>(decide: (snapshot: Snapshot) => Decision<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (failure !== undefined) {
        reject(failure);
        return;
      }
      waiting.push({ decide, resolve, reject });
      if (!isDraining) void drain();
    });
  }

  function salted(draft: Draft): Draft {
    const salt = parts.saltFor?.(draft.kind);
    return salt === undefined ? draft : { ...draft, data: { ...draft.data, salt } };
  }

  return {
    async load() {
      const [invitations, devices, models, rows] = await Promise.all([
        store.invitations(),
        store.devices(),
        store.models(),
        store.journal(0),
      ]);
      snapshot = {
        run: rows.reduce((run, row) => evolve(run, row.entry), initialState),
        invitations: new Map(invitations.map((invitation) => [invitation.tokenHash, invitation])),
        devices: new Map(devices.map((device) => [device.deviceId, device])),
        models,
        ledger: new Map(),
      };
      sequence = rows.length;
      tree = createMerkleLog(crypto.sha256);
      for (const row of rows) tree.append(Uint8Array.fromHex(row.leafHash));
    },
    loadLedger,
    snapshot: () => snapshot,
    tree: () => tree,
    record,
    async recordOnLedger(decide) {
      let isOnLedger = false;
      for (let attempt = 1; ; attempt++) {
        try {
          return await record((newest) => {
            const decision = decide(newest);
            isOnLedger = decision.changes?.some(({ kind }) => kind === 'ledger') === true;
            return decision;
          });
        } catch (error) {
          if (!(error instanceof ConflictError) || !isOnLedger || attempt >= ledgerAttemptsMax) throw error;
          await loadLedger();
        }
      }
    },
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function applyChange(snapshot: Snapshot, change: Change): Snapshot {
  switch (change.kind) {
    case 'invite': {
      const { invitation } = change;
      return { ...snapshot, invitations: new Map(snapshot.invitations).set(invitation.tokenHash, invitation) };
    }
    case 'enrol': {
      const invitation = { ...snapshot.invitations.get(change.tokenHash)!, spentBy: change.device.deviceId };
      return {
        ...snapshot,
        invitations: new Map(snapshot.invitations).set(change.tokenHash, invitation),
        devices: new Map(snapshot.devices).set(change.device.deviceId, change.device),
      };
    }
    case 'device-status': {
      const device = { ...snapshot.devices.get(change.deviceId)!, status: change.status };
      return { ...snapshot, devices: new Map(snapshot.devices).set(change.deviceId, device) };
    }
    case 'device-key': {
      const device = { ...snapshot.devices.get(change.deviceId)!, publicKey: change.publicKey };
      return { ...snapshot, devices: new Map(snapshot.devices).set(change.deviceId, device) };
    }
    case 'model':
      return { ...snapshot, models: [...snapshot.models, change.model] };
    case 'ledger': {
      const { subject } = change.entry.event;
      const chain = [...(snapshot.ledger.get(subject) ?? []), change.entry];
      return { ...snapshot, ledger: new Map(snapshot.ledger).set(subject, chain) };
    }
    case 'accept':
      return snapshot;
  }
}

function checkChain(subject: string, chain: readonly LedgerEntry[]): void {
  const broken = firstBrokenEntry(chain);
  if (broken === undefined) return;
  throw new DamagedError(
    `Cannot trust the privacy ledger of ${subject} as each entry must follow from the one before: entry ${broken} does not`,
  );
}
