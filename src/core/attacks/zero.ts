import type { Attack } from './attack.ts';

/**
 * Zero: a free rider that does no work.
 *
 * Formula:   0.
 * Source:    Lin et al. 2019, arXiv:1911.12560 (free riders).
 */
export const zero: Attack = ({ own }) => new Float32Array(own.length);
