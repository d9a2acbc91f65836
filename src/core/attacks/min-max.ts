import type { Attack } from './attack.ts';
import { seen } from './attack.ts';
import { type Perturbation, pushed } from './pushed.ts';

/**
 * Min-max: as far against the honest mean as the honest are from one another.
 *
 * Formula:   mean + γ p, the largest γ with max_i ‖mean + γ p − x_i‖ ≤ max_ij ‖x_i − x_j‖, by bisection.
 * Source:    Shejwalkar and Houmansadr 2021 (NDSS), section V.
 */
export function minMax(perturbation: Perturbation = 'deviation'): Attack {
  return (input) => pushed(seen(input), perturbation, (values) => Math.max(...values));
}
