import type { Attack } from './attack.ts';
import { seen } from './attack.ts';
import { deviationOf, lengthOf, meanOf } from './statistics.ts';

/**
 * Hidden drift: knows what is measured. It shifts its own update against the honest mean, in proportion to the mean (so
 * that layers keep the sums that honest training gives them), and only where its own update is not zero.
 *
 * Formula:   x − z ‖sd‖ m/‖m‖ on the coordinates with x ≠ 0.
 * Source:    ours.
 */
export function hiddenDrift(z: number): Attack {
  return (input) => {
    const honest = seen(input);
    const mean = meanOf(honest);
    const length = lengthOf(mean);
    const scale = length === 0 ? 0 : (z * lengthOf(deviationOf(honest, mean))) / length;
    return input.own.map((value, k) => (value === 0 ? 0 : value - scale * mean[k]!));
  };
}
