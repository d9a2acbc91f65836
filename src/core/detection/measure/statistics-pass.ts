import type { Row, Vector } from '../../../ports/compute.ts';
import { sketchesOf, tileWidth } from './sketch-pass.ts';

/** What one pass over the data finds out about one vector. */
export type Statistics = {
  /** Σ x² by layer of the manifest. */
  readonly layerNorms2: Float64Array;
  /** Σ x by layer. */
  readonly layerSums: Float64Array;
  /** Σ |x|. */
  readonly norm1: number;
  /** Coordinates above zero, below zero, and of the sign of the aggregate where neither is zero. */
  readonly positives: number;
  readonly negatives: number;
  readonly agreements: number;
  readonly sketch: Float32Array;
};

export type StatisticsInput = {
  /** Lengths of the layers, in the order of the parameter vector. */
  readonly layers: readonly number[];
  readonly aggregate: Vector;
  readonly seed: number;
};

/**
 * The statistics pass: everything that detectors want of the updates and that no product of them holds.
 *
 * Shapes:  n rows of d → n statistics. Values count as float32, as updates travel.
 * Cost:    one reading of the data, in plain loops without branches on it: some 5 ns a value, whatever the values.
 */
export async function statisticsOf(rows: readonly Row[], input: StatisticsInput): Promise<Statistics[]> {
  const { layers, aggregate, seed } = input;
  const counts = rows.map(() => new Float64Array(4));
  const norms2 = rows.map(() => new Float64Array(layers.length));
  const sums = rows.map(() => new Float64Array(layers.length));
  const ends = layers.map((_, l) => layers.slice(0, l + 1).reduce((sum, length) => sum + length, 0));
  const against = new Float32Array(tileWidth);
  const sketches = await sketchesOf(rows, seed, (i, values, start) => {
    if (i === 0) against.set(aggregate.subarray(start, start + values.length));
    countInto(counts[i]!, values, against);
    layersInto(norms2[i]!, sums[i]!, { values, start, ends });
  });
  return rows.map((_, i) => ({
    layerNorms2: norms2[i]!,
    layerSums: sums[i]!,
    norm1: counts[i]![0]!,
    positives: counts[i]![1]!,
    negatives: counts[i]![2]!,
    agreements: counts[i]![3]!,
    sketch: sketches[i]!,
  }));
}

/** Σ |x|, positives, negatives, agreements. */
function countInto(counts: Float64Array, values: Float32Array, aggregate: Float32Array): void {
  let norm1 = 0;
  for (let k = 0; k < values.length; k++) norm1 += Math.abs(values[k]!);
  // On bits: no processor guesses the sign of an update's next coordinate.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const others = new Int32Array(aggregate.buffer, aggregate.byteOffset, values.length);
  let [nonZero, negatives, agreements] = [0, 0, 0];
  for (let k = 0; k < bits.length; k++) {
    const [own, other] = [bits[k]!, others[k]!];
    const known = isNonZero(own);
    nonZero += known;
    negatives += known & (own >>> 31);
    agreements += known & isNonZero(other) & (~(own ^ other) >>> 31);
  }
  counts[0]! += norm1;
  counts[1]! += nonZero - negatives;
  counts[2]! += negatives;
  counts[3]! += agreements;
}

/** 1 for the bits of a float32 that is neither 0 nor −0. */
function isNonZero(bits: number): number {
  const size = bits << 1;
  return (size | -size) >>> 31;
}

function layersInto(
  norms2: Float64Array,
  sums: Float64Array,
  { values, start, ends }: { readonly values: Float32Array; readonly start: number; readonly ends: readonly number[] },
): void {
  let layer = ends.findIndex((end) => end > start);
  for (let k = 0; k < values.length; layer++) {
    const end = Math.min(values.length, ends[layer]! - start);
    let [norm2, sum] = [norms2[layer]!, sums[layer]!];
    for (; k < end; k++) {
      const value = values[k]!;
      norm2 += value * value;
      sum += value;
    }
    norms2[layer] = norm2;
    sums[layer] = sum;
  }
}
