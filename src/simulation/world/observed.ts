import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Snapshot } from '../../coordinator/run-log.ts';
import { evolve, initialState, type RunState } from '../../coordinator/state.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { phaseOf } from '../../core/round/round.ts';
import type { Compute } from '../../ports/compute.ts';
import type { Deflate } from '../../ports/deflate.ts';
import type { AcceptedEnvelope, JournalEntry, ModelRow } from '../../ports/store.ts';
import type { ClientEnd } from './client-host.ts';
import type { Disk } from './coordinator-ports.ts';
import type { NoiseRecord } from './noise-record.ts';
import type { Training } from './training.ts';

/** What a world knows that its coordinator does not: who lies, and what everybody sent. */
export type Truth = {
  readonly plan: Plan;
  readonly isHostile: (clientId: string) => boolean;
  readonly training: Training;
  /** What clients drew for their own noise. */
  readonly noise: NoiseRecord;
  readonly compute: Compute;
  readonly deflate: Deflate;
};

/** One transaction as the disk has it. */
export type Commit = {
  readonly entries: readonly JournalEntry[];
  /** The fold of the journal's own text, before and after. */
  readonly before: RunState;
  readonly after: RunState;
  /** What the coordinator shows while the transaction is being written: the state before it. */
  readonly live: Snapshot;
  readonly models: readonly ModelRow[];
  /** Accepted envelopes of the phase that was open before the transaction. */
  readonly accepted: readonly AcceptedEnvelope[];
};

export type Acknowledgement = {
  readonly contentHash: string;
  /** Whether the disk has the row, and the bytes. */
  readonly hasRow: boolean;
  readonly stored: Uint8Array | undefined;
  readonly state: RunState;
};

export type Start = {
  readonly coordinator: Coordinator;
  readonly state: RunState;
  readonly deviceCount: number;
  readonly models: readonly ModelRow[];
};

export type End = {
  readonly state: RunState;
  readonly how: 'ended' | 'idle' | 'late';
  readonly clients: readonly { readonly clientId: string; readonly end: ClientEnd }[];
  readonly roundKeys: readonly number[];
  /** What lies on the disk beside the tables, whole or arriving. */
  readonly blobs: readonly Uint8Array[];
  /** Clients that have a device. */
  readonly enrolled: readonly string[];
};

/** What an invariant looks at. It calls `refuse` with what is wrong. */
export type Hooks = {
  commit?(commit: Commit, disk: Disk): void | Promise<void>;
  acknowledged?(acknowledgement: Acknowledgement): void;
  started?(start: Start): void;
  ended?(end: End): void;
};

export type Invariant = (truth: Truth, refuse: (problem: string) => void) => Hooks;

/** An invariant that did not hold, and when. */
export type Violation = { readonly invariant: string; readonly problem: string; readonly atMs: number };

/** Feeds the invariants of a world. */
export type Observer = {
  /** Resolves when everything has been looked at: the coordinator is told of its commit afterwards. */
  committed(live: Snapshot): Promise<void>;
  acknowledged(contentHash: string): Promise<void>;
  started(coordinator: Coordinator): Promise<void>;
  ended(end: Pick<End, 'how' | 'clients'>): Promise<void>;
  state(): RunState;
  violations: readonly Violation[];
};

/** Watches a world: its state is the fold of the journal's text, which is what a restart would find. */
export function createObserver(world: {
  readonly truth: Truth;
  readonly disk: Disk;
  readonly roundKeysHeld: () => readonly number[];
  readonly blobsHeld: () => readonly Uint8Array[];
  readonly invariants: Readonly<Record<string, Invariant>>;
  readonly nowMs: () => number;
}): Observer {
  const { truth, disk, invariants, nowMs } = world;
  const violations: Violation[] = [];
  const acceptedHashes = new Set<string>();
  let state = initialState;
  let sequence = 0;

  const refuseIn = (invariant: string) => (problem: string) => {
    violations.push({ invariant, problem, atMs: nowMs() });
  };
  const hooks = Object.entries(invariants).map(([id, invariant]) => ({
    id,
    hooks: invariant(truth, refuseIn(id)),
  }));

  /** A check that throws is a violation too. */
  async function each(look: (hooks: Hooks) => void | Promise<void>): Promise<void> {
    for (const { id, hooks: one } of hooks) {
      try {
        await look(one);
      } catch (error) {
        refuseIn(id)(`the check itself failed: ${(error as Error).stack}`);
      }
    }
  }

  return {
    violations,
    state: () => state,
    // Memory adapters read their state when they are called, so that what is asked for together belongs together.
    async committed(live) {
      const before = state;
      const { round } = before;
      const [rows, models, accepted] = await Promise.all([
        disk.store.journal(sequence),
        disk.store.models(),
        round === null ? [] : disk.store.accepted(round.number, phaseOf(round).id),
      ]);
      const entries = rows.map((row) => JSON.parse(row.text) as JournalEntry);
      const after = entries.reduce(evolve, before);
      state = after;
      sequence += rows.length;
      for (const { contentHash } of accepted) acceptedHashes.add(contentHash);
      await each((one) => one.commit?.({ entries, before, after, live, models, accepted }, disk));
    },
    async acknowledged(contentHash) {
      const at = state;
      const hasRow = acceptedHashes.has(contentHash);
      const stored = await disk.blobs.get(contentHash);
      await each((one) => one.acknowledged?.({ contentHash, hasRow, stored, state: at }));
    },
    async started(coordinator) {
      const at = state;
      const [devices, models] = await Promise.all([disk.store.devices(), disk.store.models()]);
      await each((one) => one.started?.({ coordinator, state: at, deviceCount: devices.length, models }));
    },
    async ended(end) {
      const enrolled = (await disk.store.devices()).map(({ clientId }) => clientId);
      const left = { roundKeys: world.roundKeysHeld(), blobs: world.blobsHeld() };
      await each((one) => one.ended?.({ ...end, ...left, state, enrolled }));
    },
  };
}
