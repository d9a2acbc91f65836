import type { Attack } from './attack.ts';

/** Infinity: one infinite coordinate. */
export const infinite: Attack = ({ own }) => own.map((value, k) => (k === 0 ? Number.POSITIVE_INFINITY : value));
