import type { Compute, SpooledRow } from '../../ports/compute.ts';
import { aggregateCohort } from '../aggregation/aggregate.ts';
import type { RuleMemory } from '../aggregation/recall.ts';
import type { AggregationReport } from '../aggregation/report.ts';
import { traitsOf } from '../learning/client/index.ts';
import { isStateless, lastAggregateRow, nextModelTiles } from '../learning/server/next-model.ts';
import type { Plan } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { remembering, type RoundUpdates } from './global-step.ts';

/** Whether a round of a plan needs the model and its parent only, tile by tile: FedAvg of plain updates, all shared. */
export function isStreamable({ learning }: Plan): boolean {
  const { travels, isNormalised, isSummed } = traitsOf(learning.client);
  const isPlain = travels === null && !isNormalised && !isSummed;
  return isStateless(learning.server) && isPlain && learning.local.length === 0;
}

/**
 * The step of a streamable plan for models of any size: the same model, bit for bit, as `globalStep` gives.
 *
 * Shapes: rows [n × d], model [d] read range by range → tiles of the next model. Cost: `into` and a few tiles of memory.
 */
export async function streamedStep(
  plan: Plan,
  round: number,
  before: { readonly model: SpooledRow; readonly parent: SpooledRow | null; readonly memory: RuleMemory },
  updates: RoundUpdates & { readonly into: Float32Array },
  compute: Compute,
): Promise<{ readonly model: AsyncIterable<Float32Array>; readonly report: AggregationReport }> {
  const { server } = plan.learning;
  const { rows, clientIds, claimedExamples, hasDiagnostics, into } = updates;
  const report = await aggregateCohort(
    { rows, clientIds, hasDiagnostics, into },
    plan.aggregation.pipeline,
    {
      weights: claimedExamples,
      reference: lastAggregateRow(server, before),
      seed: createRng(plan.seed).child('aggregation', round).uint32(),
      ...remembering(plan, before.model, before.memory),
    },
    compute,
  );
  // Rows of float32 give a float32 vector.
  return { report, model: nextModelTiles(server, before.model, report.vector as Float32Array) };
}
