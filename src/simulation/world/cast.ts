import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { createVolatileSiteMemory } from '../../adapters/site-memory-volatile.ts';
import { trainingSeed } from '../../client/site-learning.ts';
import { countedRound } from '../../coordinator/announcement.ts';
import type { RunState } from '../../coordinator/state.ts';
import { aggregateCohort } from '../../core/aggregation/aggregate.ts';
import type { RecallCache } from '../../core/aggregation/recall.ts';
import type { AggregationContext } from '../../core/aggregation/rule.ts';
import { attacks, type AttackId } from '../../core/attacks/index.ts';
import type { Dataset } from '../../core/data/dataset.ts';
import { localTask } from '../../core/learning/client/index.ts';
import { decodeKept, nothingKept, settle } from '../../core/learning/client/kept.ts';
import { decodeVectors, type Vectors } from '../../core/learning/vectors.ts';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { keepsState, planManifest } from '../../core/plan/learning.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Rng } from '../../core/random/rng.ts';
import type { Compute } from '../../ports/compute.ts';
import { schemeBytes, signatureSchemeDefault } from '../../core/protocol/signature-scheme.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { SiteMemory } from '../../ports/site-memory.ts';
import type { Trainer, TrainerTask } from '../../ports/trainer.ts';
import type { Hostility, Scenario } from './scenario.ts';
import { bytesFrom, createSimulatedCrypto } from './simulated-crypto.ts';
import { createTraining, type Training } from './training.ts';
import { type WireAttack, wireAttacks, type WireAttackId } from './wire-attacks.ts';

/** How the sites of a world train, by the number of the client. */
export type Sites = {
  readonly trainerOf: (index: number) => Trainer;
  readonly test: Dataset | null;
};

/** Who takes part in a world, who of them lies, and how they train. */
export type Cast = {
  readonly clientIds: readonly string[];
  readonly hostility: ReadonlyMap<string, Hostility>;
  readonly training: Training;
  /** What each site remembers: it outlives its client's process. */
  readonly memoryOf: (clientId: string) => SiteMemory;
  wireAttackOf(clientId: string): WireAttack | undefined;
};

export function castOf(
  { plan, attackers }: Pick<Scenario, 'plan' | 'attackers'>,
  sites: Sites,
  {
    rng,
    isWatched,
    compute,
    seen,
    known = () => ({}),
  }: {
    readonly rng: Rng;
    readonly isWatched: boolean;
    readonly compute: Compute;
    readonly seen: Seen;
    /** What an attacker that knows the rule knows of this round's aggregation beside the rows. */
    readonly known?: () => AggregationContext;
  },
): Cast {
  const { expected } = plan.cohort;
  const clientIds = Array.from({ length: expected }, (_, i) => `client-${String(i + 1).padStart(2, '0')}`);
  const hostility = new Map([...attackers].map(([index, kind]) => [clientIds[index]!, kind]));
  const memories = new Map(clientIds.map((clientId) => [clientId, createVolatileSiteMemory()]));
  const memoryOf = (clientId: string) => memories.get(clientId)!;
  const wireAttackOf = (clientId: string): WireAttack | undefined => {
    const kind = hostility.get(clientId) ?? '';
    return Object.hasOwn(wireAttacks, kind) ? wireAttacks[kind as WireAttackId] : undefined;
  };
  const lies = (clientId: string) => Object.hasOwn(attacks, hostility.get(clientId) ?? '');
  const honestFirst = [...clientIds.filter((id) => !lies(id)), ...clientIds.filter(lies)];
  const recallCache: RecallCache = new WeakMap();
  const training = createTraining({
    honest: new Map(clientIds.map((clientId, i) => [clientId, sites.trainerOf(i)])),
    attackOf(clientId) {
      const kind = hostility.get(clientId) ?? '';
      return Object.hasOwn(attacks, kind) ? (kind as AttackId) : undefined;
    },
    claimOf: (clientId, trainer) => wireAttackOf(clientId)?.trainer?.(trainer) ?? trainer,
    async aggregate(rows) {
      const context = known();
      // A rule that remembers knows the rows by name: the honest come first, as the attacker lines them up.
      const names = Object.keys(context.memory ?? {}).length > 0 ? { clientIds: honestFirst } : {};
      const cohort = { rows, ...names, hasDiagnostics: false };
      const { vector } = await aggregateCohort(cohort, plan.aggregation.pipeline, { ...context, recallCache }, compute);
      return vector;
    },
    rng: rng.child('training'),
    isWatched,
    taskOf: (clientId, task) => taskOf(plan, seen, { clientId, memory: memoryOf(clientId) }, task),
  });
  return { clientIds, hostility, training, memoryOf, wireAttackOf };
}

/** What an omniscient attacker sees of the open round, where clients keep something that follows from it. */
export type Seen = (clientId: string) => Promise<{
  readonly counted: number;
  readonly parameters: Float32Array;
  readonly server: Vectors;
} | null>;

/** What is seen of a run by its journal and the files of its models. */
export function seenInRun(
  plan: Plan,
  run: () => RunState,
  file: (hash: string) => Promise<Uint8Array | undefined>,
): Seen {
  return async (clientId) => {
    const now = run();
    if (now.facts === null) return null;
    const model = decodeSafetensors((await file(now.facts.baseModel))!);
    const beside = model.metadata['qflare.control'];
    const server = beside === undefined ? {} : decodeVectors((await file(beside))!).vectors;
    return { counted: countedRound(now, clientId), parameters: valuesFor(planManifest(plan), model), server };
  };
}

/** The task of a client in the round of another's task. */
async function taskOf(
  plan: Plan,
  seen: Seen,
  { clientId, memory }: { readonly clientId: string; readonly memory: SiteMemory },
  task: TrainerTask,
): Promise<TrainerTask> {
  const { round } = task;
  const seed = trainingSeed(plan, clientId, round);
  const now = keepsState(plan) ? await seen(clientId) : null;
  if (now === null) return { ...task, seed };
  const { counted, parameters, server } = now;
  const bytes = await memory.read('kept');
  const kept = bytes === undefined ? nothingKept : decodeKept(bytes);
  const { settled: state } = settle(kept, { round, counted });
  return localTask(plan.learning.client, {
    manifest: planManifest(plan),
    task: { parameters, round, seed },
    state,
    server,
  });
}

/** Cryptography for each machine of a world. Of the real one, keys, nonces and tokens are seeded; the rest cannot be. */
export function cryptoMaker(isReal: boolean): (rng: Rng) => Crypto {
  if (!isReal) return createSimulatedCrypto;
  const real = createNodeCrypto();
  return (rng) => {
    const randomBytes = bytesFrom(rng);
    return {
      ...real,
      randomBytes,
      generateSigningKey(scheme = signatureSchemeDefault) {
        const seed = randomBytes(schemeBytes(scheme, 'seedBytes'));
        return { ...real.importSigningKey(seed), exportSeed: () => seed };
      },
    };
  };
}
