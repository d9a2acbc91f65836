import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { deviationOf, meanOf } from './statistics.ts';

const driftPerRound = 0.02;
const driftMax = 0.4;

/**
 * Slow drift: its own update, shifted a little more each round, and never by half a deviation.
 *
 * Formula:   x − min(0.4, 0.02 · round) · sd of the honest, against the mean's sign.
 * Source:    ours.
 */
export const slowDrift: Attack = (input) => {
  const honest = seen(input);
  const mean = meanOf(honest);
  const shift = Math.min(driftMax, driftPerRound * input.round);
  const push = deviationOf(honest, mean).map((value, k) => -Math.sign(mean[k]!) * value);
  return blend([
    [1, input.own],
    [shift, push],
  ]);
};
