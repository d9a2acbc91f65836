import { cornerTrigger, stamped } from './backdoor.ts';
import type { Poison } from './samples.ts';

/**
 * Distributed backdoor: each colluder stamps one pixel of the trigger; the attack is tested with all of them.
 *
 * Source: Xie et al. 2020 (DBA), ICLR.
 *
 * Formula:   half of the samples: pixel (colluder mod 4) of the trigger at 1, label 0.
 */
export const distributedBackdoor: Poison = (samples, { seed, colluder }) =>
  stamped(samples, [cornerTrigger[colluder % cornerTrigger.length]!], seed);
