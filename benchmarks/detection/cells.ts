// Which attacks are measured, and what each class claims.
import type { Hostility } from '../../src/simulation/index.ts';
import type { PartitionName } from './setting.ts';

export type AttackClass = 'none' | 'overt' | 'colluding' | 'sign flip' | 'drift' | 'stealth';

/** Attack-free runs and every attack, by class. */
export const attackClasses = {
  none: ['none'],
  overt: ['nan', 'scaling', 'gaussian'],
  colluding: ['alie', 'sybil'],
  'sign flip': ['sign-flip'],
  drift: ['own-shift-0.5', 'sign-drift-0.5', 'hidden-drift-1'],
  stealth: ['own-shift-0.25', 'slow-drift', 'mimic', 'label-flip', 'backdoor', 'lazy'],
} as const satisfies Record<AttackClass, readonly (Hostility | 'none')[]>;

/** Partitions in which more than 98 % balanced accuracy is claimed; for the rest the figures stand without a claim. */
export const claimed: Readonly<Record<AttackClass, readonly PartitionName[]>> = {
  none: [],
  overt: ['IID', 'Dirichlet(1.0)', 'Dirichlet(0.5)', 'Dirichlet(0.1)', 'sorted'],
  colluding: ['IID', 'Dirichlet(1.0)', 'Dirichlet(0.5)', 'Dirichlet(0.1)', 'sorted'],
  'sign flip': ['IID', 'Dirichlet(1.0)'],
  drift: ['IID', 'Dirichlet(1.0)'],
  stealth: [],
};
