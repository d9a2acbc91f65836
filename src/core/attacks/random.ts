import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { rootMeanSquareOf } from './statistics.ts';

/**
 * Random: uniform values of the size of its own update's root mean square.
 *
 * Formula:   U(−√3 ‖x‖/√d, √3 ‖x‖/√d) by coordinate, so that the norm is about that of x.
 * Source:    folklore.
 */
export const random: Attack = ({ own, round, seed }) => {
  const rng = createRng(seed).child('random', round);
  const reach = Math.sqrt(3) * rootMeanSquareOf(own);
  return own.map(() => reach * (2 * rng.float() - 1));
};
