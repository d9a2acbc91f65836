import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { worstStrength } from './line-search.ts';
import { meanOf } from './statistics.ts';

/**
 * Optimal IPM: searches the ε that moves the rule's output farthest from the honest mean.
 *
 * Formula:   −τ · mean(honest), τ by line search with 20 evaluations of the rule.
 * Source:    ByzFL `Optimal_InnerProductManipulation`.
 */
export const optimalIpm: Attack = async (input) => {
  const mean = meanOf(seen(input));
  const tau = await worstStrength(input, (strength) => blend([[-strength, mean]]));
  return blend([[-tau, mean]]);
};
