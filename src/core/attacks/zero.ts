import type { Attack } from './attack.ts';

/** Zero: a free rider that does no work. */
export const zero: Attack = ({ own }) => new Float32Array(own.length);
