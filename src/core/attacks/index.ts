import { alie, optimalAlie } from './alie.ts';
import type { Attack } from './attack.ts';
import { infinite, notANumber, zero } from './broken.ts';
import { oneBit, shuffled, sparse } from './disfigured.ts';
import { hiddenDrift, scaling, signDrift } from './hidden-drift.ts';
import { ipm, optimalIpm } from './ipm.ts';
import { mimic } from './mimic.ts';
import { minMax, minSum } from './min-max.ts';
import { modelReplacement } from './model-replacement.ts';
import { gaussian, random } from './noise.ts';
import { creepingDrift, lazy, onOff, slowDrift, sybil } from './over-time.ts';
import { adaptiveOwnShift, ownShift } from './own-shift.ts';
import { scaledSignFlip, signFlip } from './sign-flip.ts';
import { turncoat } from './turncoat.ts';

/** Every attack on updates by its id. Attacks on training data are in poison.ts. */
export const attacks = {
  'adaptive-own-shift': adaptiveOwnShift,
  alie: alie(),
  'alie-1.5': alie(1.5),
  'creeping-drift': creepingDrift,
  gaussian,
  'hidden-drift-0.5': hiddenDrift(0.5),
  'hidden-drift-1': hiddenDrift(1),
  infinity: infinite,
  ipm: ipm(),
  'ipm-0.1': ipm(0.1),
  lazy,
  'mean-sign-flip': ipm(1),
  mimic: mimic(),
  'min-max': minMax(),
  'min-sum': minSum(),
  'model-replacement': modelReplacement,
  nan: notANumber,
  'on-off': onOff,
  'one-bit': oneBit,
  'optimal-alie': optimalAlie,
  'optimal-ipm': optimalIpm,
  'own-shift-0.25': ownShift(0.25),
  'own-shift-0.5': ownShift(0.5),
  'own-shift-1': ownShift(1),
  random,
  scaling,
  'scaled-sign-flip': scaledSignFlip,
  shuffled,
  'sign-drift-0.5': signDrift(0.5),
  'sign-flip': signFlip,
  'slow-drift': slowDrift,
  sparse,
  sybil,
  turncoat,
  zero,
} as const satisfies Record<string, Attack>;

export type AttackId = keyof typeof attacks;

/** Attacks in which every colluder sends the same vector, whatever its own update: one of them computes it for all. */
export const collusiveAttacks: ReadonlySet<AttackId> = new Set<AttackId>([
  'alie',
  'alie-1.5',
  'ipm',
  'ipm-0.1',
  'mean-sign-flip',
  'mimic',
  'min-max',
  'min-sum',
  'optimal-alie',
  'optimal-ipm',
]);
