import type { Attack } from './attack.ts';
import { lengthOf } from './statistics.ts';

const keptShare = 0.01;

/**
 * Sparse: the largest hundredth of its own update, as long as the whole, with the signs turned.
 *
 * Formula:   −(‖x‖/‖x_S‖) x_S, S the largest hundredth of |x|.
 * Source:    ours: held out for the recognition of attacks.
 */
export const sparse: Attack = ({ own }) => {
  const least = Float32Array.from(own, Math.abs).sort()[Math.floor((1 - keptShare) * own.length)]!;
  const kept = own.map((value) => (Math.abs(value) >= least ? -value : 0));
  const scale = lengthOf(own) / Math.max(lengthOf(kept), Number.MIN_VALUE);
  return kept.map((value) => scale * value);
};
