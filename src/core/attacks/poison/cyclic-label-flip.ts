import type { Poison } from './samples.ts';

/**
 * Cyclic label flip: y → y + 1.
 *
 * Formula:   y ↦ (y + 1) mod classes.
 * Source:    folklore; FLDetector takes the remainder by 9, and so never makes a 9.
 */
export const cyclicLabelFlip: Poison = (samples) => ({
  ...samples,
  labels: samples.labels.map((label) => (label + 1) % samples.classCount),
});
