import type { Compute, Vector } from '../../ports/compute.ts';
import { createReferenceCompute } from '../vector/reference.ts';
import { aggregateCohort } from './aggregate.ts';
import type { Pipeline } from './pipeline.ts';
import type { AggregationReport } from './report.ts';
import type { AggregationContext } from './rule.ts';

/** Rows of one kind: plain arrays and Float64Array are computed in float64, Float32Array takes the fast path. */
export type Rows = readonly (readonly number[])[] | readonly Float64Array[] | readonly Float32Array[];

/** The kind of vector that comes out is the kind of the rows. */
export type VectorOf<R extends Rows> = R extends readonly Float32Array[]
  ? Float32Array
  : R extends readonly Float64Array[]
    ? Float64Array
    : number[];

export type AggregateReport<R extends Rows = Rows> = AggregationReport<VectorOf<R>>;

/**
 * Aggregates rows by a pipeline: `await aggregate([[1, 2], [3, 4], [5, 6]], [{ rule: 'trimmed-mean', f: 1 }])`.
 *
 * Shapes:  n rows of d numbers → d numbers. The rows are not changed.
 * Errors:  RangeError for an unknown rule or option (with its path), for f outside the proven range without
 *          `unproven: true`, for rows of different lengths, and when dropping non-finite rows leaves too few.
 */
export async function aggregate<const R extends Rows>(
  rows: R,
  pipeline: Pipeline,
  context: AggregationContext = {},
): Promise<VectorOf<R>> {
  return (await run(rows, pipeline, context, false)).vector;
}

/** As `aggregate`, with weights, dropped rows, diagnostics and the state for the next round. */
export async function aggregateWithReport<const R extends Rows>(
  rows: R,
  pipeline: Pipeline,
  context: AggregationContext = {},
): Promise<AggregateReport<R>> {
  return run(rows, pipeline, context, true);
}

async function run<R extends Rows>(
  rows: R,
  pipeline: Pipeline,
  context: AggregationContext,
  hasDiagnostics: boolean,
): Promise<AggregateReport<R>> {
  if (!Array.isArray(rows as unknown)) {
    throw new RangeError(
      `Cannot aggregate as rows must be an array of vectors: current value is of type ${typeof rows}`,
    );
  }
  const isPlain = Array.isArray(rows[0]);
  const typed = isPlain ? rows.map((row) => Float64Array.from(row)) : (rows as readonly Vector[]);
  const kinds = new Set(typed.map((row) => row.constructor));
  if (kinds.size > 1)
    throw new RangeError('Cannot aggregate as all rows must be of one kind: current value is a mixture');
  const compute = typed[0] instanceof Float64Array ? reference : await fastCompute();
  const report = await aggregateCohort({ rows: typed, hasDiagnostics }, pipeline, context, compute);
  const outward = (vector: Vector): VectorOf<R> => (isPlain ? Array.from(vector) : vector) as VectorOf<R>;
  const { reference: carried, history, memory } = report.nextState;
  return {
    ...report,
    vector: outward(report.vector),
    nextState: {
      ...(carried === undefined ? {} : { reference: outward(carried) }),
      ...(history === undefined ? {} : { history: history.map(outward) }),
      ...(memory === undefined ? {} : { memory }),
    },
  };
}

const reference = createReferenceCompute();
let fast: Promise<Compute> | undefined;

/** The SIMD kernels, loaded at the first use. */
function fastCompute(): Promise<Compute> {
  fast ??= import('../vector/wasm.ts').then(({ createWasmCompute }) => createWasmCompute());
  return fast;
}
