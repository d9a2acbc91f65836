import type { Entropy } from '../../../ports/entropy.ts';
import { noiseMultiplier } from '../accounting/noise-multiplier.ts';
import { createPrivateSum } from '../mechanisms/private-sum.ts';

/**
 * The noise that a client adds to each of its updates, as a multiple of the clip norm.
 *
 * Formula:  2 z, z the noise multiplier of `releases` Gaussian releases at (ε, δ): another update in the place of this one
 *           moves the clipped vector by up to two clip norms.
 * Promises: the updates of all rounds together are (ε, δ)-private towards everybody, the coordinator too.
 */
export function localNoise({
  epsilon,
  delta,
  releases,
}: {
  readonly epsilon: number;
  readonly delta: number;
  readonly releases: number;
}): number {
  return 2 * noiseMultiplier({ epsilon, delta, sampleRate: 1, steps: releases }).noiseMultiplier;
}

/**
 * One update as it may leave the client: clipped, on a grid, with exact discrete Gaussian noise.
 *
 * Needs: drawn once for a round; sent again it must be the same bytes.
 */
export function noisyUpdate(
  update: ArrayLike<number>,
  options: { readonly clipNorm: number; readonly noise: number; readonly entropy: Entropy },
): Float32Array<ArrayBuffer> {
  const sum = createPrivateSum({
    dimension: update.length,
    clipNormL2: options.clipNorm,
    noiseMultiplier: options.noise,
    entropy: options.entropy,
  });
  sum.add(update);
  return Float32Array.from(sum.release());
}
