import type { Poison } from './samples.ts';

/** Static label flip: y → classes − 1 − y (9 − y for ten classes). */
export const labelFlip: Poison = (samples) => ({
  ...samples,
  labels: samples.labels.map((label) => samples.classCount - 1 - label),
});
