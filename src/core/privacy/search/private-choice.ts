import { checkNumber } from '../check.ts';
import { RDP_ORDERS, rdpEpsilon, type RdpCurve } from '../accounting/rdp.ts';

/**
 * ε of giving out the best of a random number of runs, chosen by scores on the private data.
 *
 * Formula:  K runs, P[K = k] = γ (1 − γ)^{k − 1}, 1/γ the mean (truncated negative binomial law with η = 1). With r(α) of one
 *           run: r(α) + 2 (1 − 1/β) r(β) + 2 ln(1/γ) ÷ β + ln(mean) ÷ (α − 1), the best β ≥ 1 taken.
 * Needs:    K is secret; each run's settings are drawn independently of all scores, from one law for which r bounds every
 *           run; nothing of the other runs is given out.
 * Promises: an upper bound; at mean 1 about that of three runs at worst.
 * Source:   Papernot and Steinke 2022, arXiv:2110.03620, theorem 2.
 */
export function bestOfRunsEpsilon(curve: RdpCurve, meanRuns: number, delta: number): number {
  const action = 'charge for a choice';
  checkNumber(action, 'delta', delta, 'positiveDelta');
  const mean = checkNumber(action, 'meanRuns', meanRuns, 'positive');
  if (mean < 1) throw new RangeError(`Cannot ${action} as meanRuns must be at least 1: current value is ${mean}`);
  const logMean = Math.log(mean);
  const price = RDP_ORDERS.reduce((least, order) => {
    return Math.min(least, 2 * (1 - 1 / order) * curve(order) + (2 * logMean) / order);
  }, Infinity);
  return rdpEpsilon((order) => curve(order) + price + logMean / (order - 1), delta).epsilon;
}
