import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { meanOf } from './statistics.ts';

/**
 * Inner product manipulation (fall of empires): the honest mean turned around, short enough to pass.
 *
 * Formula:   −ε · mean(honest).
 * Source:    Xie et al. 2020, arXiv:1903.03936.
 */
export function ipm(epsilon = 0.5): Attack {
  return (input) => blend([[-epsilon, meanOf(seen(input))]]);
}
