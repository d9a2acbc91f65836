import type { Compute, Row, SpooledRow } from '../../ports/compute.ts';
import { aggregateCohort } from '../aggregation/aggregate.ts';
import type { RuleMemory } from '../aggregation/recall.ts';
import type { AggregationContext } from '../aggregation/rule.ts';
import type { AggregationReport } from '../aggregation/report.ts';
import { traitsOf } from '../learning/client/index.ts';
import { effectiveSteps } from '../learning/client/fed-nova.ts';
import { nextControl } from '../learning/client/scaffold.ts';
import { sharedPart, withShared } from '../learning/fed-bn.ts';
import { lastAggregate, nextModel } from '../learning/server/next-model.ts';
import type { Vectors } from '../learning/vectors.ts';
import { planManifest, updateShape } from '../plan/learning.ts';
import { regressionOf } from '../plan/newton.ts';
import type { Plan } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { newtonRound } from './newton-step.ts';

/** Everything that a round starts from. */
export type GlobalState = {
  /** The whole model, with the tensors that never travel as they were at the start. */
  readonly model: Float32Array;
  /** The model before it; null for the first. */
  readonly parent: Float32Array | null;
  /** What the server's optimiser remembers. */
  readonly optimizer: Vectors;
  /** What is sent beside the model; empty where nothing is, or before the first round. */
  readonly control: Vectors;
  /** What the rule keeps of clients; empty for one that remembers nothing. It never leaves the coordinator. */
  readonly memory: RuleMemory;
};

/** The accepted updates of a round, by client in canonical order. */
export type RoundUpdates = {
  readonly clientIds: readonly string[];
  readonly rows: readonly Row[];
  readonly claimedExamples: readonly number[];
  readonly accumulations: readonly number[];
  /** Norms and cosines of the rows; true unless said. */
  readonly hasDiagnostics?: boolean;
};

export type GlobalStep = {
  readonly next: GlobalState;
  readonly report: AggregationReport;
  /** Of the second vector; null where none travels. */
  readonly controlReport: AggregationReport | null;
};

/** The state before the first round. */
export function startState(model: Float32Array): GlobalState {
  return { model, parent: null, optimizer: {}, control: {}, memory: {} };
}

/**
 * What a round makes of the updates that were accepted: the next model, and what goes with it.
 *
 * Formula:  Δ = F(x_1 … x_n) by the plan's pipeline; FedNova: times the effective steps; the server's optimiser turns it
 *           into the next model. SCAFFOLD: the second vectors are aggregated by the same pipeline on rows of their own.
 *           Newton: the sums are solved with, see `newtonRound`.
 * Promises: a function of its arguments: coordinator, simulation and checks get the same bits.
 * Errors:   RangeError where the pipeline cannot run on these rows, or the model would not be finite.
 */
