import { checkNumber } from '../check.ts';
import { logAbsDifference, logAdd, logBinomial } from '../numerics/log-space.ts';

const ACTION = 'compose (ε, δ) guarantees';

/** Guarantees of several releases that may be chosen one after another. */
export type Guarantee = { readonly epsilon: number; readonly delta: number };

/**
 * Basic composition: sums.
 *
 * Source: Dwork and Roth 2014, theorem 3.16.
 */
export function basicComposition(parts: readonly Guarantee[]): Guarantee {
  return parts.reduce((sum, { epsilon, delta }) => ({ epsilon: sum.epsilon + epsilon, delta: sum.delta + delta }), {
    epsilon: 0,
    delta: 0,
  });
}

/**
 * The least ε of k releases that are each (ε₀, δ₀)-private, at a total δ: optimal among bounds that know no more.
 *
 * Formula:  ε₀ (k − 2i) for the largest i with 1 − (1 − δ₀)^k (1 − δ_i) ≤ δ,
 *           δ_i = Σ_{l<i} C(k,l)(e^{ε₀(k−l)} − e^{ε₀(k−2i+l)}) ÷ (1 + e^{ε₀})^k.
 * Needs:    k ≥ 1. Undefined where the total δ is below 1 − (1 − δ₀)^k: then no ε holds.
 * Source:   Kairouz, Oh and Viswanath 2015, arXiv:1311.0776, theorem 3.3.
 */
export function advancedComposition(part: Guarantee, count: number, totalDelta: number): number | undefined {
  const epsilon = checkNumber(ACTION, 'epsilon', part.epsilon, 'notNegative');
  const delta = checkNumber(ACTION, 'delta', part.delta, 'delta');
  const k = checkNumber(ACTION, 'count', count, 'positiveCount');
  checkNumber(ACTION, 'the total delta', totalDelta, 'delta');
  const logKept = k * Math.log1p(-delta);
  for (let i = Math.floor(k / 2); i >= 0; i--) {
    // Not 1 − (1 − δ)^k (1 − δ_i): what is left of a small δ after that is rounding.
    const spent = -Math.expm1(logKept + Math.log1p(-Math.min(1, deltaAt(epsilon, k, i))));
    if (spent * (1 + 1e-12) <= totalDelta) return epsilon * (k - 2 * i);
  }
  return undefined;
}

function deltaAt(epsilon: number, k: number, i: number): number {
  let sum = -Infinity;
  for (let l = 0; l < i; l++) {
    sum = logAdd(sum, logBinomial(k, l) + logAbsDifference(epsilon * (k - l), epsilon * (k - 2 * i + l)));
  }
  return Math.exp(sum - k * logAdd(0, epsilon));
}

/**
 * ε of adaptively chosen pure guarantees that need not be known beforehand: the filter of fully adaptive composition.
 *
 * Formula:  Σ ε²/2 + √(2 ln(1/δ′) Σ ε²).
 * Source:   Whitehouse, Ramdas, Rogers and Wu 2023, arXiv:2203.05481, theorem 1.
 */
export function adaptiveFilterEpsilon(epsilons: readonly number[], delta: number): number {
  checkNumber(ACTION, 'delta', delta, 'positiveDelta');
  const squares = epsilons.reduce((sum, one) => sum + one * one, 0);
  return squares / 2 + Math.sqrt(-2 * Math.log(delta) * squares);
}
