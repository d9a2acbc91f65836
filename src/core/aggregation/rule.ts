import { z } from 'zod';
import type { ColumnRule, Mixing, Row, SpooledRow } from '../../ports/compute.ts';
import type { Answers, RecallCache, RuleMemory } from './recall.ts';
import type { Span } from './span.ts';

/** What a caller may know beside the rows. */
export type AggregationContext = {
  /** Claimed example counts by row; capped before use. */
  readonly weights?: readonly number[];
  /** Names by row: the canonical order of sums and ties. Without them the order of the rows counts. */
  readonly clientIds?: readonly string[];
  /** Last output (centred clipping, geometric median), pivot (MoNNA) or trusted update (FLTrust). */
  readonly reference?: ArrayLike<number> | SpooledRow;
  /** The trusted server's own update, when it is not the reference (FLTrust). */
  readonly root?: ArrayLike<number>;
  /** Accumulated updates by row (FoolsGold). */
  readonly history?: readonly ArrayLike<number>[];
  /** The model that the rows were made from, for a rule that remembers; it does so with `clientIds` only. */
  readonly base?: Row;
  /** What such a rule kept of earlier rounds: `nextState.memory` of the last one. */
  readonly memory?: RuleMemory;
  /** Of the sketches in the memory: the same in every round. */
  readonly memorySeed?: number;
  /** Saves the second reading of rows that stay as they are from call to call, under one `memorySeed`. */
  readonly recallCache?: RecallCache;
  /** The only source of randomness. */
  readonly seed?: number;
};

/** What one step of a pipeline sees beside its options. */
export type StepContext = {
  /** Byzantine rows assumed, after dropped rows and `auto`. */
  readonly f: number;
  /** Claimed weights of the points, if no pre-aggregator has mixed them. */
  readonly weights: readonly number[] | null;
  readonly seed: number;
  /** Products of the accumulated updates, for a rule that needs history. */
  readonly history: Span | null;
  /** How each client answers to the way of the model (`recall`), for a rule that remembers. */
  readonly answers: Answers | null;
  /** The points on random coordinates only, for a rule that looks at those. */
  readonly looks: readonly Span[] | null;
  /** Positive and negative shares of the coordinates of each row, for a rule that needs signs. */
  readonly signs: readonly { readonly positive: number; readonly negative: number }[] | null;
};

/** What of the data a step reads: nothing, norms and products with the reference, or all products. */
export type Needs = 'nothing' | 'star' | 'gram';

type Common<Options> = {
  needs(options: Options): Needs;
  /** The rule cannot do without a reference vector. */
  readonly requiresReference?: true;
  /** The reference is context.root where that is given. */
  readonly readsRoot?: true;
  readonly readsSigns?: true;
  /** The share of coordinates, drawn at random, whose signs are counted; null for all. */
  signSample?(options: Options): { readonly share: number; readonly seed: number | undefined } | null;
  readonly readsHistory?: true;
  readonly remembers?: true;
  /** The largest f with a proof for n rows; −1 when there is none. */
  provenMax(n: number): number;
  /** The proven range in words. */
  readonly range: string;
  /** The largest f for which the rule can be computed at all; default the largest minority. */
  possibleMax?(n: number): number;
};

/** How often a rule looks, at how many random coordinates. */
export type Looks = { readonly count: number; readonly width: number; readonly seed: number | undefined };

/** Aggregator that is a weighted sum of the points (and of the reference). */
export type WeightRule<Options> = Common<Options> & {
  readonly kind: 'weights';
  /** The rule judges by random coordinates; null where its options say that it does not. */
  looks?(options: Options): Looks | null;
  weigh(span: Span, options: Options, context: StepContext): Weighing;
  /** The rule goes from point to point, so that the rows can be read again for each instead of multiplied. */
  readonly walking?: Walking<Options>;
};

export type Weighing = {
  readonly weights: Float64Array;
  readonly referenceWeight?: number;
  /** The output becomes the next round's reference. */
  readonly carriesReference?: true;
  /** What the rule found out, for the report: scores, selected rows, certificates. */
  readonly findings?: Readonly<Record<string, unknown>>;
};

