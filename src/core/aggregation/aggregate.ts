import type { Compute, Mixing, Row } from '../../ports/compute.ts';
import type { Cohort } from './cohort.ts';
import { assertCohort, canonicalOrder, contextOf, select } from './cohort.ts';
import type { Done, NonFinite } from './combine-pass.ts';
import { byColumn, weighted } from './combine-pass.ts';
import { accumulated } from './history.ts';
import { countOnly, extrasOf, measure, referenceOf } from './measure-pass.ts';
import { looksOf } from './looks.ts';
import { composed } from './mixing.ts';
import { isHeld } from '../vector/tiles.ts';
import { type Recall, recall, type RuleMemory } from './recall.ts';
import type { ParsedStep, Pipeline } from './pipeline.ts';
import { byzantineCount, outputCount, parsePipeline, rangeProblems } from './pipeline.ts';
import type { AggregationReport, DroppedRow } from './report.ts';
import { reportOf } from './report.ts';
import { isWalked, walkOver } from './walk-pass.ts';
import type { AggregationContext, StepContext } from './rule.ts';
import type { Span } from './span.ts';

/**
 * Aggregates the rows of a cohort by a pipeline, in two passes over the data, or a few where that is faster (`isWalked`).
 *
 * Rows are taken in canonical order (by client id), so that arrival order changes no bit. A row with a NaN or an
 * infinity is dropped and reported, and f falls by one.
 * Errors: RangeError for a pipeline that cannot run on these rows, a row of another length, or too few rows.
 */
export async function aggregateCohort(
  cohort: Cohort,
  pipeline: Pipeline,
  context: AggregationContext,
  compute: Compute,
): Promise<AggregationReport> {
  const steps = parsePipeline(pipeline);
  assertCohort(cohort, context);
  const clientIds = cohort.clientIds ?? context.clientIds;
  let kept = canonicalOrder(cohort.rows.length, clientIds);
  const dropped: DroppedRow[] = [];
  for (;;) {
    const problem = rangeProblems(steps, kept.length, dropped.length)[0];
    if (problem !== undefined) throw new RangeError(`${problem.message} (at "${problem.path}")`);
    const rows = select(cohort.rows, kept);
    const attempt = await runOnce(
      { ...cohort, rows },
      steps,
      { ...contextOf(context, kept), ...(clientIds === undefined ? {} : { clientIds: select(clientIds, kept) }) },
      dropped.length,
      compute,
    );
    if (attempt.kind === 'done') {
      const report = reportOf(cohort.rows.length, kept, dropped, attempt);
      return steps.at(-1)!.rule.readsHistory === true ? withHistory(report, cohort, context) : report;
    }
    for (const position of attempt.rows) {
      const index = kept[position]!;
      dropped.push({ index, clientId: clientIds?.[index] ?? String(index), reason: 'non-finite' });
    }
    kept = kept.filter((_, position) => !attempt.rows.includes(position));
  }
}

/** A dropped row adds nothing to the history of its client. There is none of rows that are too large to hold. */
function withHistory(report: AggregationReport, { rows }: Cohort, context: AggregationContext): AggregationReport {
  if (!rows.every(isHeld)) return report;
  const isDropped = new Set(report.dropped.map(({ index }) => index));
  const counted = rows.map((row, i) => (isDropped.has(i) ? new Float64Array(row.length) : row));
  return { ...report, nextState: { ...report.nextState, history: accumulated(counted, context.history) } };
}

/** Measure, let each step look, combine. */
async function runOnce(
  { rows, into, hasDiagnostics = true }: Cohort,
  steps: readonly ParsedStep[],
  context: AggregationContext,
  dropped: number,
  compute: Compute,
): Promise<(Done & { readonly memory?: RuleMemory | undefined }) | NonFinite> {
  const reference = referenceOf(rows, steps, context);
  const walks = isWalked(steps, rows.length, rows[0]!.length);
  const pass = await measure(rows, walks ? steps.slice(0, -1) : steps, reference, compute);
  if (pass.nonFinite.length > 0) return { kind: 'non-finite', rows: pass.nonFinite };
  const remembered = await recalled(rows, steps, context);
  const answers = remembered?.answers ?? null;
  const extras = { ...(await extrasOf(rows, steps, context, compute)), answers, looks: null };
  const { span, mixing, count, weights } = mixAll(rows, steps, pass.span, context, (step, points) => ({
    ...extras,
    f: byzantineCount(step, points, dropped),
    weights: null,
  }));
  const last = steps.at(-1)!;
  const seen = await looksOf(rows, last, extras.seed, compute);
  const looks = seen?.map((look) => (mixing === null ? look : look.mix(mixing))) ?? null;
  const stepContext = { ...extras, looks, f: byzantineCount(last, count, dropped), weights };
  const products = pass.level === 'gram' ? pass.span : null;
  const input = { rows, mixing, reference, span: products, hasDiagnostics, into };
  if (last.rule.kind === 'columns') {
    return byColumn(input, last.rule.choose(span, last.options, stepContext, count), compute);
  }
  if (last.rule.kind === 'mix') throw new RangeError('Cannot aggregate as the last step must be an aggregator');
  const weighing = walks
    ? await walkOver(last.rule.walking!.walk(count, reference !== null, last.options), { ...input, span }, compute)
    : last.rule.weigh(span ?? countOnly(count), last.options, stepContext);
  if ('kind' in weighing) return weighing;
  const done = await weighted(input, weighing, compute);
  return done.kind === 'done' ? { ...done, memory: remembered?.next } : done;
}

/** What memory says of the rows; null for a rule that remembers nothing, and where rows have no names or no model. */
async function recalled(
  rows: readonly Row[],
  steps: readonly ParsedStep[],
  { clientIds, base, memory = {}, memorySeed = 0, recallCache }: AggregationContext,
): Promise<Recall | null> {
  if (steps.at(-1)!.rule.remembers !== true || clientIds === undefined || base === undefined) return null;
  return recall({ rows, clientIds, base, memory, seed: memorySeed, cache: recallCache });
}

type Mixed = {
  readonly span: Span | null;
  readonly mixing: Mixing | null;
  readonly count: number;
  /** Claimed weights, as long as each point is still the point of its client. */
  readonly weights: readonly number[] | null;
};

/** Runs the pre-aggregators on the span and joins their mixings into one. */
function mixAll(
  rows: readonly Row[],
  steps: readonly ParsedStep[],
  products: Span | null,
  context: AggregationContext,
  contextAt: (step: ParsedStep, count: number) => StepContext,
): Mixed {
  let [span, mixing, count, weights] = [products, null as Mixing | null, rows.length, context.weights ?? null];
  for (const step of steps.slice(0, -1)) {
    if (step.rule.kind !== 'mix') continue;
    const next = step.rule.mix(span, step.options, contextAt(step, count), count);
    span = span?.mix(next) ?? null;
    mixing = mixing === null ? next : composed(next, mixing, rows.length);
    if (step.rule.keepsClients !== true) weights = null;
    count = outputCount(step, count);
  }
  return { span, mixing, count, weights };
}
