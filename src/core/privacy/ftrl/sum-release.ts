import type { Entropy } from '../../../ports/entropy.ts';
import type { BoundedAggregator } from '../../aggregation/bounded.ts';
import { discreteGaussianNoise } from '../mechanisms/integer-noise.ts';
import { noiseGrid, quantiseClipped } from '../mechanisms/private-sum.ts';
import type { Strategy, SumState } from './strategy.ts';

/** Sums of doubles are exact up to here. */
const UNITS_MAX = 2 ** 53;

/**
 * Draws the noise of the values that are released with a leaf. It must be stored before it is used: then a retry and a
 * restart release the same bytes.
 *
 * Promises: exact discrete Gaussian of the grid's deviation, from secret bytes.
 */
export function drawSumNoise(
  entropy: Entropy,
  { dimension, count, clipNormL2, noiseMultiplier }: SumNoise,
): readonly Int32Array[] {
  const { sigmaUnits } = noiseGrid(clipNormL2, noiseMultiplier);
  const noise = discreteGaussianNoise(entropy, { n: sigmaUnits ** 2, d: 1 });
  return Array.from({ length: count }, () => Int32Array.from({ length: dimension }, () => noise.next()));
}

export type SumNoise = {
  readonly dimension: number;
  /** Vectors of noise, as many as the leaf has values. */
  readonly count: number;
  readonly clipNormL2: number;
  readonly noiseMultiplier: number;
};

/**
 * Releases the change of a noisy prefix sum: what DP-FTRL adds to the model in a round.
 *
 * Formula:  g = Σ_i quantised clip(x_i, τ); v = step ÷ n̄ · (Ŝ_t − Ŝ_{t−1}), Ŝ the strategy's estimate of the prefix sum.
 *           A server's momentum on v is momentum on Ŝ (DP-FTRLM), as both are linear.
 * Needs:    n̄ and τ fixed for the run; the pipeline's reference is 0; noise that was drawn for this leaf and no other.
 *           Rounds × clients × τ stay below 2⁵³ grid steps.
 * Promises: a function of its arguments: the same bytes after a restart. A client's updates, in the leaves that it is in,
 *           cost what Gaussian releases at σ ÷ √price cost; nothing else of them is in the result.
 * Cost:     one pass over the updates and one over the values of the leaf.
 * Source:   Kairouz et al. 2021, arXiv:2103.00039, algorithm 1.
 */
export function releaseSum(
  { radius, expectedCount }: BoundedAggregator,
  updates: Iterable<ArrayLike<number>>,
  options: {
    readonly dimension: number;
    readonly noiseMultiplier: number;
    readonly strategy: Strategy;
    readonly state: SumState;
    readonly noise: readonly Int32Array[];
  },
): { readonly vector: Float32Array<ArrayBuffer>; readonly state: SumState; readonly noiseNorm: number } {
  const { dimension, noiseMultiplier, strategy, state, noise } = options;
  const grid = noiseGrid(radius, noiseMultiplier);
  const leaf = new Float64Array(dimension);
  for (const update of updates) {
    const units = quantiseClipped(update, grid);
    for (let k = 0; k < dimension; k++) leaf[k]! += units[k]!;
  }
  const next = strategy.step(state, leaf, noise);
  const scale = grid.step / expectedCount;
  const { increment } = strategy.variancesAt(state.leaves);
  return {
    vector: Float32Array.from(next.increment, (value) => value * scale),
    state: next.state,
    noiseNorm: grid.sigmaUnits * Math.sqrt(increment * dimension) * scale,
  };
}

/** Throws where the sums of a run could leave the range in which doubles are exact. */
export function checkSumRange(
  { clipNormL2, noiseMultiplier }: Pick<SumNoise, 'clipNormL2' | 'noiseMultiplier'>,
  contributions: number,
): void {
  const { normMaxUnits } = noiseGrid(clipNormL2, noiseMultiplier);
  // A banded value weighs a leaf by at most 2⁵, and no more than as many of them as there are contributions.
  if (contributions * normMaxUnits * 32 < UNITS_MAX) return;
  throw new RangeError(
    `Cannot keep exact sums as rounds × clients must be below ${Math.floor(UNITS_MAX / normMaxUnits / 32)} with this noise: current value is ${contributions}`,
  );
}
