import type { AggregationReport } from '../core/aggregation/report.ts';
import { detectors } from '../core/detection/index.ts';
import { leaveOneOutCosines } from '../core/detection/leave-one-out.ts';
import type { Metrics, Update } from '../core/intake/stages.ts';
import { nextModel } from '../core/learning/server/next-model.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { combineMetrics } from '../core/round/evaluation.ts';
import { type GlobalState, globalStep, type RoundUpdates } from '../core/round/global-step.ts';
import type { ClientVerdict, PrivacyFigures } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
import { isStreamable, streamedStep } from '../core/round/streamed-step.ts';
import type { Change, ModelRow } from '../ports/store.ts';
import { type CardFacts, writeCard } from './cards.ts';
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
 *           the same contributions give the same bytes. What the server remembers is in files that the model's file names.
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
  const clientIds = contributions.map(({ clientId }) => clientId);
  const sent: RoundUpdates = {
    clientIds,
    rows: updates.map((update) => update.delta),
    claimedExamples: updates.map((update) => update.claimedExamples),
    accumulations: updates.map((update) => update.accumulation),
  };
  const { next, report, controlReport } = isStreamable(plan)
    ? await stepInTiles()
    : await globalStep(plan, round.number, await models.state(parent), sent, compute);
  const dropped = [...report.dropped, ...(controlReport?.dropped ?? [])].map(({ clientId }) => clientId);
  const used = clientIds.filter((clientId) => !dropped.includes(clientId));
  const card = { clientIds: used, privacy: null };
  const { changes, published } = await writeNext({ parts, models }, round, { parent, next, card });
  const verdicts = verdictsOf(plan, clientIds, report);
  const onControls = controlReport === null ? [] : verdictsOf(plan, clientIds, controlReport);
  const together = verdicts.map((verdict, i) => withControl(verdict, onControls[i]));
  return {
    changes,
    drafts: [
      { kind: 'round.verdicts', round: round.number, data: { verdicts: together as unknown as Json } },
      { ...published, data: { ...published.data, dropped } },
    ],
  };

  /** A plan whose rounds need nothing but the model: it stays in its file, and the aggregate's memory is used again. */
  async function stepInTiles() {
    const before = {
      model: await models.row(parent.hash),
      parent: parent.parentHash === null ? null : await models.row(parent.parentHash),
    };
    const step = await streamedStep(plan, round.number, before, { ...sent, into: models.workspace() }, compute);
    return { next: { model: step.model, optimizer: {}, control: {} }, report: step.report, controlReport: null };
  }
}

/** What the detector says of each row. */
function verdictsOf(plan: Plan, clientIds: readonly string[], report: AggregationReport): readonly ClientVerdict[] {
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
  return detectors[plan.detection.detector].judge(observations).map(
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
}

/** A client that lies in its second vector only is flagged as well. */
function withControl(verdict: ClientVerdict, control: ClientVerdict | undefined): ClientVerdict {
  if (control?.isFlagged !== true) return verdict;
  return {
    ...verdict,
    isFlagged: true,
    score: Math.max(verdict.score, control.score),
    reasons: [...verdict.reasons, ...control.reasons.map((reason) => `control variate: ${reason}`)],
  };
}

/** Makes a private release the next model: nothing else of the updates leaves the round. */
export async function publishRelease(
  { parts, log, models }: { parts: CoordinatorParts; log: RunLog; models: Models },
  round: Round,
  release: (base: Float32Array) => Promise<Released>,
): Promise<Reduced> {
  const { models: rows, run } = log.snapshot();
  const parent = rows.find((row) => row.hash === run.facts!.baseModel)!;
  const { model: base, optimizer } = await models.state(parent);
  const { vector, drafts, ledger } = await release(base);
  const made = nextModel(parts.plan.learning.server, { base, state: optimizer, aggregate: vector });
  const next = { model: made.model, optimizer: made.state, control: {} };
  // Who took part stays secret: amplification by sampling rests on it.
  const card = { clientIds: null, privacy: spentIn(drafts) };
  const { changes, published } = await writeNext({ parts, models }, round, { parent, next, card });
  return { changes, drafts: [...drafts, { ...published, data: { ...published.data, dropped: [] } }], ledger };
}

/** Writes the next model with what belongs to it, and says so. */
async function writeNext(
  { parts, models }: { readonly parts: CoordinatorParts; readonly models: Models },
  round: Round,
  from: {
    readonly parent: ModelRow;
    readonly next: Pick<GlobalState, 'optimizer' | 'control'> & {
      readonly model: Float32Array | AsyncIterable<Float32Array>;
    };
    readonly card: CardFacts;
  },
): Promise<{ readonly changes: readonly Change[]; readonly published: Draft }> {
  const { parent, next } = from;
  const place = { version: parent.version + 1, parentHash: parent.hash, round: round.number };
  const model = await models.write(next.model, place, next);
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
