import type { Row, SpooledRow } from '../../ports/compute.ts';
import { isSpooled } from '../vector/tiles.ts';
import type { AggregationContext } from './rule.ts';

/** The rows of a round with the clients they come from. */
export type Cohort = {
  readonly rows: readonly Row[];
  readonly clientIds?: readonly string[] | undefined;
  /** Memory for a float32 result, where fresh memory is to be saved; not one of the rows. */
  readonly into?: Float32Array | undefined;
  /** Whether norms and cosines are wanted: they may cost as much as the result. Default true. */
  readonly hasDiagnostics?: boolean | undefined;
};

/** Throws RangeError where rows and context do not fit together. */
export function assertCohort({ rows, clientIds }: Cohort, context: AggregationContext): void {
  const first = rows[0];
  if (first === undefined)
    throw new RangeError('Cannot aggregate as there must be at least one row: current value is 0');
  for (const [i, row] of rows.entries()) {
    if (row.length !== first.length) {
      throw new RangeError(
        `Cannot aggregate as row ${i} must have the length ${first.length} of the first: current value is ${row.length}`,
      );
    }
  }
  assertVectors(first.length, context, !(first instanceof Float64Array));
  if (context.base !== undefined && context.base.length !== first.length) {
    throw new RangeError(
      `Cannot aggregate as base must have the length ${first.length}: current value is ${context.base.length}`,
    );
  }
  const lists = { clientIds: clientIds ?? context.clientIds, weights: context.weights, history: context.history };
  for (const [name, list] of Object.entries(lists)) {
    if (list !== undefined && list.length !== rows.length) {
      throw new RangeError(`Cannot aggregate as ${name} must have one entry by row: current value is ${list.length}`);
    }
  }
  const bad = context.weights?.find((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (bad !== undefined)
    throw new RangeError(`Cannot aggregate as weights must be finite and ≥ 0: current value is ${bad}`);
}

function assertVectors(length: number, { reference, root, history }: AggregationContext, isSingle: boolean): void {
  const named: [string, ArrayLike<number> | SpooledRow | undefined][] = [
    ['reference', reference],
    ['root', root],
  ];
  for (const [i, row] of (history ?? []).entries()) named.push([`history[${i}]`, row]);
  for (const [name, vector] of named) {
    if (vector === undefined) continue;
    if (vector.length !== length) {
      throw new RangeError(
        `Cannot aggregate as ${name} must have the length ${length}: current value is ${vector.length}`,
      );
    }
    // A spooled one is looked at when it is read.
    if (isSpooled(vector)) continue;
    if (!isFiniteVector(vector, isSingle)) {
      throw new RangeError(`Cannot aggregate as ${name} must be finite: current value has a NaN or an infinity`);
    }
  }
}

function isFiniteVector(vector: ArrayLike<number>, isSingle: boolean): boolean {
  for (let k = 0; k < vector.length; k++) {
    if (!Number.isFinite(isSingle ? Math.fround(vector[k]!) : vector[k]!)) return false;
  }
  return true;
}

/** Positions sorted by client id, by code units; as they come without ids. */
export function canonicalOrder(n: number, clientIds: readonly string[] | undefined): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  if (clientIds === undefined) return order;
  return order.sort((a, b) => (clientIds[a]! < clientIds[b]! ? -1 : clientIds[a]! > clientIds[b]! ? 1 : a - b));
}

/** The items at these positions. */
export function select<T>(items: readonly T[], indices: readonly number[]): T[] {
  return indices.map((i) => items[i]!);
}

/** What the context says of the kept rows. */
export function contextOf(context: AggregationContext, kept: readonly number[]): AggregationContext {
  return {
    ...context,
    ...(context.weights === undefined ? {} : { weights: select(context.weights, kept) }),
    ...(context.history === undefined ? {} : { history: select(context.history, kept) }),
  };
}
