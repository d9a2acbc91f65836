import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { worstStrength } from './line-search.ts';
import { deviationOf, meanOf } from './statistics.ts';

/**
 * Own shift: each attacker shifts its *own* honest update by a few deviations, so that no two colluders send the same.
 * Made against tests for near-duplicates; small shifts are below what one round can show.
 *
 * Formula:   x − z · sd, sd the coordinate-wise deviation of the honest updates.
 * Source:    Baruch et al. 2019, arXiv:1902.06156, with the own update in place of the mean.
 */
export function ownShift(z: number): Attack {
  return (input) => {
    const honest = seen(input);
    return blend([
      [1, input.own],
      [-z, deviationOf(honest, meanOf(honest))],
    ]);
  };
}

/**
 * Adaptive own shift: knows the rule, and pulls each attacker's own update against the honest mean with the strength
 * that moves the rule's output farthest. The colluders differ as their data do, so they are no duplicates.
 *
 * Formula:   x − τ · mean(honest), τ by line search with 20 evaluations of the rule on f copies of the shifted own update.
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
