import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { blend } from './attack.ts';
import { lengthOf } from './statistics.ts';

/**
 * Sybils: many identities, one mind. Each sends the same hostile direction with a trace of noise of its own.
 *
 * Formula:   a random direction that the colluders share (their seed), as long as an honest update, plus 1 % of one's own.
 * Source:    Fung et al. 2020, arXiv:1808.04866, section 3.
 */
export const sybil: Attack = ({ own, seed }) => {
  const rng = createRng(seed).child('sybil');
  const direction = Float64Array.from(own, () => rng.gaussian());
  return blend([
    [lengthOf(own) / lengthOf(direction), direction],
    [0.01, own],
  ]);
};
