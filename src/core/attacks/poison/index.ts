import { backdoor } from './backdoor.ts';
import { cyclicLabelFlip } from './cyclic-label-flip.ts';
import { distributedBackdoor } from './distributed-backdoor.ts';
import { dynamicLabelFlip, type LivePoison } from './dynamic-label-flip.ts';
import { edgeCaseBackdoor } from './edge-case-backdoor.ts';
import { labelFlip } from './label-flip.ts';
import type { Poison } from './samples.ts';

/** Every attack on training data by its id. */
export const poisons = {
  backdoor,
  'cyclic-label-flip': cyclicLabelFlip,
  'distributed-backdoor': distributedBackdoor,
  'edge-case-backdoor': edgeCaseBackdoor,
  'label-flip': labelFlip,
} as const satisfies Record<string, Poison>;

/** Attacks on training data that are made anew in every round, by the model of the round. */
export const livePoisons = {
  'dynamic-label-flip': dynamicLabelFlip,
} as const satisfies Record<string, LivePoison>;
