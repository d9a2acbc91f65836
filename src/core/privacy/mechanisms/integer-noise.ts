import type { Entropy } from '../../../ports/entropy.ts';
import { checkNumber } from '../check.ts';
import { poissonSampler } from './poisson.ts';
import { createIntegerSource, type IntegerSource } from './random-integers.ts';

/** Draws integer noise of one law. */
export type IntegerNoise = { readonly next: () => number };

const ACTION = 'draw integer noise';
const SAFE = Number.MAX_SAFE_INTEGER;

/**
 * Discrete Laplace noise, P[x] ∝ e^{−|x|·s/t}: exact.
 *
 * Needs:   scale = t/s as two positive integers.
 * Cost:    about ten 32-bit words a sample.
 * Source:  Canonne, Kamath and Steinke 2020, algorithm 2.
 */
export function discreteLaplaceNoise(
  entropy: Entropy,
  scale: { readonly t: number; readonly s: number },
): IntegerNoise {
  const t = checkNumber(ACTION, 't', scale.t, 'positiveCount');
  const s = checkNumber(ACTION, 's', scale.s, 'positiveCount');
  const source = createIntegerSource(entropy);
  return { next: () => drawLaplace(source, t, s) };
}

/**
 * Discrete Gaussian noise, P[x] ∝ e^{−x²/2σ²}: exact for σ² = variance.n ÷ variance.d.
 *
 * Formula:  y from discrete Laplace of scale t = ⌊σ⌋ + 1, kept with probability e^{−(|y| − σ²/t)² ÷ 2σ²}. A coin looks at
 *           32 of its bits and at a double with a known error; where these do not tell (2⁻³² of all), integers do.
 * Needs:    n ≥ 1, d ≥ 1 integers.
 * Promises: (Δ/σ)²/2-zCDP for integer vectors of L2 sensitivity Δ.
 * Source:   Canonne, Kamath and Steinke 2020, algorithm 3.
 */
export function discreteGaussianNoise(
  entropy: Entropy,
  variance: { readonly n: number; readonly d: number },
): IntegerNoise {
  const n = checkNumber(ACTION, 'the variance’s numerator', variance.n, 'positiveCount');
  const d = checkNumber(ACTION, 'the variance’s denominator', variance.d, 'positiveCount');
  const source = createIntegerSource(entropy);
  const t = floorRoot(Math.floor(n / d)) + 1;
  return {
    next: () => {
      for (;;) {
        const y = drawLaplace(source, t, 1);
        const size = Math.abs(y);
        if (source.bernoulliExpRatio(excessNear(size, n, d, t), () => excess(size, n, d, t))) return y;
      }
    },
  };
}

/** (|y| − σ²/t)² ÷ 2σ² within 2⁻⁵⁰, or infinity where doubles do not hold its parts. */
function excessNear(size: number, n: number, d: number, t: number): number {
  const product = size * t * d;
  if (product > SAFE) return Number.POSITIVE_INFINITY;
  const offset = product - n;
  return (offset * offset) / (2 * n * t * t * d);
}

function excess(size: number, n: number, d: number, t: number): readonly [bigint, bigint] {
  const [variance, divisor, step] = [BigInt(n), BigInt(d), BigInt(t)];
  const offset = BigInt(size) * step * divisor - variance;
  return [offset * offset, 2n * variance * step * step * divisor];
}

/** σ as the ratio n ÷ d that the sampler takes: σ² rounded up, never down, to a multiple of 1/d. */
export function varianceOf(sigma: number): { readonly n: number; readonly d: number } {
  checkNumber(ACTION, 'sigma', sigma, 'positive');
  // Numbers stay below 2⁵³ as long as |y|·t·d does, for |y| up to some fifty deviations.
  const t = Math.floor(sigma) + 1;
  const d = Math.max(1, Math.min(1_000_000, Math.floor(9e7 / (50 * t * t))));
  const n = Math.ceil(sigma * sigma * d * (1 - 4e-16));
  return { n: Math.max(1, n), d };
}

/**
 * Skellam noise, the difference of two Poisson draws of mean μ = n ÷ d: exact, and closed under sums.
 *
 * Formula:  two draws from Poisson(μ) by inversion (`poissonSampler`).
 * Cost:     two words a sample for μ up to 2²⁰.
 * Source:   Agarwal, Kairouz and Liu 2021, arXiv:2110.04995 (the mechanism).
 */
export function skellamNoise(entropy: Entropy, mean: { readonly n: number; readonly d: number }): IntegerNoise {
  const n = checkNumber(ACTION, 'the mean’s numerator', mean.n, 'positiveCount');
  const d = checkNumber(ACTION, 'the mean’s denominator', mean.d, 'positiveCount');
  const draw = poissonSampler(createIntegerSource(entropy), n, d);
  return { next: () => draw() - draw() };
}

function drawLaplace(source: IntegerSource, t: number, s: number): number {
  for (;;) {
    const u = source.below(t);
    if (!source.bernoulliExp(u, t)) continue;
    let v = 0;
    while (source.bernoulliExp(1, 1)) v++;
    const size = Math.floor((u + t * v) / s);
    if ((source.uint32() & 1) === 0) return size;
    if (size !== 0) return -size;
  }
}

function floorRoot(value: number): number {
  let root = Math.floor(Math.sqrt(value));
  while (root * root > value) root--;
  while ((root + 1) * (root + 1) <= value) root++;
  return root;
}
