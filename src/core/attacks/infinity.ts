import type { Attack } from './attack.ts';

/**
 * Infinity: one infinite coordinate.
 *
 * Formula:   x with x_1 = ∞.
 * Source:    folklore.
 */
export const infinite: Attack = ({ own }) => own.map((value, k) => (k === 0 ? Number.POSITIVE_INFINITY : value));