/**
 * A rule that goes from point to point: it hands out the weights of a point v = Σ_j weights[j] x_j (weights[count] belongs
 * to the reference), is given ‖x_i − v‖² by row, and ends with a weighing. Who answers is not its concern: all products of
 * the rows, or a reading of the rows for each point.
 */
export type Walk = Generator<Float64Array, Weighing, Float64Array>;

/** A rule that walks, and how many distances to points its options make it ask for. */
export type Walking<Options> = {
  stops(options: Options): number;
  walk(count: number, hasReference: boolean, options: Options): Walk;
};

/** Aggregator that works on the values of each coordinate, of all points or of those it selects. */
export type ColumnAggregator<Options> = Common<Options> & {
  readonly kind: 'columns';
  choose(span: Span | null, options: Options, context: StepContext, n: number): ColumnChoice;
};

export type ColumnChoice = {
  readonly rule: ColumnRule;
  readonly selected?: readonly number[];
  readonly findings?: Readonly<Record<string, unknown>>;
};

/** Pre-aggregator: replaces the points by mixtures of them. */
export type PreAggregator<Options> = Common<Options> & {
  readonly kind: 'mix';
  mix(span: Span | null, options: Options, context: StepContext, n: number): Mixing;
  /** The mixing only scales: each point stays the point of its client, and claimed weights stay with it. */
  readonly keepsClients?: true;
  /** How many points come out of n. */
  outputCount?(n: number, options: Options): number;
};

// Methods are bivariant on purpose: a registry holds rules with different options, and the schema of the same entry
// has parsed what reaches the method.
export type AnyRule = WeightRule<object> | ColumnAggregator<object> | PreAggregator<object>;

export type Entry = { readonly schema: z.ZodObject; readonly rule: AnyRule };

/** Joins a rule with the schema of its options; `rule` in the schema is its id in the registry. */
export function define<const S extends z.ZodObject>(
  schema: S,
  rule: WeightRule<z.output<S>> | ColumnAggregator<z.output<S>> | PreAggregator<z.output<S>>,
): { readonly schema: S; readonly rule: AnyRule } {
  return { schema, rule };
}

const f = z.union([z.int().min(0), z.literal('auto')], {
  error: ({ input }) => `f must be a number of rows (0, 1, 2 …) or "auto": current value is ${JSON.stringify(input)}`,
});

/** The options of a rule whose arithmetic depends on f. */
export const byzantine = { f, unproven: z.boolean().optional() };

/** The options of a rule that uses f for its promise only. */
export const promised = { f: f.optional(), unproven: z.boolean().optional() };

/** The largest minority of n. */
export function minority(n: number): number {
  return Math.ceil(n / 2) - 1;
}

/** Weights 1/k on the chosen points. */
export function averageOf(indices: readonly number[], count: number): Float64Array {
  const weights = new Float64Array(count);
  for (const i of indices) weights[i] = 1 / indices.length;
  return weights;
}

/**
 * The indices 0 … count − 1 in ascending order of a score; equal scores keep the lower index first. Scores are equal when
 * no more than rounding is between them: rows that a clip has put on one circle, say.
 */
export function ascending(count: number, score: (i: number) => number): number[] {
  const scores = Float64Array.from({ length: count }, (_, i) => score(i));
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]! || a - b);
  const isTie = (at: number) => isRounding(scores[order[at - 1]!]!, scores[order[at]!]!);
  for (let from = 0, to = 1; from < count; from = to, to = from + 1) {
    while (to < count && isTie(to)) to += 1;
    if (to - from > 1) order.splice(from, to - from, ...order.slice(from, to).sort((a, b) => a - b));
  }
  return order;
}

function isRounding(low: number, high: number): boolean {
  return high - low <= 1e-12 * Math.abs(high);
}

/** The median, the mean of the middle two for an even count. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : sorted[half - 1]! / 2 + sorted[half]! / 2;
}

/** A matrix with these scales on the diagonal. */
export function diagonal(scales: Float64Array): Mixing {
  const count = scales.length;
  const matrix = new Float64Array(count * count);
  for (let i = 0; i < count; i++) matrix[i * count + i] = scales[i]!;
  return { count, matrix };
}
