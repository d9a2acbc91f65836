import { createHash } from '../../primitives/index.ts';
import { createMemoryBlobs } from '../../adapters/blobs-memory.ts';
import { trainAtSite } from '../../client/site-learning.ts';
import { createModels } from '../../coordinator/models.ts';
import type { LocalUpdate } from '../../core/learning/client/client-algorithm.ts';
import { wireVector } from '../../core/learning/client/index.ts';
import { initialParameters } from '../../core/learning/model-spec.ts';
import { sharedPart } from '../../core/learning/fed-bn.ts';
import { planManifest, updateShape } from '../../core/plan/learning.ts';
import { createRng } from '../../core/random/rng.ts';
import { globalStep, lastAggregateOf, remembering, startState } from '../../core/round/global-step.ts';
import type { Blobs } from '../../ports/blobs.ts';
import { castOf, type Sites } from './cast.ts';
import type { Scenario } from './scenario.ts';
import { createSimulatedCrypto } from './simulated-crypto.ts';
import { place, tools } from './world.ts';

/** What the bare path leaves out, to be said wherever its figures appear. */
export const leftOutByBarePath = [
  'coordinator, journal and rounds as a state machine',
  'network, sessions, envelopes and update codec',
  'detectors, evaluation at clients, absent clients and faults',
] as const;

/** The model after a round, as measured on the test data. */
export type Measured = { readonly round: number; readonly accuracy: number; readonly loss: number };

export type BareResult = {
  readonly measured: readonly Measured[];
  /** Why training ended early: values that are no longer finite. */
  readonly diverged: string | null;
  /** SHA-256 of the last model's file. */
  readonly modelHash: string;
  readonly parameters: Float32Array;
  readonly attackers: readonly string[];
};

/**
 * A run as arithmetic alone: train, attack, aggregate, step; in each round every client takes part.
 *
 * Promises: the bytes of the model that the fast path gives for the same scenario, where no attack searches against a
 *           rule that reads the last aggregate or remembers: here such an attacker knows both.
 */
export async function runBareWorld(options: {
  readonly scenario: Pick<Scenario, 'seed' | 'plan' | 'attackers'>;
  readonly sites: Sites;
  /** Whether the model after this round is measured; the last one always is. */
  readonly isMeasured: (round: number) => boolean;
  readonly onRound?: ((round: number) => void) | undefined;
}): Promise<BareResult> {
  const { scenario, sites, isMeasured } = options;
  const { plan, seed } = scenario;
  const root = createRng(seed).child('world');
  const seeds = createRng(plan.seed);
  const models = createModels({ plan, ...place, crypto: createSimulatedCrypto(root), blobs: hashesOnly() });
  let state = startState(initialParameters(plan.model, seeds.child('initial-model')));
  let round = 0;
  const cast = castOf(scenario, sites, {
    rng: root,
    isWatched: false,
    compute: tools.compute,
    known: () => ({
      reference: lastAggregateOf(plan, state),
      seed: seeds.child('aggregation', round).uint32(),
      ...remembering(plan, sharedPart(planManifest(plan), state.model), state.memory),
    }),
    seen: async () => ({ counted: round - 1, parameters: state.model, server: state.control }),
  });
  const { clientIds, memoryOf } = cast;
  const trainers = clientIds.map((clientId) => cast.training.trainerOf(clientId));
  const { rows } = tools.compute.allocate(clientIds.length, updateShape(plan).count);
  let parent = await models.writeInitial();
  const measured: Measured[] = [];
  let diverged: string | null = null;

  async function oneRound(): Promise<void> {
    const updates: LocalUpdate[] = [];
    for (const [i, clientId] of clientIds.entries()) {
      const site = { plan, clientId, trainer: trainers[i]!, memory: memoryOf(clientId), round, counted: round - 1 };
      const update = await trainAtSite({ ...site, parameters: state.model, server: state.control });
      rows[i]!.set(wireVector(update));
      updates.push(update);
    }
    const claimedExamples = updates.map((update) => update.claimedExamples);
    const accumulations = updates.map((update) => update.accumulation);
    const sent = { clientIds, rows, claimedExamples, accumulations, hasDiagnostics: false };
    const { next } = await globalStep(plan, round, state, sent, tools.compute);
    state = next;
    const file = { version: parent.version + 1, parentHash: parent.hash, round };
    parent = await models.write(state.model, file, state);
  }

  async function measure(): Promise<void> {
    if (sites.test === null) return;
    const { accuracy, loss } = await tools.engine.evaluate({
      spec: plan.model,
      parameters: state.model,
      data: sites.test,
    });
    measured.push({ round, accuracy, loss: Number.isFinite(loss) ? loss : Number.MAX_VALUE });
  }

  while (round < plan.rounds.count && diverged === null) {
    round += 1;
    try {
      await oneRound();
    } catch (error) {
      diverged = divergenceOf(error, round);
    }
    if (diverged !== null || round === plan.rounds.count || isMeasured(round)) await measure();
    options.onRound?.(round);
  }
  const attackers = [...cast.hostility.keys()].sort();
  return { measured, diverged, modelHash: parent.hash, parameters: state.model, attackers };
}

/** What training, aggregation and the next model say when values have left the numbers. */
const divergences = /loss must stay finite|must be at least one row|must be finite/;

/** The sentence of a divergence; any other error goes on. */
function divergenceOf(error: unknown, round: number): string {
  if (error instanceof Error && divergences.test(error.message)) return `round ${round}: ${error.message}`;
  throw error;
}

/** Names models and keeps none of them. */
function hashesOnly(): Blobs {
  return {
    ...createMemoryBlobs(),
    async put(content) {
      const hash = createHash('sha256');
      for await (const part of content instanceof Uint8Array ? [content] : content) hash.update(part);
      return hash.digest('hex');
    },
  };
}
