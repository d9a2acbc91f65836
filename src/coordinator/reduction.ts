import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import { detectors } from '../core/detection/index.ts';
import { leaveOneOutCosines } from '../core/detection/leave-one-out.ts';
import type { Metrics, Update } from '../core/intake/stages.ts';
import { lastAggregate, nextModel } from '../core/learning/server/next-model.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import { combineMetrics } from '../core/round/evaluation.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
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
  const base = await models.parameters(parent.hash);
  const state = await models.companion(parent.hash, 'optimizer');
  const { parentHash: grandparent } = parent;
  const reference = lastAggregate(server, {
    state,
    model: base,
    parent: grandparent === null ? null : await models.parameters(grandparent),
  });
  const clientIds = contributions.map(({ clientId }) => clientId);

  const report = await aggregateCohort(
    { rows: updates.map((update) => update.delta), clientIds },
    plan.aggregation.pipeline,
    {
      weights: updates.map((update) => update.claimedExamples),
      reference,
      seed: createRng(plan.seed).child('aggregation', round.number).uint32(),
    },
    compute,
  );
  const next = nextModel(server, { base, state, aggregate: Float32Array.from(report.vector) });

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
