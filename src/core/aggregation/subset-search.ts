import type { Span } from './span.ts';

/** The largest number of rows for which subsets are searched exactly. */
export const exactRowsMax = 24;

/** Values so near to one another are equal: what is between them is rounding. */
const tieFactor = 1 + 1e-12;

/** A subset of rows with its value, and what no subset of that size can be below. */
export type SubsetChoice = { readonly rows: readonly number[]; readonly value: number; readonly lowerBound: number };

/** The value of a growing set of rows. It must never fall when a row is added. */
export type SubsetValue = {
  value(rows: readonly number[]): number;
  /** False when the value of this set is above `limit`. */
  isWithin(rows: readonly number[], limit: number): boolean;
};

/**
 * The subset of `size` rows with the least value, by branch and bound; the first in lexicographic order among equals.
 *
 * Cost: exponential in the worst case, for n ≤ 24 only; the neighbourhood of each row gives the first upper bound.
 */
export function bestSubset(span: Span, size: number, measure: SubsetValue): SubsetChoice {
  const n = span.count;
  let best = improved(neighbourhoodChoice(span, size, measure), span.count, measure);
  let least = best.value;
  const chosen: number[] = [];
  const grow = (from: number): void => {
    if (chosen.length === size) {
      const value = measure.value(chosen);
      const isEarlier = value <= least * tieFactor && compare(chosen, best.rows) < 0;
      if (value * tieFactor < best.value || isEarlier) best = { rows: chosen.slice(), value, lowerBound: value };
      least = Math.min(least, value);
      return;
    }
    for (let i = from; i <= n - (size - chosen.length); i++) {
      chosen.push(i);
      if (measure.isWithin(chosen, least * tieFactor)) grow(i + 1);
      chosen.pop();
    }
  };
  grow(0);
  return { ...best, lowerBound: least };
}

/** Swaps one row in for one out as long as the value falls: a tight first bound saves most of the search. */
function improved(choice: SubsetChoice, n: number, measure: SubsetValue): SubsetChoice {
  let best = choice;
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    const { rows } = best;
    for (const out of rows) {
      for (let i = 0; i < n; i++) {
        if (rows.includes(i)) continue;
        const swapped = rows.map((row) => (row === out ? i : row)).sort((a, b) => a - b);
        const value = measure.value(swapped);
        if (value < best.value) [best, isBetter] = [{ rows: swapped, value, lowerBound: 0 }, true];
      }
    }
  }
  return best;
}

/** The largest squared distance in a set that grows and shrinks at its end: only the last row is compared. */
export function growingDiameter(span: Span): (rows: readonly number[]) => number {
  const known: number[] = [0];
  return (rows) => {
    const last = rows.at(-1)!;
    let most = known[rows.length - 1]!;
    for (const i of rows) most = Math.max(most, span.distance2(i, last));
    known[rows.length] = most;
    return most;
  };
}

/** The best of the n neighbourhoods: each row with its size − 1 nearest. Polynomial, and never far off. */
export function neighbourhoodChoice(span: Span, size: number, measure: SubsetValue): SubsetChoice {
  let best: SubsetChoice | undefined;
  for (let i = 0; i < span.count; i++) {
    const rows = nearestRows(span, i, size).sort((a, b) => a - b);
    const value = measure.value(rows);
    if (best === undefined || value < best.value || (value === best.value && compare(rows, best.rows) < 0)) {
      best = { rows, value, lowerBound: 0 };
    }
  }
  return best!;
}

/** The `size` rows nearest to row i, itself included. */
function nearestRows(span: Span, i: number, size: number): number[] {
  const distances = Float64Array.from({ length: span.count }, (_, j) => span.distance2(i, j));
  return Array.from(distances, (_, j) => j)
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
    .slice(0, size);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [k, value] of a.entries()) if (value !== b[k]) return value - b[k]!;
  return 0;
}
