import type { Compute, Row } from '../../ports/compute.ts';
import { isSpooled } from '../vector/tiles.ts';
import { accumulated } from './history.ts';
import { signSampleOf } from './looks.ts';
import type { ParsedStep } from './pipeline.ts';
import type { AggregationContext, Needs, StepContext } from './rule.ts';
import type { Span } from './span.ts';
import { gramSpan, starSpan } from './span.ts';

/** The extra row that a rule reads, in the precision of the rows. */
export function referenceOf(
  rows: readonly Row[],
  steps: readonly ParsedStep[],
  context: AggregationContext,
): Row | null {
  const last = steps.at(-1)!;
  const source = last.rule.readsRoot === true ? (context.root ?? context.reference) : context.reference;
  if (source === undefined) {
    if (last.rule.requiresReference !== true) return null;
    throw new RangeError(
      `Cannot run ${last.options.rule} as context.reference must be a vector: current value is undefined`,
    );
  }
  if (isSpooled(source)) return source;
  return rows[0] instanceof Float64Array ? Float64Array.from(source) : Float32Array.from(source);
}

type Measured = { readonly level: Needs; readonly span: Span | null; readonly nonFinite: readonly number[] };

/** All products are read: a step needs them, or rows are mixed with one another and norms alone do not tell of mixtures. */
function readsGram(steps: readonly ParsedStep[]): boolean {
  const needs = steps.map(({ rule, options }) => rule.needs(options));
  const hasMixtures = steps.some(({ rule }) => rule.kind === 'mix' && rule.keepsClients !== true);
  return needs.includes('gram') || (needs.includes('star') && hasMixtures);
}

/** The first pass: as much as the neediest step reads. */
export async function measure(
  rows: readonly Row[],
  steps: readonly ParsedStep[],
  reference: Row | null,
  compute: Compute,
): Promise<Measured> {
  if (readsGram(steps)) {
    const pass = await compute.gram(reference === null ? rows : [...rows, reference]);
    return { level: 'gram', span: gramSpan(pass, reference !== null), nonFinite: pass.nonFinite };
  }
  if (steps.some(({ rule, options }) => rule.needs(options) === 'star')) {
    const pass = await compute.star(rows, reference);
    return { level: 'star', span: starSpan(pass), nonFinite: pass.nonFinite };
  }
  return { level: 'nothing', span: null, nonFinite: [] };
}

type Extras = Pick<StepContext, 'seed' | 'history' | 'signs'>;

/** What single rules read beside the products: history, signs, the seed. */
export async function extrasOf(
  rows: readonly Row[],
  steps: readonly ParsedStep[],
  context: AggregationContext,
  compute: Compute,
): Promise<Extras> {
  const last = steps.at(-1)!.rule;
  const seed = context.seed ?? 0;
  const sample = last.readsSigns === true ? await signSampleOf(rows, steps.at(-1)!, seed) : null;
  const d = sample?.[0]!.length ?? 0;
  const signs = sample === null ? null : await compute.signs(sample);
  const history =
    last.readsHistory === true && context.history !== undefined
      ? gramSpan(await compute.gram(accumulated(rows, context.history)), false)
      : null;
  return {
    seed,
    history,
    signs:
      signs === null
        ? null
        : Array.from(signs.positives, (count, i) => ({ positive: count / d, negative: signs.negatives[i]! / d })),
  };
}

/** A span for rules that read the number of points and nothing else. */
export function countOnly(count: number): Span {
  return starSpan({
    norms2: new Float64Array(count),
    referenceDots: null,
    referenceDistances2: null,
    referenceNorm2: 0,
    nonFinite: [],
  });
}
