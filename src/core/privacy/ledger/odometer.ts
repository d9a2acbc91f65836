import { checkNumber } from '../check.ts';
import { type NoisySteps, renyiCost } from './filter.ts';

/** The orders that an odometer reads, fixed beforehand: each costs a share of δ. */
export const ODOMETER_ORDERS: readonly number[] = [1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512];

/** Rényi divergences summed so far, one for each of `ODOMETER_ORDERS`. */
export type Divergences = readonly number[];

/**
 * The running ε of steps that were chosen in any way, with no bound fixed beforehand.
 *
 * Formula:  min over the K orders of Σ_t ρ_t(α) + ln(K/δ) ÷ (α − 1); 0 where nothing was lost.
 * Needs:    ρ_t(α) bounds the Rényi divergence of step t given everything released before it; it may depend on that, and on
 *           the data that is protected.
 * Promises: with probability ≥ 1 − δ the privacy loss is below the figure after every step at once, so also when a run
 *           is stopped by looking at it. For either direction of add-or-remove-one.
 * Source:   odometers: Rogers et al. 2016, arXiv:1605.08294; Rényi ones: Feldman and Zrnic 2021, Lécuyer 2021.
 *           Differs: Ville's inequality on the supermartingale exp((α − 1)(L_t − Σρ)) in place of a grid of filters; a
 *           union over the orders in place of one order.
 */
export function odometerEpsilon(divergences: Divergences, delta: number): number {
  checkNumber('read an odometer', 'delta', delta, 'positiveDelta');
  if (divergences.every((one) => one === 0)) return 0;
  const logShare = Math.log(ODOMETER_ORDERS.length / delta);
  return Math.min(...ODOMETER_ORDERS.map((order, k) => divergences[k]! + logShare / (order - 1)));
}

/** What noisy steps cost at each order of an odometer. */
export function divergencesOf(schedule: readonly NoisySteps[]): Divergences {
  return ODOMETER_ORDERS.map((order) => schedule.reduce((sum, steps) => sum + renyiCost(order, steps), 0));
}
