import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';

/**
 * Shuffled: its own update with its coordinates in an order of its own: every value is honest, and none in its place.
 *
 * Formula:   x_π(k), π drawn anew in every round.
 * Source:    ours: held out for the recognition of attacks.
 */
export const shuffled: Attack = ({ own, round, seed }) =>
  Float32Array.from(createRng(seed).child('shuffled', round).shuffleInPlace(Array.from(own)));
