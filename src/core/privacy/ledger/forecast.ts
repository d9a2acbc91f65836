import { checkNumber } from '../check.ts';
import { logBinomial, logGamma } from '../numerics/log-space.ts';

/** When a client's budget runs out: the round by which it is used up with a probability of 5, 50 and 95 %. */
export type Forecast = { readonly low: number; readonly median: number; readonly high: number };

/**
 * The round in which a client that pays for each participation runs out.
 *
 * Formula:  with k participations left and a chance p of taking part in a round, P[run out by round t] =
 *           P[Bin(t, p) ≥ k]: quantiles of the negative binomial law.
 * Needs:    participations ≥ 1, 0 < p ≤ 1; rounds are independent. p is the sample rate times the chance of not
 *           dropping out.
 */
export function forecastExhaustion(participationsLeft: number, participationRate: number): Forecast {
  const action = 'forecast a budget';
  const k = checkNumber(action, 'participationsLeft', participationsLeft, 'positiveCount');
  const p = checkNumber(action, 'participationRate', participationRate, 'positiveRate');
  if (p === 1) return { low: k, median: k, high: k };
  return quantilesOf(k, (t) => logBinomial(t - 1, k - 1) + k * Math.log(p) + (t - k) * Math.log1p(-p));
}

/**
 * The same round where the chance of taking part is known from `rounds` rounds alone, `taken` of them taken.
 *
 * Formula:  the chance has Jeffreys' law Beta(taken + ½, rounds − taken + ½): quantiles of the beta negative binomial law.
 * Needs:    1 ≤ taken ≤ rounds. A round that lies more than a million ahead is said as a million.
 */
export function forecastFromHistory(
  participationsLeft: number,
  { taken, rounds }: { readonly taken: number; readonly rounds: number },
): Forecast {
  const action = 'forecast a budget';
  const k = checkNumber(action, 'participationsLeft', participationsLeft, 'positiveCount');
  checkNumber(action, 'taken', taken, 'positiveCount');
  checkNumber(action, 'rounds − taken', rounds - taken, 'count');
  const [a, b] = [taken + 0.5, rounds - taken + 0.5];
  const logBeta = (x: number, y: number) => logGamma(x) + logGamma(y) - logGamma(x + y);
  const base = logBeta(a, b);
  return quantilesOf(k, (t) => logBinomial(t - 1, k - 1) + logBeta(a + k, b + t - k) - base);
}

const roundsAheadMax = 1_000_000;

/** The rounds at which 5, 50 and 95 % are reached. */
function quantilesOf(k: number, logMassAt: (t: number) => number): Forecast {
  const quantiles: number[] = [];
  let reached = 0;
  for (let t = k; quantiles.length < 3; t++) {
    reached = t >= roundsAheadMax ? 1 : reached + Math.exp(logMassAt(t));
    while (quantiles.length < 3 && reached >= [0.05, 0.5, 0.95][quantiles.length]! - 1e-12) quantiles.push(t);
  }
  const [low, median, high] = quantiles as [number, number, number];
  return { low, median, high };
}
