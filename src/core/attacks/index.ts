import { adaptiveOwnShift } from './adaptive-own-shift.ts';
import { alie } from './alie.ts';
import type { Attack } from './attack.ts';
import { creepingDrift } from './creeping-drift.ts';
import { gaussian } from './gaussian.ts';
import { hiddenDrift } from './hidden-drift.ts';
import { infinite } from './infinity.ts';
import { ipm } from './ipm.ts';
import { lazy } from './lazy.ts';
import { mimic } from './mimic.ts';
import { minMax } from './min-max.ts';
import { minSum } from './min-sum.ts';
import { modelReplacement } from './model-replacement.ts';
import { notANumber } from './nan.ts';
import { oneBit } from './one-bit.ts';
import { onOff } from './on-off.ts';
import { optimalAlie } from './optimal-alie.ts';
import { optimalIpm } from './optimal-ipm.ts';
import { ownShift } from './own-shift.ts';
import { random } from './random.ts';
import { scaledSignFlip } from './scaled-sign-flip.ts';
import { scaling } from './scaling.ts';
import { shuffled } from './shuffled.ts';
import { signDrift } from './sign-drift.ts';
import { signFlip } from './sign-flip.ts';
import { slowDrift } from './slow-drift.ts';
import { sparse } from './sparse.ts';
import { sybil } from './sybil.ts';
import { turncoat } from './turncoat.ts';
import { zero } from './zero.ts';

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
