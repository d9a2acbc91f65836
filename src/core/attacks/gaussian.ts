import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { rootMeanSquareOf } from './statistics.ts';

/**
 * Gaussian: standard normal noise of three times the root mean square of its own update, instead of it.
 *
 * Formula:   N(0, (3 ‖x‖/√d)² I).
 * Source:    Blanchard et al. 2017, arXiv:1703.02757 (their Gaussian attackers).
 */
export const gaussian: Attack = ({ own, round, seed }) => {
  const rng = createRng(seed).child('gaussian', round);
  const deviation = 3 * rootMeanSquareOf(own);
  return own.map(() => deviation * rng.gaussian());
};
