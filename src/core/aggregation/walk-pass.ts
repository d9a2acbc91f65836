import type { Compute, Mixing, Row } from '../../ports/compute.ts';
import type { NonFinite } from './combine-pass.ts';
import { rowWeights } from './mixing.ts';
import type { ParsedStep } from './pipeline.ts';
import type { Walk, Weighing } from './rule.ts';
import { type Span, starSpan } from './span.ts';

/** Values of a cohort (1 GiB of float32) beyond which a reading is taken to be one from the disk. */
const heldValuesMax = 2 ** 28;
const [rowsByStop, rowsByStopOnDisk] = [24, 72];

/**
 * Whether a rule that walks has the rows read for each of its stops. The product of all rows would cost as much as n/7
 * readings, a stop costs two where rows lie in memory, more where they lie in files, and most on a disk. It depends on the
 * shape and the options alone: rows on disk, worker threads and single-threaded runs go one way and get the same bits.
 */
export function isWalked(steps: readonly ParsedStep[], n: number, d: number): boolean {
  const { rule, options } = steps.at(-1)!;
  const isScaled = steps.every((step) => step.rule.kind !== 'mix' || step.rule.keepsClients === true);
  if (rule.kind !== 'weights' || rule.walking === undefined || !isScaled) return false;
  return n >= (rule.walking.stops(options) - 1) * (n * d <= heldValuesMax ? rowsByStop : rowsByStopOnDisk);
}

type Walked = {
  readonly rows: readonly Row[];
  /** Scales by row, if there is a mixing. */
  readonly mixing: Mixing | null;
  readonly reference: Row | null;
  /** Norms and distances to the reference, where a step before the rule has read them. */
  readonly span: Span | null;
};

/** Answers a walk by one reading of the rows for each stop; the origin and the reference by norms and products. */
export async function walkOver(walk: Walk, cohort: Walked, compute: Compute): Promise<Weighing | NonFinite> {
  const { rows, reference } = cohort;
  let stop = walk.next();
  while (stop.done !== true) {
    const weights = stop.value;
    if (isOrigin(weights, rows.length)) {
      const pass = cohort.span === null ? await compute.star(rows, reference) : null;
      if (pass !== null && pass.nonFinite.length > 0) return { kind: 'non-finite', rows: pass.nonFinite };
      stop = walk.next((pass === null ? cohort.span! : starSpan(pass)).distances2To(weights));
    } else {
      const { distances2, nonFinite } = await distancesTo(weights, cohort, compute);
      if (nonFinite.length > 0) return { kind: 'non-finite', rows: nonFinite };
      stop = walk.next(distances2);
    }
  }
  return stop.value;
}

/** The zero vector, or the reference itself. */
function isOrigin(weights: Float64Array, n: number): boolean {
  return weights.every((weight, i) => weight === 0 || (i === n && weight === 1));
}

async function distancesTo(
  weights: Float64Array,
  { rows, mixing, reference }: Walked,
  compute: Compute,
): ReturnType<Compute['distances']> {
  const n = rows.length;
  const scales = new Float64Array(n + 1).fill(1);
  if (mixing !== null) for (let i = 0; i < n; i++) scales[i] = mixing.matrix[i * n + i]!;
  const all = new Float64Array(n + 1);
  all.set(mixing === null ? weights.subarray(0, n) : rowWeights(weights.slice(0, n), mixing, n));
  all[n] = weights[n]!;
  // A reference that the point no longer leans on is not read.
  const hasReference = reference !== null && all[n] !== 0;
  const count = hasReference ? n + 1 : n;
  const pass = await compute.distances(
    hasReference ? [...rows, reference] : rows,
    all.slice(0, count),
    scales.slice(0, count),
  );
  return { distances2: pass.distances2.slice(0, n), nonFinite: pass.nonFinite };
}
