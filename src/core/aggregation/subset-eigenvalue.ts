import { goldenRatio } from '../numerics/portable.ts';
import { topEigenpair } from './eigen.ts';
import { centredProducts } from './scatter.ts';
import type { Span } from './span.ts';
import type { SubsetValue } from './subset-search.ts';
import { growingDiameter } from './subset-search.ts';

const lanczosSteps = 6;

/**
 * The top eigenvalue of the scatter of a set of rows, divided by `size`: it never falls when a row is added.
 *
 * A set is ruled out by the cheapest bound that does: two rows alone have ‖x_i − x_j‖²/2; then a few Lanczos steps, whose
 * Ritz value never exceeds the eigenvalue; the exact eigenvalue last.
 */
export function subsetEigenvalue(span: Span, size: number): SubsetValue {
  const n = span.count;
  const measured = Float64Array.from({ length: n * n }, (_, at) => span.distance2(Math.floor(at / n), at % n));
  // At most one, so that products of distances stay within float64.
  const scale = measured.reduce((most, value) => Math.max(most, value), 0) || 1;
  const distances2 = measured.map((value) => value / scale);
  const all = Array.from({ length: n }, (_, i) => i);
  const start = topEigenpair(centredProducts(span, all, new Float64Array(n).fill(1)), n).vector;
  const diameter = growingDiameter(span);
  return {
    value(rows) {
      const ones = new Float64Array(rows.length).fill(1);
      return topEigenpair(centredProducts(span, rows, ones), rows.length).value / size;
    },
    isWithin(rows, limit) {
      if (diameter(rows) / 2 / size > limit) return false;
      if (rows.length < 3 || rows.length < size / 2) return true;
      return ritzValue(distances2, n, rows, start) * (1 - 1e-9) <= (limit / scale) * size;
    },
  };
}

/** A lower bound of the top eigenvalue of −½ J D J on a subset, J the centring: Lanczos from a given direction. */
function ritzValue(distances2: Float64Array, n: number, rows: readonly number[], direction: Float64Array): number {
  const m = rows.length;
  let current = centredUnit(
    Float64Array.from(rows, (i, k) => direction[i]! + 0.05 * ((((k + 1) * goldenRatio) % 1) - 0.5)),
  );
  let previous = new Float64Array(m);
  const diagonal: number[] = [];
  const off: number[] = [];
  let largest = 0;
  for (let step = 0; step < Math.min(lanczosSteps, m - 1); step++) {
    const next = centred(times(distances2, n, rows, current));
    const alpha = dot(next, current);
    diagonal.push(alpha);
    const beta = off.at(-1) ?? 0;
    for (let k = 0; k < m; k++) next[k]! -= alpha * current[k]! + beta * previous[k]!;
    const length = Math.sqrt(dot(next, next));
    // Of what rounding leaves no direction is made: it need not be centred, and its value could exceed the eigenvalue.
    largest = Math.max(largest, Math.abs(alpha));
    if (!(length > 1e-10 * largest)) break;
    off.push(length);
    previous = current;
    current = next.map((value) => value / length);
  }
  return topOfTridiagonal(diagonal, off);
}

function times(
  distances2: Float64Array,
  n: number,
  rows: readonly number[],
  vector: Float64Array,
): Float64Array<ArrayBuffer> {
  const m = rows.length;
  const result = new Float64Array(m);
  for (let a = 0; a < m; a++) {
    const line = rows[a]! * n;
    let sum = 0;
    for (let b = 0; b < m; b++) sum += distances2[line + rows[b]!]! * vector[b]!;
    result[a] = -0.5 * sum;
  }
  return result;
}

function centred(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  let mean = 0;
  for (const value of vector) mean += value / vector.length;
  for (let k = 0; k < vector.length; k++) vector[k]! -= mean;
  return vector;
}

function centredUnit(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  centred(vector);
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Bisection on the sign changes of the leading minors (Sturm), from below: never above the largest eigenvalue. */
function topOfTridiagonal(diagonal: readonly number[], off: readonly number[]): number {
  let low = Math.max(...diagonal);
  let high = low;
  for (let k = 0; k < diagonal.length; k++) {
    high = Math.max(high, diagonal[k]! + Math.abs(off[k] ?? 0) + Math.abs(off[k - 1] ?? 0));
  }
  for (let step = 0; step < 40 && high - low > 1e-10 * Math.abs(high); step++) {
    const middle = (low + high) / 2;
    if (hasEigenvalueAbove(diagonal, off, middle)) low = middle;
    else high = middle;
  }
  return low;
}

function hasEigenvalueAbove(diagonal: readonly number[], off: readonly number[], x: number): boolean {
  let pivot = 1;
  for (let k = 0; k < diagonal.length; k++) {
    pivot = diagonal[k]! - x - (k === 0 ? 0 : off[k - 1]! ** 2 / pivot);
    if (pivot > 0) return true;
    if (pivot === 0) pivot = -1e-300;
  }
  return false;
}
