import type { Compute, SpooledRow } from '../../ports/compute.ts';
import { aggregateCohort } from '../aggregation/aggregate.ts';
import type { RuleMemory } from '../aggregation/recall.ts';
import type { AggregationReport } from '../aggregation/report.ts';
import { traitsOf } from '../learning/client/index.ts';
import { lastAggregateRow, nextModelTiles, type Rows } from '../learning/server/next-model.ts';
import type { Plan } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { effectiveScale, remembering, type RoundUpdates } from './global-step.ts';

/** Whether a round of a plan goes tile by tile: plain updates, all shared, under any optimiser of the server. */
export function isStreamable({ learning }: Plan): boolean {
  const { travels, isSummed } = traitsOf(learning.client);
  return travels === null && !isSummed && learning.local.length === 0;
}

/**
 * The step of a streamable plan for models of any size: the same model and the same state of the server's optimiser, bit
 * for bit, as `globalStep` gives.
 *
 * Shapes: rows [n × d], model [d] read range by range → tiles of what is next. Cost: `into` and a few tiles of memory.
 */
export async function streamedStep(
  plan: Plan,
  round: number,
  before: {
    readonly model: SpooledRow;
    readonly parent: SpooledRow | null;
    readonly optimizer: Rows;
    readonly memory: RuleMemory;
  },
  updates: RoundUpdates & { readonly into: Float32Array },
  compute: Compute,
): Promise<{ readonly next: ReturnType<typeof nextModelTiles>; readonly report: AggregationReport }> {
  const { server } = plan.learning;
  const { rows, clientIds, claimedExamples, accumulations, hasDiagnostics, into } = updates;
  const { optimizer: state } = before;
  const report = await aggregateCohort(
    { rows, clientIds, hasDiagnostics, into },
    plan.aggregation.pipeline,
    {
      weights: claimedExamples,
      reference: lastAggregateRow(server, { ...before, state }),
      seed: createRng(plan.seed).child('aggregation', round).uint32(),
      ...remembering(plan, before.model, before.memory),
    },
    compute,
  );
  const scale = effectiveScale(plan, { clientIds, accumulations }, report);
  // Rows of float32 give a float32 vector.
  const aggregate = report.vector as Float32Array;
  return { report, next: nextModelTiles(server, { base: before.model, state, aggregate, scale }) };
}
