import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import {
  discreteGaussianNoise,
  discreteLaplaceNoise,
  type IntegerNoise,
  skellamNoise,
  varianceOf,
} from '../../src/core/privacy/index.ts';

/** What the issue asks of a core for the exact discrete Gaussian. */
export const samplesWanted = 1e6;

const draws = 200_000;
const repeats = 5;

/** How fast each sampler draws from the system's entropy: the best of five runs, as other work only slows one down. */
export function samplerRates(): readonly { readonly sampler: string; readonly perSecond: number }[] {
  const entropy = createNodeEntropy();
  const gaussian = (sigma: number) => discreteGaussianNoise(entropy, varianceOf(sigma));
  const samplers: Readonly<Record<string, IntegerNoise>> = {
    'discrete Gaussian, σ = 0.5': gaussian(0.5),
    'discrete Gaussian, σ = 3': gaussian(3),
    'discrete Gaussian, σ = 777.7': gaussian(777.7),
    'discrete Gaussian, σ = 2²⁰ (releases)': discreteGaussianNoise(entropy, { n: 2 ** 40, d: 1 }),
    'discrete Laplace, scale 3/2': discreteLaplaceNoise(entropy, { t: 3, s: 2 }),
    'discrete Laplace, scale 1000': discreteLaplaceNoise(entropy, { t: 1000, s: 1 }),
    'Skellam, μ = 2': skellamNoise(entropy, { n: 2, d: 1 }),
    'Skellam, μ = 50': skellamNoise(entropy, { n: 50, d: 1 }),
  };
  return Object.entries(samplers).map(([sampler, noise]) => {
    let perSecond = 0;
    for (let run = 0; run < repeats; run++) {
      const start = performance.now();
      for (let i = 0; i < draws; i++) noise.next();
      perSecond = Math.max(perSecond, (1000 * draws) / (performance.now() - start));
    }
    return { sampler, perSecond };
  });
}
