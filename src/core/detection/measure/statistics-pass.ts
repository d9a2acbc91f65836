import type { Row, Vector } from '../../../ports/compute.ts';
import { eachTile } from '../../vector/tiles.ts';
import { hashBlock, sketchInto, sketchSize } from './sketch.ts';

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

const tileWidth = 2048;

/**
 * The statistics pass: everything that detectors want of the updates and that no product of them holds.
 *
 * Shapes:  n rows of d → n statistics.
 * Cost:    one reading of the data, in plain loops.
 */
export async function statisticsOf(rows: readonly Row[], input: StatisticsInput): Promise<Statistics[]> {
  const { layers, aggregate, seed } = input;
  const counts = rows.map(() => new Float64Array(4));
  const norms2 = rows.map(() => new Float64Array(layers.length));
  const sums = rows.map(() => new Float64Array(layers.length));
  const sketches = rows.map(() => new Float32Array(sketchSize));
  const ends = layers.map((_, l) => layers.slice(0, l + 1).reduce((sum, length) => sum + length, 0));
  const hashes = new Uint32Array(tileWidth);
  await eachTile(rows, tileWidth, (tile, start) => {
    const length = tile[0]!.length;
    const known = hashes.subarray(0, length);
    hashBlock(start, seed, known);
    const signs = aggregate.subarray(start, start + length);
    for (const [i, values] of tile.entries()) {
      countInto(counts[i]!, values, signs);
      sketchInto(sketches[i]!, values, known);
      layersInto(norms2[i]!, sums[i]!, { values, start, ends });
    }
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
function countInto(counts: Float64Array, values: Float64Array, aggregate: Vector): void {
  let [norm1, positives, negatives, agreements] = [0, 0, 0, 0];
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (value > 0) {
      norm1 += value;
      positives += 1;
      if (aggregate[k]! > 0) agreements += 1;
    } else if (value < 0) {
      norm1 -= value;
      negatives += 1;
      if (aggregate[k]! < 0) agreements += 1;
    }
  }
  counts[0]! += norm1;
  counts[1]! += positives;
  counts[2]! += negatives;
  counts[3]! += agreements;
}

function layersInto(
  norms2: Float64Array,
  sums: Float64Array,
  { values, start, ends }: { readonly values: Float64Array; readonly start: number; readonly ends: readonly number[] },
): void {
  let layer = ends.findIndex((end) => end > start);
  for (let k = 0; k < values.length; layer++) {
    const end = Math.min(values.length, ends[layer]! - start);
    let [norm2, sum] = [norms2[layer]!, sums[layer]!];
    for (; k < end; k++) {
      norm2 += values[k]! * values[k]!;
      sum += values[k]!;
    }
    norms2[layer] = norm2;
    sums[layer] = sum;
  }
}
