import type { Entropy } from '../../../ports/entropy.ts';
import { checkNumber } from '../check.ts';
import { epsilon as epsilonOf } from '../accounting/epsilon.ts';
import { createIntegerSource } from '../mechanisms/random-integers.ts';
import { type PrivUnit, privUnit, privUnitReport, uniform } from './priv-unit.ts';

/** A budget for several reports of one site. */
export type ReportBudget = { readonly epsilon: number; readonly delta: number; readonly releases: number };

/**
 * The noise parameter of randomised response on two answers that is exactly as revealing as any ε-local-private report
 * may be at most.
 *
 * Formula:  ln((1 − x/2) ÷ (x/2)) = ε: x = 2 ÷ (1 + e^ε).
 * Source:   Kairouz, Oh and Viswanath 2015, arXiv:1311.0776: it dominates every ε-private mechanism, composed too.
 */
export function responseOf(epsilon: number) {
  return { mechanism: 'randomized-response', noiseParameter: 2 / (1 + Math.exp(epsilon)), bucketCount: 2 } as const;
}

/**
 * ε of each of `releases` reports that together cost at most (ε, δ).
 *
 * Formula:  the larger of ε/T and the root of the PLD of T randomised responses, from below.
 */
export function epsilonOfEach({ epsilon, delta, releases }: ReportBudget): number {
  const action = 'share a budget';
  checkNumber(action, 'epsilon', epsilon, 'positive');
  checkNumber(action, 'releases', releases, 'positiveCount');
  const basic = epsilon / releases;
  if (releases === 1) return basic;
  const cost = (each: number) => epsilonOf({ ...responseOf(each), steps: releases, delta }).epsilon;
  let [low, high] = [basic, Math.min(epsilon, 4 * basic)];
  while (high < epsilon && cost(high) <= epsilon) high = Math.min(epsilon, 2 * high);
  while (high - low > 1e-4 * low) {
    const middle = (low + high) / 2;
    if (cost(middle) <= epsilon) low = middle;
    else high = middle;
  }
  return low;
}

/** PrivUnit for the updates of one site: what one of them may cost, and how it is drawn. */
export type UnitUpdates = PrivUnit & { readonly epsilon: number };

const rememberedMax = 16;
const remembered = new Map<string, UnitUpdates>();

/** PrivUnit for `releases` updates of `dimension` values at (ε, δ). A plan asks for it often: the last few are remembered. */
export function unitUpdates(dimension: number, budget: ReportBudget): UnitUpdates {
  const key = JSON.stringify([dimension, budget.epsilon, budget.delta, budget.releases]);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const epsilon = epsilonOfEach(budget);
  const made = { ...privUnit(dimension, epsilon), epsilon };
  if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value!);
  remembered.set(key, made);
  return made;
}

/** The norm that every report has, whatever the update was: a report of another norm is a lie. */
export function unitUpdateNorm(setting: PrivUnit, clipNorm: number): number {
  return clipNorm / setting.scale;
}

/**
 * One update as it may leave the client: a PrivUnit report of its direction, unbiased for the clipped update.
 *
 * Formula:  r = min(1, ‖x‖ ÷ c); the direction x/‖x‖ or its opposite with probability (1 ± r)/2, whose mean is the clipped
 *           x/c; then PrivUnit, times c.
 * Needs:    drawn once for a round; sent again it must be the same bytes.
 * Promises: ε-local-private for any other update in its place, its length too: what is reported is a unit vector.
 */
export function unitUpdate(
  update: ArrayLike<number>,
  options: { readonly clipNorm: number; readonly setting: PrivUnit; readonly entropy: Entropy },
): Float32Array<ArrayBuffer> {
  const { clipNorm, setting, entropy } = options;
  const vector = Float64Array.from(update, (value) => (Number.isFinite(value) ? value / clipNorm : 0));
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  // What has no direction that doubles can tell is nothing: any direction, with either sign as often.
  const hasDirection = norm > 1e-150 && Number.isFinite(norm);
  const share = hasDirection ? Math.min(1, norm) : 0;
  const sign = uniform(createIntegerSource(entropy)) < (1 + share) / 2 ? 1 : -1;
  const unit = hasDirection ? vector.map((value) => (sign * value) / norm) : vector.fill(0);
  if (!hasDirection) unit[0] = sign;
  return Float32Array.from(privUnitReport(entropy, unit, setting), (value) => value * clipNorm);
}
