import type { PlanInput } from '../../src/core/plan/plan.ts';
import type { InvariantId } from '../../src/simulation/world/invariants.ts';

/** A fault in the code, put in on purpose: the invariant that must see it, and a seed from which on it soon does. */
export type Mutant = {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
  readonly caughtBy: InvariantId;
  readonly seed: number;
  /** The plan of the worlds; without one the seed draws it. */
  readonly plan?: PlanInput;
};

const edit = (file: string, from: string, to: string) => ({ file: `src/${file}`, from, to });

export const mutants: readonly Mutant[] = [
  {
    name: 'a store that acknowledges before it writes',
    edits: [
      edit(
        'adapters/store-memory.ts',
        'for (const change of changes) undo.push(write(state, change));',
        'const late: Change[] = ((globalThis as unknown as { late: Change[] }).late ??= []); for (const change of [...late.splice(0), ...changes.filter((one) => one.kind !== "accept")]) undo.push(write(state, change)); late.push(...changes.filter((one) => one.kind === "accept"));',
      ),
    ],
    caughtBy: 'nothing-is-counted-twice',
    seed: 1,
  },
  {
    name: 'an answer that does not wait for its transaction',
    edits: [edit('coordinator/run-log.ts', 'await store.commit(changes, rows)', 'void store.commit(changes, rows)')],
    caughtBy: 'restart-gives-the-same-state',
    seed: 1,
  },
  {
    name: 'a receipt for bytes that were not kept',
    edits: [edit('coordinator/reception.ts', "await blobs.put(bytes, contentHash, 'as-it-is');", '')],
    caughtBy: 'acknowledged-is-on-disk',
    seed: 1,
  },
  {
    name: 'a retry that counts again',
    edits: [
      edit('coordinator/reception.ts', 'if (round.accepted[device.clientId] === contentHash) {', 'if (false) {'),
      edit(
        'coordinator/acceptance.ts',
        'if (round.accepted[device.clientId] === contentHash) return',
        'if (false) return',
      ),
      edit('core/round/round.ts', "? 'replayed' : 'yes'", "? 'yes' : 'yes'"),
      edit('adapters/store-memory.ts', 'if (keys.some((key) => acceptedKeys.has(key))) {', 'if (false) {'),
    ],
    caughtBy: 'nothing-is-counted-twice',
    seed: 1,
  },
  {
    name: 'an aggregation that takes one update twice and leaves another out',
    edits: [
      edit(
        'coordinator/reduction.ts',
        'rows: updates.map((update) => update.delta)',
        'rows: updates.map((update, i) => (updates[i - 1] ?? update).delta)',
      ),
    ],
    caughtBy: 'model-is-the-aggregate-of-the-accepted',
    seed: 1,
  },
  {
    name: 'a version that grows by two',
    edits: [edit('coordinator/reduction.ts', 'version: parent.version + 1', 'version: parent.version + 2')],
    caughtBy: 'versions-grow-by-one',
    seed: 1,
  },
  {
    name: 'a model that the journal does not know',
    edits: [edit('coordinator/reduction.ts', "kind: 'model.published'", "kind: 'model.unpublished'")],
    caughtBy: 'published-models-are-journaled',
    seed: 1,
  },
  {
    name: 'a state that forgets what the journal says',
    edits: [
      edit(
        'coordinator/run-log.ts',
        'decided.reduce((run, row) => evolve(run, row.entry)',
        'decided.slice(0, 2).reduce((run, row) => evolve(run, row.entry)',
      ),
    ],
    caughtBy: 'restart-gives-the-same-state',
    seed: 2,
  },
  {
    name: 'a round number that does not grow',
    edits: [edit('coordinator/coordinator.ts', 'records.at(-1)?.round ?? 0) + 1', 'records.at(0)?.round ?? 0) + 1')],
    caughtBy: 'nothing-goes-back',
    seed: 1,
  },
  {
    name: 'a restart that works before it has the key of the round',
    edits: [edit('coordinator/coordinator.ts', 'if (!isRecovered) return;', '')],
    caughtBy: 'rounds-fail-for-a-reason',
    seed: 55,
  },
  {
    name: 'a late envelope that counts as a refusal',
    edits: [edit('coordinator/acceptance.ts', "code !== 'wrong-round' &&", '')],
    caughtBy: 'honest-clients-are-not-refused',
    seed: 2,
  },
  {
    name: 'a round key that outlives its round',
    edits: [edit('coordinator/coordinator.ts', 'await openKey.destroy(round.number);', '')],
    caughtBy: 'round-keys-end-with-their-round',
    seed: 1,
  },
  {
    name: 'an envelope that came again while its round was closed',
    edits: [edit('coordinator/reception.ts', 'round.number > forgottenRound && ', '')],
    caughtBy: 'envelopes-end-with-their-round',
    seed: 9,
  },
  {
    name: 'an envelope that a killed coordinator left behind',
    edits: [edit('coordinator/coordinator.ts', 'await reception.sweep();', '')],
    caughtBy: 'envelopes-end-with-their-round',
    seed: 23,
  },
  {
    name: 'a site that forgets what it left out',
    edits: [edit('client/site-learning.ts', "residual: settled?.['left-out']", 'residual: undefined')],
    caughtBy: 'model-is-the-aggregate-of-the-accepted',
    seed: 1,
  },
  {
    name: 'what an update left out that never counted',
    edits: [
      edit(
        'client/site-learning.ts',
        "encodeKept({ settled, pending: { round, vectors: { 'left-out': residual } } })",
        "encodeKept({ settled: { 'left-out': residual }, pending: null })",
      ),
    ],
    caughtBy: 'model-is-the-aggregate-of-the-accepted',
    seed: 1,
  },
  {
    name: 'a rule that trims nothing',
    edits: [edit('core/aggregation/trimmed-mean.ts', 'low: f, high: n - f', 'low: 0, high: n')],
    caughtBy: 'honest-majority-bounds-the-error',
    seed: 80,
  },
  {
    name: 'a round that waits for ever',
    edits: [
      edit(
        'core/round/step.ts',
        'count < phase.target && !isOver && isAnyoneAwaited(round)',
        'count < round.participants.length',
      ),
    ],
    caughtBy: 'runs-end',
    seed: 21,
  },
  {
    name: 'a client that takes a restart for a refusal',
    edits: [
      edit('client/session.ts', 'if (reply.status === 401)', 'if (reply.status === 401 || reply.status === 409)'),
    ],
    caughtBy: 'clients-hear-the-end',
    seed: 9,
  },
  {
    name: 'a client that may come back sooner than the accountant assumes',
    edits: [
      edit('coordinator/privacy/ftrl-opening.ts', ' > separation;', ' > 0;'),
      edit(
        'coordinator/privacy/ftrl-opening.ts',
        'a.count - b.count || a.spent - b.spent || a.key - b.key',
        'a.key - b.key',
      ),
    ],
    caughtBy: 'budgets-are-kept',
    seed: 1,
    plan: {
      model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
      rounds: { count: 4 },
      cohort: { expected: 6, size: 2, quorum: 1 },
      privacy: { mode: 'central', mechanism: 'dp-ftrl' },
    },
  },
];
