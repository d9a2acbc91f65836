import { aggregateCohort } from '../core/aggregation/aggregate.ts';
import type { Memory } from '../core/detection/memory.ts';
import type { Metrics, Update } from '../core/intake/stages.ts';
import { sharedPart } from '../core/learning/fed-bn.ts';
import { lastAggregateRow, nextModel, type Tiles } from '../core/learning/server/next-model.ts';
import { planManifest } from '../core/plan/learning.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { combineMetrics } from '../core/round/evaluation.ts';
import { type GlobalState, globalStep, lastAggregateOf, type RoundUpdates } from '../core/round/global-step.ts';
import { newReports } from '../core/round/histograms.ts';
import type { PrivacyFigures } from '../core/round/record.ts';
import type { Contribution, Round } from '../core/round/round.ts';
import { isStreamable, streamedStep } from '../core/round/streamed-step.ts';
import type { Change, ModelRow } from '../ports/store.ts';
import { type CardFacts, writeCard } from './cards.ts';
import { inspect } from './inspection.ts';
import type { Draft } from './journal.ts';
import type { Beside, Models } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import type { Released } from './privacy/central.ts';
import type { Decision, RunLog } from './run-log.ts';
import { weightsOf } from './trust.ts';

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
  const { models: known, run } = log.snapshot();
  const parent = known.find((row) => row.hash === run.facts!.baseModel)!;
  const clientIds = contributions.map(({ clientId }) => clientId);
  const claimed = updates.map(({ claimedExamples }, i) => ({ clientId: clientIds[i]!, examples: claimedExamples }));
  const sent: RoundUpdates = {
    clientIds,
    rows: updates.map((update) => update.delta),
    claimedExamples: weightsOf(claimed, round.number, plan, run.detection),
    accumulations: updates.map((update) => update.accumulation),
  };
  const { next, report, controlReport, before } = isStreamable(plan) ? await stepInTiles() : await stepAtOnce();
  // Looked at before the model is written: the aggregate's memory is used again.
  const inspected = await inspect(parts, run.detection, {
    round: round.number,
    clientIds,
    rows: sent.rows,
    report,
    controlReport,
    ...before,
  });
  const dropped = [...report.dropped, ...(controlReport?.dropped ?? [])].map(({ clientId }) => clientId);
  const used = clientIds.filter((clientId) => !dropped.includes(clientId));
  const card = { clientIds: used, privacy: null };
  const { changes, published } = await writeNext({ parts, models }, round, { parent, next, card });
  const reports = newReports(plan, round.number, run.histograms, { clientIds, updates });
  const told: Draft[] =
    reports.length === 0
      ? []
      : [{ kind: 'round.reports', round: round.number, data: { reports: reports as unknown as Json } }];
  return { changes, drafts: [inspected, ...told, { ...published, data: { ...published.data, dropped } }] };

  async function stepAtOnce() {
    const state = await models.state(parent);
    return { ...(await globalStep(plan, round.number, state, sent, compute)), before: vectorsBefore(plan, state) };
  }

  /** The model and the optimiser's state stay in their files, and the aggregate's memory is used again. */
  async function stepInTiles() {
    const from = {
      model: await models.row(parent.hash),
      parent: parent.parentHash === null ? null : await models.row(parent.parentHash),
      optimizer: await models.optimizer(parent.hash),
      memory: await models.memory(parent.hash),
    };
    const step = await streamedStep(plan, round.number, from, { ...sent, into: models.workspace() }, compute);
    return {
      next: {
        model: step.next.model,
        optimizer: step.next.state,
        control: {},
        memory: step.report.nextState.memory ?? {},
      },
      report: step.report,
      controlReport: null,
      before: {
        base: from.model,
        reference: lastAggregateRow(plan.learning.server, { ...from, state: from.optimizer }),
      },
    };
  }
}

/** Makes a private release the next model: nothing else of the updates leaves the round. */
export async function publishRelease(
  { parts, log, models }: { parts: CoordinatorParts; log: RunLog; models: Models },
  round: Round,
  { contributions, updates, release }: Private,
): Promise<Reduced> {
  const { models: rows, run } = log.snapshot();
  const parent = rows.find((row) => row.hash === run.facts!.baseModel)!;
  const state = await models.state(parent);
  const { model: base, optimizer } = state;
  const { vector, drafts, ledger } = await release(base);
  const made = nextModel(parts.plan.learning.server, { base, state: optimizer, aggregate: vector });
  const next = { model: made.model, optimizer: made.state, control: {}, memory: {} };
  // Who took part stays secret: amplification by sampling rests on it.
  const card = { clientIds: null, privacy: spentIn(drafts) };
  const { changes, published } = await writeNext({ parts, models }, round, { parent, next, card });
  const seen = await evidenceOf(parts, run.detection, round, { contributions, updates }, state);
  return { changes, drafts: [...drafts, ...seen, { ...published, data: { ...published.data, dropped: [] } }], ledger };
}

/** What updates were made from, and the step that led there. */
function vectorsBefore(
  plan: Plan,
  state: GlobalState,
): { readonly base: Float32Array; readonly reference: Float32Array } {
  return { base: sharedPart(planManifest(plan), state.model), reference: lastAggregateOf(plan, state) };
}

/** What a private round is made of. */
type Private = {
  readonly contributions: readonly Contribution[];
  readonly updates: readonly Update[];
  readonly release: (base: Float32Array) => Promise<Released>;
};

/** Verdicts on clean updates, where the plan lets the operator have them: outside the bound, and never in a release. */
async function evidenceOf(
  parts: CoordinatorParts,
  memory: Memory,
  round: Round,
  { contributions, updates }: Pick<Private, 'contributions' | 'updates'>,
  state: GlobalState,
): Promise<readonly Draft[]> {
  const { plan, compute } = parts;
  if (plan.privacy.mode !== 'central' || plan.privacy.evidence !== 'operator' || updates.length === 0) return [];
  const clientIds = contributions.map(({ clientId }) => clientId);
  const rows = updates.map(({ delta }) => delta);
  const before = vectorsBefore(plan, state);
  const context = { reference: before.reference };
  const report = await aggregateCohort({ rows, clientIds }, plan.aggregation.pipeline, context, compute);
  return [
    await inspect(parts, memory, { round: round.number, clientIds, rows, report, controlReport: null, ...before }),
  ];
}

/** Writes the next model with what belongs to it, and says so. */
async function writeNext(
  { parts, models }: { readonly parts: CoordinatorParts; readonly models: Models },
  round: Round,
  from: {
    readonly parent: ModelRow;
    readonly next: Pick<GlobalState, 'control' | 'memory'> & {
      readonly model: Float32Array | Tiles;
      readonly optimizer: Beside;
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
