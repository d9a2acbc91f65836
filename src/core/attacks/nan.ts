import type { Attack } from './attack.ts';

/**
 * NaN: one coordinate that is not a number. Enough to break most rules of most libraries.
 *
 * Formula:   x with x_1 = NaN.
 * Source:    folklore.
 */
export const notANumber: Attack = ({ own }) => own.map((value, k) => (k === 0 ? Number.NaN : value));
