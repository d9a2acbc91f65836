import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import { detectors } from '../core/detection/index.ts';
import { leaveOneOutCosines } from '../core/detection/leave-one-out.ts';
import type { Metrics, Update } from '../core/intake/stages.ts';
import type { ServerOptimizerOptions } from '../core/learning/server/index.ts';
import {
  isStateless,
  lastAggregate,
  lastAggregateRow,
  nextModel,
  nextModelTiles,
} from '../core/learning/server/next-model.ts';
import type { Vectors } from '../core/learning/vectors.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import { combineMetrics } from '../core/round/evaluation.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
import type { SpooledRow } from '../ports/compute.ts';
import type { ModelRow } from '../ports/store.ts';
import type { Draft } from './journal.ts';
import type { Models } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import type { Decision, RunLog } from './run-log.ts';

/** What a phase makes of its contributions: changes and journal entries, to be recorded together with the event. */
export type Reduced = Pick<Decision<void>, 'changes' | 'drafts'>;

/**
 * Aggregates the updates of a round into the next model.
 *
 * Promises: a function of the base model's file, its parent's and the contributions in canonical order: after a restart
 *           the same contributions give the same bytes. The optimiser's state is a file that the model's file names.
 */
export async function aggregateUpdates(
  { parts, log, models }: { parts: CoordinatorParts; log: RunLog; models: Models },
  round: Round,
  contributions: readonly Contribution[],
  updates: readonly Update[],
): Promise<Reduced> {
  const { plan, compute } = parts;
  const { models: rows, run } = log.snapshot();
  const { server } = plan.learning;
  const parent = rows.find((row) => row.hash === run.facts!.baseModel)!;
  const { parentHash: grandparent } = parent;
  const step = isStateless(server)
    ? await stepInTiles(models, server, parent)
    : await stepWhole(models, server, parent);
  const clientIds = contributions.map(({ clientId }) => clientId);

  const report = await aggregateCohort(
    { rows: updates.map((update) => update.delta), clientIds, into: models.workspace() },
    plan.aggregation.pipeline,
    {
      weights: updates.map((update) => update.claimedExamples),
      reference: step.reference,
      seed: createRng(plan.seed).child('aggregation', round.number).uint32(),
    },
    compute,
  );

  const { norms, cosines } = report.diagnostics;
  const { weights } = report;
  const others =
    weights === null ? null : leaveOneOutCosines({ norms, cosines, weights, aggregateNorm: lengthOf(report.vector) });
  const observations = clientIds.map((clientId, i) => ({
    clientId,
    norm: norms[i]!,
    cosine: cosines[i]!,
    othersCosine: others?.[i] ?? null,
  }));
  const verdicts = detectors[plan.detection.detector].judge(observations).map(
    (verdict, i): ClientVerdict => ({
      clientId: verdict.clientId,
      isFlagged: verdict.isFlagged,
      score: verdict.score,
      reasons: verdict.reasons,
      norm: norms[i]!,
      cosine: cosines[i]!,
      weight: report.weights?.[i] ?? null,
    }),
  );
  const place = { version: parent.version + 1, parentHash: parent.hash, round: round.number };
  // A float32 cohort gives a float32 vector.
  const next = step.next(report.vector as Float32Array);
  const model = await models.write(next.model, place, { optimizer: next.state });
  if (grandparent !== null) await models.forgetCompanions(grandparent, parent.hash);
  return {
    changes: [{ kind: 'model', model }],
    drafts: [
      { kind: 'round.verdicts', round: round.number, data: { verdicts: verdicts as unknown as Json } },
      {
        kind: 'model.published',
        round: round.number,
        data: {
          version: model.version,
          hash: model.hash,
          parentHash: parent.hash,
          ...(await models.companionHashes(model.hash)),
          dropped: report.dropped.map(({ clientId }) => clientId),
        },
      },
    ],
  };
}

/** What the server's optimiser needs of a round's base model, and gives for its aggregate. */
type Step = {
  readonly reference: Float32Array | SpooledRow;
  next(aggregate: Float32Array): {
    readonly model: Float32Array | AsyncIterable<Float32Array>;
    readonly state: Vectors;
  };
};

/** An optimiser without state reads its models tile by tile: a round takes one vector of memory beside the tiles. */
async function stepInTiles(
  models: Models,
  server: ServerOptimizerOptions,
  { hash, parentHash }: ModelRow,
): Promise<Step> {
  const model = await models.row(hash);
  const parent = parentHash === null ? null : await models.row(parentHash);
  return {
    reference: lastAggregateRow(server, { model, parent }),
    next: (aggregate) => ({ model: nextModelTiles(server, model, aggregate), state: {} }),
  };
}

/** One with state holds it, the base and the next model as whole vectors. */
async function stepWhole(
  models: Models,
  server: ServerOptimizerOptions,
  { hash, parentHash }: ModelRow,
): Promise<Step> {
  const base = await models.parameters(hash);
  const state = await models.companion(hash, 'optimizer');
  const parent = parentHash === null ? null : await models.parameters(parentHash);
  return {
    reference: lastAggregate(server, { state, model: base, parent }),
    // What is kept as state must not be the vector that the next round writes into.
    next: (aggregate) => nextModel(server, { base, state, aggregate: aggregate.slice() }),
  };
}

/** Combines what clients measured on their hold-outs. */
export function combineEvaluations(
  round: Round,
  contributions: readonly Contribution[],
  metrics: readonly Metrics[],
): Reduced {
  const combined = combineMetrics(contributions.map(({ clientId }, i) => ({ clientId, metrics: metrics[i]! })));
  const drafts: Draft[] =
    combined === null
      ? []
      : [{ kind: 'round.evaluated', round: round.number, data: combined as unknown as { [key: string]: Json } }];
  return { drafts };
}

function lengthOf(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  return Math.sqrt(sum);
}
