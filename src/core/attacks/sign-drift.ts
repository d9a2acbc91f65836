import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { deviationOf, meanOf } from './statistics.ts';

/**
 * Sign drift: the attacker's own update, pushed in each coordinate against the sign of the honest mean.
 *
 * Formula:   x − z · sign(mean) · sd of the honest.
 */
export function signDrift(z: number): Attack {
  return (input) => {
    const honest = seen(input);
    const mean = meanOf(honest);
    const push = deviationOf(honest, mean).map((value, k) => -Math.sign(mean[k]!) * value);
    return blend([
      [1, input.own],
      [z, push],
    ]);
  };
}
