import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import type { Metrics, Update } from '../core/intake/stages.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import { combineMetrics } from '../core/round/evaluation.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
import { inspect } from './inspection.ts';
import type { Draft } from './journal.ts';
import type { Models } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import type { Decision, RunLog } from './run-log.ts';

/** What a phase makes of its contributions: changes and journal entries, to be recorded together with the event. */
export type Reduced = Pick<Decision<void>, 'changes' | 'drafts'>;

/**
 * Aggregates the updates of a round into the next model.
 *
 * Promises: a function of the base model, its parent and the contributions in canonical order: after a restart the same
 *           contributions give the same bytes.
 */
export async function aggregateUpdates(
  { parts, log, models }: { parts: CoordinatorParts; log: RunLog; models: Models },
  round: Round,
  contributions: readonly Contribution[],
  updates: readonly Update[],
): Promise<Reduced> {
  const { plan, compute } = parts;
  const { models: rows, run } = log.snapshot();
  const parent = rows.find((row) => row.hash === run.facts!.baseModel)!;
  const base = await models.parameters(parent.hash);
  const clientIds = contributions.map(({ clientId }) => clientId);

  const reference = await lastAggregate(models, rows, parent.hash, plan.aggregation.serverLearningRate);
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

  const next = base.slice();
  const rate = plan.aggregation.serverLearningRate;
  for (let i = 0; i < next.length; i++) next[i] = base[i]! + rate * report.vector[i]!;

  const bad = next.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new Error(`Cannot publish the new model as parameter ${bad} must be finite: it is ${next[bad]}`);

  const { inspection, verdicts: judged } = await inspect(parts, run.detection, {
    round: round.number,
    clientIds,
    rows: updates.map((update) => update.delta),
    report,
    reference,
    base,
  });
  const { norms, cosines } = report.diagnostics;
  const verdicts = judged.map(
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
  const model = await models.write(next, { version: parent.version + 1, parentHash: parent.hash, round: round.number });
  return {
    changes: [{ kind: 'model', model }],
    drafts: [
      {
        kind: 'round.verdicts',
        round: round.number,
        data: { verdicts: verdicts as unknown as Json, inspection: inspection as unknown as Json },
      },
      {
        kind: 'model.published',
        round: round.number,
        data: {
          version: model.version,
          hash: model.hash,
          parentHash: parent.hash,
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

/** The step that led to the base model: what centred clipping clips around. Zero for the first round. */
async function lastAggregate(
  models: Models,
  rows: readonly { readonly hash: string; readonly parentHash: string | null }[],
  hash: string,
  rate: number,
): Promise<Float32Array> {
  const now = await models.parameters(hash);
  const step = new Float32Array(now.length);
  const parentHash = rows.find((row) => row.hash === hash)?.parentHash;
  if (parentHash === null || parentHash === undefined) return step;
  const before = await models.parameters(parentHash);
  for (let i = 0; i < step.length; i++) step[i] = (now[i]! - before[i]!) / rate;
  return step;
}
