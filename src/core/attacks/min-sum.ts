import type { Attack } from './attack.ts';
import { seen } from './attack.ts';
import { type Perturbation, pushed } from './pushed.ts';

/**
 * Min-sum: the sum of squared distances to the honest stays below that of some honest client.
 *
 * Formula:   mean + γ p, the largest γ with Σ_i ‖mean + γ p − x_i‖² ≤ max_i Σ_j ‖x_i − x_j‖², by bisection.
 * Source:    Shejwalkar and Houmansadr 2021 (NDSS), section V.
 */
export function minSum(perturbation: Perturbation = 'deviation'): Attack {
  return (input) => pushed(seen(input), perturbation, (values) => values.reduce((sum, value) => sum + value, 0));
}
