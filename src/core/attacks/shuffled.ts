import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';

/** Shuffled: its own update with its coordinates in an order of its own: every value is honest, and none in its place. */
export const shuffled: Attack = ({ own, round, seed }) =>
  Float32Array.from(createRng(seed).child('shuffled', round).shuffleInPlace(Array.from(own)));
