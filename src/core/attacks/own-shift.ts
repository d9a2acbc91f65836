import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
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
