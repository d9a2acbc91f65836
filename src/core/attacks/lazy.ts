import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { lengthOf } from './statistics.ts';

/**
 * Lazy: a free rider that trains nothing and sends a little noise so as not to be silent.
 *
 * Formula:   normal noise of a tenth of the length of an honest update.
 * Source:    Lin et al. 2019, arXiv:1911.12560.
 */
export const lazy: Attack = ({ own, round, seed }) => {
  const rng = createRng(seed).child('lazy', round);
  const deviation = lengthOf(own) / Math.sqrt(Math.max(1, own.length)) / 10;
  return own.map(() => deviation * rng.gaussian());
};
