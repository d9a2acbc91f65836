import type { Attack } from './attack.ts';
import { blend } from './attack.ts';

const burstRounds = 5;

/**
 * On/off: five honest rounds, five rounds of sign flip, and again. Meant against reputations that forgive.
 *
 * Formula:   x while ⌊round/5⌋ is even, −x while it is odd.
 * Source:    Sun et al. 2006 (on-off attacks on reputations).
 */
export const onOff: Attack = ({ own, round }) => {
  const isHostile = Math.floor(round / burstRounds) % 2 === 1;
  return isHostile ? blend([[-1, own]]) : own.slice();
};
