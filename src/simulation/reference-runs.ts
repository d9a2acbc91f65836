import { createVolatileSiteMemory } from '../adapters/site-memory-volatile.ts';
import { splitSite } from '../adapters/trainer-builtin.ts';
import { encodeAtSite, trainAtSite } from '../client/site-learning.ts';
import type { Pipeline } from '../core/aggregation/pipeline.ts';
import type { AttackId } from '../core/attacks/index.ts';
import { codecs } from '../core/compression/index.ts';
import { concatDatasets } from '../core/data/concat.ts';
import type { Dataset } from '../core/data/dataset.ts';
import type { LocalUpdate } from '../core/learning/client/client-algorithm.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { initialParameters } from '../core/learning/model-spec.ts';
import { updateShape } from '../core/plan/learning.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import { globalStep, startState } from '../core/round/global-step.ts';
import type { Compute } from '../ports/compute.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { Trainer } from '../ports/trainer.ts';

/** A site of a simulated run. */
export type Site = { readonly clientId: string; readonly trainer: Trainer; readonly attack?: AttackId };

export type SimulatedRun = { readonly accuracyByRound: readonly number[]; readonly parameters: Float32Array };

type Tools = { readonly engine: TrainingEngine; readonly compute: Compute; readonly deflate: Deflate };

/**
 * A whole run without network and without faults: the same trainers, seeds, codec and aggregation as the real one.
 *
 * Promises: with the plan's own pipeline it gives the same bytes of model as the real run in which nobody is missing.
 */
export async function runFaultless(
  plan: Plan,
  sites: readonly Site[],
  options: Tools & {
    readonly pipeline: Pipeline;
    readonly test: Dataset;
    readonly onRound?: (round: number) => void;
  },
): Promise<SimulatedRun> {
  const { engine, compute, deflate, pipeline, test } = options;
  const codec = codecs[plan.aggregation.codec];
  const runPlan = { ...plan, aggregation: { ...plan.aggregation, pipeline } } as Plan;
  const ordered = [...sites].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  const clientIds = ordered.map(({ clientId }) => clientId);
  const memories = ordered.map(() => createVolatileSiteMemory());
  const accuracyByRound: number[] = [];
  let state = startState(initialParameters(plan.model, createRng(plan.seed).child('initial-model')));

  for (let round = 1; round <= plan.rounds.count; round++) {
    const updates: LocalUpdate[] = [];
    const rows: Float32Array[] = [];
    for (const [i, { clientId, trainer }] of ordered.entries()) {
      const site = { plan, clientId, trainer, memory: memories[i]!, round, counted: round - 1 };
      const update = await trainAtSite({ ...site, parameters: state.model, server: state.control });
      const bytes = await encodeAtSite(site, update, deflate);
      updates.push(update);
      rows.push(codec.decode(bytes, updateShape(plan).count, deflate)!);
    }
    const claimedExamples = updates.map((update) => update.claimedExamples);
    const accumulations = updates.map((update) => update.accumulation);
    const step = await globalStep(runPlan, round, state, { clientIds, rows, claimedExamples, accumulations }, compute);
    state = step.next;
    const { accuracy } = await engine.evaluate({ spec: plan.model, parameters: state.model, data: test });
    accuracyByRound.push(accuracy);
    options.onRound?.(round);
  }
  return { accuracyByRound, parameters: state.model };
}

/** Training on all sites' data in one place, with the same budget: as many passes as rounds times local epochs. */
export async function runCentralized(
  plan: Plan,
  data: readonly Dataset[],
  options: { readonly engine: TrainingEngine; readonly test: Dataset; readonly onRound?: (round: number) => void },
): Promise<SimulatedRun> {
  const { engine, test } = options;
  const root = createRng(plan.seed);
  const pooled = concatDatasets(data.map((one) => splitSite(plan, one).training));
  const accuracyByRound: number[] = [];
  let parameters: Float32Array = initialParameters(plan.model, root.child('initial-model'));
  for (let round = 1; round <= plan.rounds.count; round++) {
    const rng = root.child('centralized', round);
    const result = await engine.train({ spec: plan.model, parameters, data: pooled, options: plan.training, rng });
    parameters = result.parameters;
    accuracyByRound.push((await engine.evaluate({ spec: plan.model, parameters, data: test })).accuracy);
    options.onRound?.(round);
  }
  return { accuracyByRound, parameters };
}
