import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { lengthOf } from './statistics.ts';

/** Shuffled: its own update with its coordinates in an order of its own: every value is honest, and none in its place. */
export const shuffled: Attack = ({ own, round, seed }) =>
  Float32Array.from(createRng(seed).child('shuffled', round).shuffleInPlace(Array.from(own)));

const keptShare = 0.01;

/** Sparse: the largest hundredth of its own update, as long as the whole, with the signs turned. */
export const sparse: Attack = ({ own }) => {
  const least = Float32Array.from(own, Math.abs).sort()[Math.floor((1 - keptShare) * own.length)]!;
  const kept = own.map((value) => (Math.abs(value) >= least ? -value : 0));
  const scale = lengthOf(own) / Math.max(lengthOf(kept), Number.MIN_VALUE);
  return kept.map((value) => scale * value);
};

/** One bit: the sign of each coordinate of its own update, turned round, all of one size and together as long. */
export const oneBit: Attack = ({ own }) => {
  const size = lengthOf(own) / Math.sqrt(Math.max(1, own.length));
  return own.map((value) => -size * (Math.sign(value) || 1));
};
