import type { Poison } from './samples.ts';

/**
 * Static label flip: y → classes − 1 − y (9 − y for ten classes).
 *
 * Formula:   y ↦ classes − 1 − y.
 * Source:    as in ByzFL and in Karimireddy et al. 2022, arXiv:2006.09365.
 */
export const labelFlip: Poison = (samples) => ({
  ...samples,
  labels: samples.labels.map((label) => samples.classCount - 1 - label),
});
