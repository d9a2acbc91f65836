import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { worstStrength } from './line-search.ts';
import { meanOf } from './statistics.ts';

/**
 * Adaptive own shift: knows the rule, and pulls each attacker's own update against the honest mean with the strength
 * that moves the rule's output farthest. The colluders differ as their data do, so they are no duplicates.
 *
 * Formula:   x − τ · mean(honest), τ by line search with 20 evaluations of the rule on f copies of the shifted own update.
 * Source:    ours; the search is that of `optimal-ipm`.
 */
export const adaptiveOwnShift: Attack = async (input) => {
  const mean = meanOf(seen(input));
  const shifted = (strength: number): Float32Array =>
    blend([
      [1, input.own],
      [-strength, mean],
    ]);
  return shifted(await worstStrength(input, shifted));
};
