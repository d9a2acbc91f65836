import { shifted } from './alie.ts';
import type { Attack } from './attack.ts';
import { seen } from './attack.ts';
import { worstStrength } from './line-search.ts';

/**
 * Optimal ALIE: searches the shift (ByzFL's sign: upwards) that moves the rule's output farthest from the honest mean.
 *
 * Formula:   mean + τ · sd, τ by line search with 20 evaluations of the rule.
 * Source:    ByzFL `Optimal_ALittleIsEnough`.
 */
export const optimalAlie: Attack = async (input) => {
  const tau = await worstStrength(input, (strength) => shifted(seen(input), strength));
  return shifted(seen(input), tau);
};
