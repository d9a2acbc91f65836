import { z } from 'zod';
import { topEigenpair } from './eigen.ts';
import { byzantine, define, minority } from './rule.ts';
import { centredProducts } from './scatter.ts';
import type { Span } from './span.ts';

const leastProgress = 1e-3;

/**
 * Covariance-bound-agnostic filter: lowers the weight of rows that stretch the cohort along its top direction, and keeps
 * the mean of the least stretched weighting.
 *
 * Formula:   c = 1; while Σ c > n − 2f: m = Σ c_i x_i / Σ c, (λ, v) the top eigenpair of Σ c_i (x_i − m)(x_i − m)ᵀ / Σ c,
 *            τ_i = ⟨x_i − m, v⟩², c_i ← c_i (1 − τ_i / max_k τ_k). The mean with the least λ is the result.
 * Shapes:    Gram [n, n] → weights [n].
 * Needs:     n ≥ 2f + 1.
 * Promises:  robustness without a bound on the covariance. With f = 0 it is the mean (ByzFL returns nothing there).
 * Cost:      up to about 3n eigenpairs of an n × n matrix.
 * Differs:   ByzFL takes one power step from a random start; here the eigenpair is exact. A row of weight zero that is
 *            far out would stop the loop for ever; see `lowered`.
 * Source:    Allouah et al. 2025 (CAF).
 */
export const caf = define(z.strictObject({ rule: z.literal('caf'), ...byzantine }), {
  kind: 'weights',
  needs: () => 'gram',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  weigh(span, _options, { f }) {
    const n = span.count;
    let shares: Float64Array = new Float64Array(n).fill(1);
    let best = { weights: shares.map((share) => share / n), eigenvalue: Number.POSITIVE_INFINITY };
    let iterations = 0;
    for (;;) {
      const total = shares.reduce((sum, share) => sum + share, 0);
      if (total <= n - 2 * f || f === 0) break;
      const { eigenvalue, stretches } = stretch(span, shares, total);
      iterations += 1;
      if (eigenvalue < best.eigenvalue) best = { weights: shares.map((share) => share / total), eigenvalue };
      const next = lowered(shares, stretches, total);
      if (next === null) break;
      shares = next;
    }
    return { weights: best.weights, findings: { minTopEigenvalue: best.eigenvalue, iterations } };
  },
});

/**
 * c_i (1 − τ_i / max τ), with the maximum over all rows, those without weight too. Where such a row is so far out that
 * nothing would change, the maximum is over the rows with weight. Null when no row is stretched.
 */
function lowered(shares: Float64Array, stretches: Float64Array, total: number): Float64Array | null {
  const most = (isCounted: (i: number) => boolean): number =>
    stretches.reduce((max, value, i) => (isCounted(i) ? Math.max(max, value) : max), 0);
  const lower = (limit: number): Float64Array =>
    shares.map((share, i) => share * Math.max(0, 1 - stretches[i]! / limit));
  const limits = [most(() => true), most((i) => shares[i]! > 0)];
  for (const limit of limits) {
    if (!(limit > 0)) return null;
    const next = lower(limit);
    if (next.reduce((sum, share) => sum + share, 0) < total * (1 - leastProgress)) return next;
  }
  return null;
}

function stretch(span: Span, shares: Float64Array, total: number): { eigenvalue: number; stretches: Float64Array } {
  const n = span.count;
  const rows = Array.from({ length: n }, (_, i) => i);
  const measured = centredProducts(span, rows, shares);
  // At most one, so that squares of products stay within float64.
  const scale = measured.reduce((most, product) => Math.max(most, Math.abs(product)), 0) || 1;
  const products = measured.map((product) => product / scale);
  const roots = shares.map(Math.sqrt);
  const weighted = products.map((value, at) => (value * roots[Math.floor(at / n)]! * roots[at % n]!) / total);
  const { value, vector } = topEigenpair(weighted, n);
  // v = Σ √c_k u_k (x_k − m), up to its length, which the quotient τ_i / max τ does not see.
  const stretches = Float64Array.from(rows, (i) => {
    let along = 0;
    for (let k = 0; k < n; k++) along += products[i * n + k]! * roots[k]! * vector[k]!;
    return along * along;
  });
  return { eigenvalue: value * scale, stretches };
}
