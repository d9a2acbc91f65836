import type { Attack } from './attack.ts';
import { lengthOf } from './statistics.ts';

/**
 * One bit: the sign of each coordinate of its own update, turned round, all of one size and together as long.
 *
 * Formula:   −(‖x‖/√d) sign(x).
 * Source:    ours: held out for the recognition of attacks.
 */
export const oneBit: Attack = ({ own }) => {
  const size = lengthOf(own) / Math.sqrt(Math.max(1, own.length));
  return own.map((value) => -size * (Math.sign(value) || 1));
};
