import type { Combined, Compute, Mixing, Row, Vector } from '../../ports/compute.ts';
import { select } from './cohort.ts';
import { rowWeights, selectedMixing } from './mixing.ts';
import type { ColumnChoice, Weighing } from './rule.ts';
import type { Span } from './span.ts';

/** The result on the kept rows. */
export type Done = {
  readonly kind: 'done';
  readonly vector: Vector;
  readonly weights: Float64Array | null;
  /** Norms of the rows and products with the vector; null when nobody asked. */
  readonly features: { readonly norms: Float64Array; readonly dots: Float64Array } | null;
  readonly span: Span | null;
  readonly findings: Readonly<Record<string, unknown>>;
  readonly carriesReference: boolean;
};

/** Positions of rows that are not finite: the attempt is void. */
export type NonFinite = { readonly kind: 'non-finite'; readonly rows: readonly number[] };

export type CombineInput = {
  readonly rows: readonly Row[];
  readonly mixing: Mixing | null;
  readonly reference: Row | null;
  /** All products of the rows, if they were computed. */
  readonly span: Span | null;
  readonly hasDiagnostics: boolean;
  readonly into: Float32Array | undefined;
};

/** The second pass of a rule that weighs: a weighted sum. Norms and products come from the Gram matrix if it is there. */
export async function weighted(input: CombineInput, weighing: Weighing, compute: Compute): Promise<Done | NonFinite> {
  const { rows, mixing, reference, span, into } = input;
  const n = rows.length;
  const weights = mixing === null ? weighing.weights : rowWeights(weighing.weights, mixing, n);
  const all = new Float64Array(n + 1);
  all.set(weights);
  all[n] = weighing.referenceWeight ?? 0;
  const dots = input.hasDiagnostics && span === null;
  // Without the Gram matrix every row is read, so that one that is not finite is met whatever its weight.
  const summed = [...all.keys()].filter((i) => all[i] !== 0 || (i < n && span === null));
  if (summed.length === 0) summed.push(0);
  const combined = await compute.combine(
    summed.map((i) => (i === n ? reference! : rows[i]!)),
    Float64Array.from(summed, (i) => all[i]!),
    { dots, into },
  );
  if (combined.nonFinite.length > 0) return nonFinite(combined, summed);
  return {
    kind: 'done',
    vector: combined.vector,
    weights,
    features: input.hasDiagnostics ? featuresOf(combined, span, all, n) : null,
    span,
    findings: weighing.findings ?? {},
    carriesReference: weighing.carriesReference === true,
  };
}

function featuresOf(combined: Combined, span: Span | null, weights: Float64Array, n: number): Done['features'] {
  if (span === null) return { norms: combined.norms2!.slice(0, n).map(Math.sqrt), dots: combined.dots!.slice(0, n) };
  return { norms: Float64Array.from({ length: n }, (_, i) => span.norm(i)), dots: span.dotsWith(weights) };
}

function nonFinite(combined: Combined, positions: readonly number[]): NonFinite {
  return { kind: 'non-finite', rows: combined.nonFinite.map((position) => positions[position]!) };
}

/** The second pass of a rule on coordinates. */
export async function byColumn(input: CombineInput, choice: ColumnChoice, compute: Compute): Promise<Done | NonFinite> {
  const { rows, mixing, span, into, hasDiagnostics } = input;
  const n = rows.length;
  const { selected } = choice;
  const positions = mixing === null && selected !== undefined ? selected : [...rows.keys()];
  const isPartial = positions.length < n;
  const mixed = mixing === null || selected === undefined ? mixing : selectedMixing(mixing, selected, n);
  const combined = await compute.columns(select(rows, positions), mixed, choice.rule, {
    dots: hasDiagnostics && !isPartial,
    into,
  });
  if (combined.nonFinite.length > 0) return nonFinite(combined, positions);
  // A rule that left rows out has not met them in this pass; their products with the result take one more.
  const star = isPartial && hasDiagnostics ? await compute.star(rows, combined.vector) : null;
  const [norms2, dots] = [star?.norms2 ?? combined.norms2, star?.referenceDots ?? combined.dots];
  return {
    kind: 'done',
    vector: combined.vector,
    weights: null,
    features: norms2 === null || dots === null ? null : { norms: norms2.map(Math.sqrt), dots },
    span,
    findings: choice.findings ?? {},
    carriesReference: false,
  };
}
