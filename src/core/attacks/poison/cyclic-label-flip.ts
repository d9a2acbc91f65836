import type { Poison } from './samples.ts';

/** Cyclic label flip: y → y + 1. */
export const cyclicLabelFlip: Poison = (samples) => ({
  ...samples,
  labels: samples.labels.map((label) => (label + 1) % samples.classCount),
});
