import { checkNumber } from '../check.ts';
import { type NoisySteps, renyiCost } from './filter.ts';
import { type Divergences, ODOMETER_ORDERS } from './odometer.ts';

/** Shares of a sampled step are rounded up to multiples of this, so that a round has few different costs. */
const SHARE_UNIT = 1 / 256;
/** Doubles that are subtracted may lose this much of the larger one. */
const SLACK = 1e-12;

/**
 * What one client has saved against the worst case in a step, because its clipped deviation was short.
 *
 * Formula:  D_α(σ, q) − D_α(σ ÷ √s, q) at each order of the odometer; s = ‖clipped deviation‖² ÷ τ² without an adaptive
 *           clip. At q < 1 s is rounded up to 1/256.
 * Needs:    0 ≤ s ≤ 1 as `releaseBounded` measures it. What the client sends is a function of its data, of numbers of its
 *           own that it draws anew and of what was released; at q < 1 it does not depend on earlier coins.
 * Promises: at least 0, so that nobody ever pays more than the worst case. The figure depends on the client's data: it is
 *           for that client alone.
 * Source:   Feldman and Zrnic 2021, arXiv:2008.11193.
 */
export function savedBy(lossShare: number, step: NoisySteps): Divergences {
  const share = checkNumber('account for one client', 'lossShare', lossShare, 'rate');
  const rounded = step.sampleRate < 1 ? Math.ceil(share / SHARE_UNIT) * SHARE_UNIT : share;
  if (rounded === 1) return ODOMETER_ORDERS.map(() => 0);
  const own = { ...step, noiseMultiplier: step.noiseMultiplier / Math.sqrt(rounded) };
  return ODOMETER_ORDERS.map((order) => {
    const paid = rounded === 0 ? 0 : renyiCost(order, own);
    return Math.max(0, renyiCost(order, step) - paid);
  });
}

/** Savings added up, order by order. Promises: as `savedBy`. */
export function addSaved(a: Divergences | undefined, b: Divergences): Divergences {
  return a === undefined ? b : b.map((value, k) => a[k]! + value);
}

/**
 * What one client has lost, of everything that its chain was charged for.
 *
 * Promises: at most `worst`, order by order, and never below the true sum of what is left of it.
 */
export function individualDivergences(worst: Divergences, saved: Divergences | undefined): Divergences {
  if (saved === undefined) return worst;
  return worst.map((value, k) => Math.min(value, Math.max(0, value - saved[k]!) + SLACK * value));
}
