import type { Entropy } from '../../ports/entropy.ts';
import type { BoundedAggregator } from '../aggregation/bounded.ts';
import { nextClipNorm, noisyUnclippedShare, splitNoise } from './clipping.ts';
import { createPrivateSum } from './mechanisms/private-sum.ts';

declare const released: unique symbol;

/** A noisy aggregate: the only form in which a cohort's updates may leave the coordinator under central privacy. */
export type Release = {
  readonly [released]: true;
  readonly vector: Float32Array<ArrayBuffer>;
  readonly radius: number;
  /** The radius for the next round: the same, or moved towards the private quantile. */
  readonly nextRadius: number;
  /** What the whole release costs, as a noise multiplier: the sum and the count together. */
  readonly noiseMultiplier: number;
  /** Expected L2 norm of the noise in the vector. */
  readonly noiseNorm: number;
  /** `simulated` where seeded bytes stood in for secret ones. */
  readonly noise: 'secret' | 'simulated';
};

export type AdaptiveClip = { readonly quantile: number; readonly rate: number };

/** The least deviation of the noise on the count of unclipped clients, so that its grid is fine. */
const COUNT_STDDEV_MIN = 5;

/**
 * Releases a bounded aggregate with exact integer noise.
 *
 * Formula:  v = r + (1/n̄) (Σ_i quantised clip(x_i − r, τ) + noise); r = 0 for a plain clip. With an adaptive clip the
 *           noisy share b of rows with ‖x_i − r‖ ≤ τ moves the radius: τ' = τ e^{−η(b − γ)}.
 * Needs:    r and τ are public; n̄ is fixed. Any number of updates, none too.
 * Promises: adding or removing one update, whatever it holds, costs what one Gaussian release at `noiseMultiplier` costs;
 *           f updates move v by at most f τ/n̄ against their absence. Only a proven bound is accepted, by type.
 * Cost:     one pass over the updates and one sample of noise a coordinate.
 * Source:   Karimireddy et al. 2021; Andrew et al. 2021; Canonne, Kamath and Steinke 2020.
 */
export function releaseBounded(
  aggregator: BoundedAggregator,
  updates: Iterable<ArrayLike<number>>,
  options: {
    readonly reference: ArrayLike<number>;
    readonly noiseMultiplier: number;
    readonly entropy: Entropy;
    readonly adaptiveClip?: AdaptiveClip | undefined;
    /** Hears the share of the loss of one release that each update takes up, for `savedBy`: for its owner alone. */
    readonly onLossShares?: (shares: readonly number[]) => void;
  },
): Release {
  const { reference, noiseMultiplier, entropy, adaptiveClip } = options;
  const { radius, expectedCount, isCentred } = aggregator;
  const d = reference.length;
  const countStddev = Math.max(expectedCount / 20, 2 * noiseMultiplier, COUNT_STDDEV_MIN);
  const noiseOfSum = adaptiveClip === undefined ? noiseMultiplier : sumNoise(noiseMultiplier, countStddev);
  const sum = createPrivateSum({ dimension: d, clipNormL2: radius, noiseMultiplier: noiseOfSum, entropy });
  // The count of unclipped rows moves by as much for a short row as for a long one.
  const ofSum = (noiseMultiplier / noiseOfSum) ** 2;
  const lossShares: number[] = [];
  const isUnclipped: boolean[] = [];
  const difference = new Float64Array(d);
  for (const update of updates) {
    let square = 0;
    for (let k = 0; k < d; k++) {
      difference[k] = update[k]! - (isCentred ? reference[k]! : 0);
      square += difference[k]! * difference[k]!;
    }
    isUnclipped.push(Math.sqrt(square) <= radius);
    lossShares.push(Math.min(1, sum.add(difference) * ofSum + (1 - ofSum)));
  }
  options.onLossShares?.(lossShares);
  const total = sum.release();
  const vector = Float32Array.from(total, (value, k) => (isCentred ? reference[k]! : 0) + value / expectedCount);
  return {
    vector,
    radius,
    nextRadius:
      adaptiveClip === undefined
        ? radius
        : nextClipNorm(
            radius,
            noisyUnclippedShare(entropy, isUnclipped, { countStddev, cohort: expectedCount }),
            adaptiveClip,
          ),
    noiseMultiplier,
    noiseNorm: (sum.grid.noiseMultiplier * radius * Math.sqrt(d)) / expectedCount,
    noise: entropy.isSimulated === true ? 'simulated' : 'secret',
  } as Release;
}

/** The share of the noise for the sum; the count's grid of half steps is paid for as in `noiseGrid`. */
function sumNoise(noiseMultiplier: number, countStddev: number): number {
  return splitNoise(noiseMultiplier, Math.sqrt(countStddev * countStddev - 1));
}

/**
 * The reference for the next round: the last release, shrunk by what of it is expected to be noise.
 *
 * Formula: r = max(0, 1 − ‖noise‖² ÷ ‖v‖²) v (positive-part James–Stein). A function of what is public: free.
 * Source:  James and Stein 1961. Differs: ‖noise‖² = σ²d in place of σ²(d − 2).
 */
export function shrunkReference(vector: ArrayLike<number>, noiseNorm: number): Float32Array<ArrayBuffer> {
  let square = 0;
  for (let k = 0; k < vector.length; k++) square += vector[k]! * vector[k]!;
  const kept = square > 0 ? Math.max(0, 1 - (noiseNorm * noiseNorm) / square) : 0;
  return Float32Array.from(vector, (value) => kept * value);
}
