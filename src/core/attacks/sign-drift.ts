import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { deviationOf, meanOf } from './statistics.ts';

/**
 * Sign drift: the attacker's own update, pushed in each coordinate against the sign of the honest mean.
 *
 * Formula:   x − z · sign(mean) · sd of the honest.
 * Source:    Fang et al. 2020, arXiv:1911.11815 (against the sign of the benign mean), within a stated deviation; ours.
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
