import { splitSite } from '../adapters/trainer-builtin.ts';
import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import type { Pipeline } from '../core/aggregation/pipeline.ts';
import type { AttackId } from '../core/attacks/index.ts';
import { codecs } from '../core/compression/index.ts';
import { concatDatasets } from '../core/data/concat.ts';
import type { Dataset } from '../core/data/dataset.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { initialParameters } from '../core/learning/model-spec.ts';
import { lastAggregate, nextModel } from '../core/learning/server/next-model.ts';
import type { Vectors } from '../core/learning/vectors.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
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
  const root = createRng(plan.seed);
  const { server } = plan.learning;
  const ordered = [...sites].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  const accuracyByRound: number[] = [];
  let parameters: Float32Array = initialParameters(plan.model, root.child('initial-model'));
  let reference: Float32Array = new Float32Array(parameters.length);
  let state: Vectors = {};

  for (let round = 1; round <= plan.rounds.count; round++) {
    const rows: Float32Array[] = [];
    const weights: number[] = [];
    for (const { clientId, trainer } of ordered) {
      const seed = root.child('train', clientId, round).uint32();
      const result = await trainer.train({ parameters, round, seed });
      const delta = result.parameters.map((value, i) => value - parameters[i]!);
      rows.push(codec.decode(codec.encode(delta, deflate), delta.length, deflate)!);
      weights.push(result.examples);
    }
    const clientIds = ordered.map(({ clientId }) => clientId);
    const seed = root.child('aggregation', round).uint32();
    const { vector } = await aggregateCohort({ rows, clientIds }, pipeline, { weights, reference, seed }, compute);
    const before = parameters;
    const next = nextModel(server, { base: before, aggregate: Float32Array.from(vector), state });
    ({ model: parameters, state } = next);
    reference = lastAggregate(server, { model: parameters, parent: before, state });
    accuracyByRound.push((await engine.evaluate({ spec: plan.model, parameters, data: test })).accuracy);
    options.onRound?.(round);
  }
  return { accuracyByRound, parameters };
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
