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
import type { ClientVerdict, PrivacyFigures } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
import { type CardFacts, writeCard } from './cards.ts';
import type { Change, ModelRow } from '../ports/store.ts';
import type { SpooledRow } from '../ports/compute.ts';
import type { Draft } from './journal.ts';
import type { Models } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import type { Released } from './privacy/central.ts';
import type { Decision, RunLog } from './run-log.ts';

/** What a phase makes of its contributions: changes and journal entries, to be recorded together with the event. */
export type Reduced = Pick<Decision<void>, 'changes' | 'drafts'> & Partial<Pick<Released, 'ledger'>>;

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
  const step = await stepFrom(models, server, parent);
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
  const dropped = report.dropped.map(({ clientId }) => clientId);
  const used = clientIds.filter((clientId) => !dropped.includes(clientId));
  const { changes, published } = await writeNext({ parts, models }, round, {
    parent,
    // A float32 cohort gives a float32 vector.
    next: step.next(report.vector as Float32Array),
    card: { clientIds: used, privacy: null },
  });
  return {
    changes,
    drafts: [
      { kind: 'round.verdicts', round: round.number, data: { verdicts: verdicts as unknown as Json } },
      { ...published, data: { ...published.data, dropped } },
    ],
  };
}

/** Makes a private release the next model: nothing else of the updates leaves the round. */
export async function publishRelease(
  { parts, log, models }: { parts: CoordinatorParts; log: RunLog; models: Models },
  round: Round,
  release: () => Promise<Released>,
): Promise<Reduced> {
  const { models: rows, run } = log.snapshot();
  const parent = rows.find((row) => row.hash === run.facts!.baseModel)!;
  const step = await stepFrom(models, parts.plan.learning.server, parent);
  const { vector, drafts, ledger } = await release();
  // Who took part stays secret: amplification by sampling rests on it.
  const card = { clientIds: null, privacy: spentIn(drafts) };
  const { changes, published } = await writeNext({ parts, models }, round, { parent, next: step.next(vector), card });
  return { changes, drafts: [...drafts, { ...published, data: { ...published.data, dropped: [] } }], ledger };
}

/** Writes the model that an aggregate leads to, and says so. */
async function writeNext(
  { parts, models }: { readonly parts: CoordinatorParts; readonly models: Models },
  round: Round,
  from: {
    readonly parent: ModelRow;
    readonly next: ReturnType<Step['next']>;
    readonly card: CardFacts;
  },
): Promise<{ readonly changes: readonly Change[]; readonly published: Draft }> {
  const { parent, next } = from;
  const place = { version: parent.version + 1, parentHash: parent.hash, round: round.number };
  const model = await models.write(next.model, place, { optimizer: next.state });
  if (parent.parentHash !== null) await models.forgetCompanions(parent.parentHash, parent.hash);
  const data = {
    version: model.version,
    hash: model.hash,
    parentHash: parent.hash,
    ...(await models.companionHashes(model.hash)),
    card: await writeCard(parts, model, from.card),
  };
  return {
    changes: [{ kind: 'model', model }],
    published: { kind: 'model.published', round: round.number, data },
  };
}

/** What the release says that has been spent, for the model's card. */
function spentIn(drafts: readonly Draft[]): CardFacts['privacy'] {
  const data = drafts.find(({ kind }) => kind === 'privacy.released')?.data as unknown as PrivacyFigures | undefined;
  return data === undefined ? null : { epsilon: data.epsilon, delta: data.delta, adjacency: 'add-remove' };
}

/** What the server's optimiser needs of a round's base model, and gives for its aggregate. */
type Step = {
  readonly reference: Float32Array | SpooledRow;
  next(aggregate: Float32Array): {
    readonly model: Float32Array | AsyncIterable<Float32Array>;
    readonly state: Vectors;
  };
};

function stepFrom(models: Models, server: ServerOptimizerOptions, from: ModelRow): Promise<Step> {
  return isStateless(server) ? stepInTiles(models, server, from) : stepWhole(models, server, from);
}

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
