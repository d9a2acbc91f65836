import { exp, log } from '../numerics/portable.ts';
import type { Rng } from '../random/rng.ts';

/**
 * Draws a point of the simplex from the symmetric Dirichlet distribution.
 *
 * Formula: p_i = g_i ÷ Σ g_j with g_i ~ Gamma(α, 1), in logarithms so that a small α cannot underflow to 0 ÷ 0.
 * Errors:  RangeError when α is not a positive finite number.
 * Source:  Marsaglia and Tsang 2000, "A simple method for generating gamma variables", with the boost for α < 1.
 */
export function dirichlet(alpha: number, count: number, rng: Rng): Float64Array {
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new RangeError(
      `Cannot draw proportions as alpha must be a positive finite number: current value is ${alpha}`,
    );
  }
  const logs = Float64Array.from({ length: count }, () => logGammaVariate(alpha, rng));
  const top = logs.reduce((max, value) => Math.max(max, value), -Infinity);
  const weights = logs.map((value) => exp(value - top));
  const total = weights.reduce((sum, value) => sum + value, 0);
  return weights.map((value) => value / total);
}

/**
 * Draws the logarithm of a Gamma(α, 1) number.
 *
 * Needs:  α > 0.
 * Source: Marsaglia and Tsang 2000, with the boost for α < 1.
 */
export function logGammaVariate(alpha: number, rng: Rng): number {
  if (alpha < 1) return logGammaVariate(alpha + 1, rng) + log(1 - rng.float()) / alpha;
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.gaussian();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root ** 3;
    if (log(1 - rng.float()) < 0.5 * x * x + d - d * v + d * log(v)) return log(d) + log(v);
  }
}
