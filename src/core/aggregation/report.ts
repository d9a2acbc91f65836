import type { Vector } from '../../ports/compute.ts';
import type { Done } from './combine-pass.ts';
import type { RuleMemory } from './recall.ts';
import type { Span } from './span.ts';

export type DroppedRow = { readonly index: number; readonly clientId: string; readonly reason: 'non-finite' };

/** Arrays by row are in the order of the rows that came in. */
export type AggregationReport<V = Vector> = {
  readonly vector: V;
  /** The weight of each row in the vector, 0 for a dropped one; null for a rule on coordinates. */
  readonly weights: Float64Array | null;
  readonly dropped: readonly DroppedRow[];
  readonly diagnostics: {
    /** ‖x_i‖, NaN for a dropped row, or when no diagnostics were wanted. */
    readonly norms: Float64Array;
    /** The cosine between x_i and the aggregate: 0 where one of them is zero, NaN for a dropped row. */
    readonly cosines: Float64Array;
    /** The distance to the nearest other row; NaN for a dropped row, or when the pipeline needed no distances. */
    readonly nearest: Float64Array;
    /** ‖x_i − x_j‖² of the rows that were kept, row by row, when the pipeline needed them. */
    readonly distances2: Float64Array | null;
    /** What the rule reports about itself: scores, selected rows, certificates. Its indices count kept rows. */
    readonly findings: Readonly<Record<string, unknown>>;
    /** Indices of the rows that were kept, in canonical order. */
    readonly kept: readonly number[];
  };
  /** Goes into the context of the next round. */
  readonly nextState: { readonly reference?: V; readonly history?: readonly V[]; readonly memory?: RuleMemory };
};

/** Puts what was computed on the kept rows back into the order of the rows that came in. */
export function reportOf(
  n: number,
  kept: readonly number[],
  dropped: readonly DroppedRow[],
  done: Done & { readonly memory?: RuleMemory | undefined },
): AggregationReport {
  const spread = (values: Float64Array, missing: number): Float64Array => {
    const result = new Float64Array(n).fill(missing);
    for (const [position, index] of kept.entries()) result[index] = values[position]!;
    return result;
  };
  const length = done.features === null ? 0 : lengthOf(done.vector);
  const cosines = done.features?.dots.map((dot, i) => {
    const product = done.features!.norms[i]! * length;
    return product > 0 ? Math.max(-1, Math.min(1, dot / product)) : 0;
  });
  const absent = new Float64Array(kept.length).fill(Number.NaN);
  return {
    vector: done.vector,
    weights: done.weights === null ? null : spread(done.weights, 0),
    dropped,
    diagnostics: {
      norms: spread(done.features?.norms ?? absent, Number.NaN),
      cosines: spread(cosines ?? absent, Number.NaN),
      nearest: spread(done.span === null ? absent : nearestDistances(done.span), Number.NaN),
      distances2: done.span === null ? null : allDistances2(done.span),
      findings: done.findings,
      kept,
    },
    nextState: {
      ...(done.carriesReference ? { reference: done.vector } : {}),
      ...(done.memory === undefined ? {} : { memory: done.memory }),
    },
  };
}

function allDistances2(span: Span): Float64Array {
  const { count } = span;
  return Float64Array.from({ length: count * count }, (_, index) =>
    span.distance2(Math.floor(index / count), index % count),
  );
}

function nearestDistances(span: Span): Float64Array {
  return Float64Array.from({ length: span.count }, (_, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < span.count; j++) if (j !== i) least = Math.min(least, span.distance2(i, j));
    return Math.sqrt(least);
  });
}

function lengthOf(vector: Vector): number {
  let norm2 = 0;
  for (let k = 0; k < vector.length; k++) norm2 += vector[k]! * vector[k]!;
  return Math.sqrt(norm2);
}
