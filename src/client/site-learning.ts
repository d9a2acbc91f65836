import { encodeWithResidual } from '../core/compression/error-feedback.ts';
import { codecs } from '../core/compression/index.ts';
import type { LocalUpdate } from '../core/learning/client/client-algorithm.ts';
import { personalModel, runClientRound, siteParameters, wireVector } from '../core/learning/client/index.ts';
import { decodeKept, encodeKept, type Kept, nothingKept, settle } from '../core/learning/client/kept.ts';
import type { Vectors } from '../core/learning/vectors.ts';
import { encodeSafetensors } from '../core/model/safetensors.ts';
import { planManifest } from '../core/plan/learning.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { PaceKeeper } from './pace.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { SiteMemory } from '../ports/site-memory.ts';
import type { Trainer, TrainerEvaluation, TrainerTask } from '../ports/trainer.ts';

/** A site in one phase of a round. */
export type SiteRound = {
  readonly plan: Plan;
  readonly clientId: string;
  readonly trainer: Trainer;
  readonly memory: SiteMemory;
  /** What the site measures of itself; without it training goes as the plan says. */
  readonly pace?: PaceKeeper | undefined;
  readonly round: number;
  /** The newest round whose published model this client's update is part of; 0 before the first. */
  readonly counted: number;
  /** The global model, and what the coordinator sent beside it. */
  readonly parameters: Float32Array;
  readonly server: Vectors;
};

/** What a site measured: of the model that it trains from, and of its own where the plan's algorithm has one. */
export type SiteEvaluation = TrainerEvaluation & {
  readonly personal?: Pick<TrainerEvaluation, 'lossSum' | 'correctCount'>;
};

/**
 * Trains as the plan's algorithm has it.
 *
 * Promises: what the algorithm will keep is on disk before the update is given back, and counts once the update has.
 */
export async function trainAtSite(site: SiteRound): Promise<LocalUpdate> {
  const { plan, memory, trainer, pace, round } = site;
  const kept = await settledIn('kept', site);
  const amount = await pace?.next();
  const task = { ...taskOf(site), ...(amount === undefined ? {} : { pace: amount }) };
  const local = { manifest: planManifest(plan), task, state: kept.settled, server: site.server };
  const train = (one: TrainerTask) => (pace ?? trainer).train(one);
  const { update, state } = await runClientRound(plan.learning.client, local, train);
  if (Object.keys(state).length > 0) {
    await memory.write('kept', encodeKept({ settled: kept.settled, pending: { round, vectors: state } }));
  }
  return update;
}

/**
 * An update as the plan's codec sends it.
 *
 * Promises: under error feedback what is left out is on disk before the bytes are given back, and is added to the next
 *           update once this one has counted.
 */
export async function encodeAtSite(
  { plan, memory, round, counted }: Pick<SiteRound, 'plan' | 'memory' | 'round' | 'counted'>,
  update: LocalUpdate,
  deflate: Deflate,
): Promise<Uint8Array> {
  const { codec: id, topK } = plan.aggregation;
  const [codec, vector] = [codecs[id], wireVector(update)];
  const options = topK === undefined ? {} : { topShare: topK.share };
  if (topK?.errorFeedback !== true) return codec.encode(vector, deflate, options);
  const { settled } = await settledIn('residual', { memory, round, counted });
  const { bytes, residual } = encodeWithResidual(codec, { vector, residual: settled?.['left-out'] }, deflate, options);
  await memory.write('residual', encodeKept({ settled, pending: { round, vectors: { 'left-out': residual } } }));
  return bytes;
}

/** Evaluates on the site's hold-out: the model that it would train from, and its own one. Keeps the own one as a file. */
export async function evaluateAtSite(site: SiteRound): Promise<SiteEvaluation> {
  const { plan, memory, trainer } = site;
  const manifest = planManifest(plan);
  const { settled: state } = await settledIn('kept', site);
  const task = taskOf(site);
  const parameters = siteParameters({ manifest, task, state });
  const { examples, lossSum, correctCount } = await trainer.evaluate({ ...task, parameters });
  const local = { manifest, task, state, server: site.server };
  const own = await personalModel(plan.learning.client, local, (one) => trainer.train(one));
  if (own === null) return { examples, lossSum, correctCount };
  await memory.write('personal', encodeSafetensors(manifest, own, { format: 'pt' }));
  const personal = await trainer.evaluate({ ...task, purpose: 'personal', parameters: own });
  return {
    examples,
    lossSum,
    correctCount,
    personal: { lossSum: personal.lossSum, correctCount: personal.correctCount },
  };
}

/** What the site kept under a name, as far as it counts. */
async function settledIn(
  name: 'kept' | 'residual',
  { memory, round, counted }: Pick<SiteRound, 'memory' | 'round' | 'counted'>,
): Promise<Kept> {
  const bytes = await memory.read(name);
  if (bytes === undefined) return nothingKept;
  const kept = decodeKept(bytes);
  const settled = settle(kept, { round, counted });
  if (settled !== kept) await memory.write(name, encodeKept(settled));
  return settled;
}

function taskOf({ plan, clientId, parameters, round }: SiteRound): TrainerTask {
  return { parameters, round, seed: trainingSeed(plan, clientId, round) };
}

/** The seed of a client's training in a round: known to everybody, as it is no secret. */
export function trainingSeed(plan: Plan, clientId: string, round: number): number {
  return createRng(plan.seed).child('train', clientId, round).uint32();
}