export async function globalStep(
  plan: Plan,
  round: number,
  state: GlobalState,
  updates: RoundUpdates,
  compute: Compute,
): Promise<GlobalStep> {
  const manifest = planManifest(plan);
  const { server, client } = plan.learning;
  const { count, deltaCount } = updateShape(plan);
  const { clientIds, claimedExamples, hasDiagnostics = true } = updates;
  const seeds = createRng(plan.seed).child('aggregation', round);
  const { travels } = traitsOf(client);
  const base = sharedPart(manifest, state.model);

  const report = await aggregateCohort(
    {
      rows: count === deltaCount ? updates.rows : updates.rows.map((row) => part(row, 0, deltaCount)),
      clientIds,
      hasDiagnostics,
    },
    plan.aggregation.pipeline,
    {
      weights: claimedExamples,
      reference: lastAggregateOf(plan, state),
      seed: seeds.uint32(),
      ...remembering(plan, base, state.memory),
    },
    compute,
  );
  if (client.algorithm === 'newton') return solved(client.penalty);
  const aggregate = Float32Array.from(report.vector);
  const scale = effectiveScale(plan, updates, report);
  if (scale !== 1) scaleInto(aggregate, scale);
  const next = nextModel(server, { base, state: state.optimizer, aggregate });
  const controlled = travels === null ? null : await controlStep();
  return {
    next: {
      model: withShared(manifest, state.model, next.model),
      parent: state.model,
      optimizer: next.state,
      control: controlled?.control ?? {},
      memory: report.nextState.memory ?? {},
    },
    report,
    controlReport: controlled?.report ?? null,
  };

  /** The report is of the gradients alone: what is solved with are the sums as they were sent, in float64. */
  async function solved(penalty: number): Promise<GlobalStep> {
    const isDropped = new Set(report.dropped.map(({ index }) => index));
    const sent = updates.rows
      .map((row, i) => ({ clientId: clientIds[i]!, row, claimedExamples: claimedExamples[i]! }))
      .filter((_, i) => !isDropped.has(i));
    const before = { parameters: state.model, optimizer: state.optimizer };
    const { parameters, optimizer } = await newtonRound(regressionOf(plan.model), penalty, before, sent);
    const next = { model: parameters, parent: state.model, optimizer, control: {}, memory: {} };
    return { next, report, controlReport: null };
  }

  async function controlStep() {
    const control = state.control['control'] ?? new Float32Array(deltaCount);
    const rows = updates.rows.map((row) => plus(part(row, deltaCount, deltaCount), control));
    const context = { weights: claimedExamples, reference: control, seed: seeds.child('control').uint32() };
    const made = await aggregateCohort(
      { rows, clientIds, hasDiagnostics },
      plan.aggregation.pipeline,
      context,
      compute,
    );
    const counts = { participants: rows.length, clients: plan.cohort.expected };
    return { report: made, control: { control: nextControl(control, Float32Array.from(made.vector), counts) } };
  }
}

/** What a rule that remembers reads beside the rows. */
export function remembering(
  { seed }: Pick<Plan, 'seed'>,
  base: Row,
  memory: RuleMemory,
): Required<Pick<AggregationContext, 'base' | 'memory' | 'memorySeed'>> {
  return { base, memory, memorySeed: createRng(seed).child('memory').uint32() };
}

/** The aggregate that led to a model: what some rules clip around. */
export function lastAggregateOf(plan: Plan, { model, parent, optimizer }: GlobalState): Float32Array {
  const manifest = planManifest(plan);
  return lastAggregate(plan.learning.server, {
    model: sharedPart(manifest, model),
    parent: parent === null ? null : sharedPart(manifest, parent),
    state: optimizer,
  });
}

/** What the aggregate counts: FedNova's effective steps, once for all others. */
export function effectiveScale(
  { learning }: Pick<Plan, 'learning'>,
  { clientIds, accumulations }: Pick<RoundUpdates, 'clientIds' | 'accumulations'>,
  { weights }: Pick<AggregationReport, 'weights'>,
): number {
  return traitsOf(learning.client).isNormalised ? effectiveSteps(accumulations, sharesOf(weights, clientIds)) : 1;
}

/** The shares that the rule gave, or equal ones where it gave none. */
function sharesOf(weights: Float64Array | null, clientIds: readonly string[]): readonly number[] {
  const shares = weights === null ? [] : Array.from(weights, (weight) => Math.max(0, weight));
  return shares.some((share) => share > 0) ? shares : clientIds.map(() => 1);
}

function scaleInto(vector: Float32Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) vector[i] = factor * vector[i]!;
}

/** Some values of a row, without a copy. */
function part(row: Row, start: number, count: number): Row {
  if (isSpooled(row)) return { length: count, read: (from, target) => row.read(start + from, target) };
  return row.subarray(start, start + count);
}

/** A row and a vector, added where it is read. */
function plus(row: Row, vector: Float32Array): Row {
  if (!isSpooled(row)) return Float32Array.from(row, (value, i) => value + vector[i]!);
  return {
    length: row.length,
    async read(from, target) {
      await row.read(from, target);
      for (let i = 0; i < target.length; i++) target[i] = target[i]! + vector[from + i]!;
    },
  };
}

function isSpooled(row: Row): row is SpooledRow {
  return 'read' in row;
}
