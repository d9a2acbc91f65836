// Signatures of clients in recorded runs, with the pattern that their attack is.
import type { PatternId } from '../../src/core/detection/pattern/pattern.ts';
import { signaturesOf } from '../../src/core/detection/pattern/signature.ts';
import { judge } from '../../src/core/detection/judge.ts';
import { windowMax } from '../../src/core/detection/limits.ts';
import type { Observation } from '../../src/core/detection/detector.ts';
import type { Hostility } from '../../src/simulation/index.ts';
import { observationsAt, recordingOf } from './recording.ts';
import { partitions, type PartitionName } from './setting.ts';

/** Attacks that the prototypes are made from. */
export const learned = {
  gaussian: 'noise',
  random: 'noise',
  'sign-flip': 'sign-flip',
  'scaled-sign-flip': 'sign-flip',
  scaling: 'scaling',
  'own-shift-0.5': 'drift',
  'sign-drift-0.5': 'drift',
  'label-flip': 'label-flip',
  backdoor: 'backdoor',
} as const satisfies Partial<Record<Hostility, PatternId>>;

/** Attacks that calibration never saw; the last ones are of no kind that it knows. */
export const heldOut = {
  shuffled: 'noise',
  'model-replacement': 'scaling',
  sybil: 'copies',
  alie: 'copies',
  mimic: 'copies',
  ipm: 'copies',
  'min-max': 'copies',
  'own-shift-1': 'drift',
  'hidden-drift-1': 'drift',
  'slow-drift': 'drift',
  'cyclic-label-flip': 'label-flip',
  'dynamic-label-flip': 'label-flip',
  'distributed-backdoor': 'backdoor',
  'edge-case-backdoor': 'backdoor',
  lazy: 'free-rider',
  zero: 'free-rider',
  sparse: 'unknown',
  'one-bit': 'unknown',
} as const satisfies Partial<Record<Hostility, PatternId>>;

export type KnownAttack = keyof typeof learned | keyof typeof heldOut;

export type Sample = {
  readonly attack: KnownAttack | 'honest';
  readonly partition: PartitionName;
  readonly seed: number;
  /** Counted from zero: the round at whose end the client was looked at. */
  readonly round: number;
  readonly isFlagged: boolean;
  readonly signature: Float64Array;
  readonly observations: readonly Observation[];
  readonly place: number;
};

export const windowRounds = 20;
/** Of honest clients that the default flags. */
const falseAlarms = 0.003;

/** Attackers of a run, and honest clients that were flagged in it, at the ends of these rounds. */
export async function samplesOf(
  run: { readonly partition: PartitionName; readonly attack: KnownAttack; readonly seed: number },
  rounds: readonly number[],
): Promise<Sample[]> {
  const recording = await recordingOf({ ...run, clients: 20, rounds: windowRounds });
  return rounds.flatMap((round) => {
    const observations = observationsAt(recording, round, windowMax);
    if (observations.length < 3) return [];
    const signatures = signaturesOf(observations);
    return judge('ensemble', observations, falseAlarms).flatMap(({ clientId, isFlagged }, place): Sample[] => {
      const { isAttacker } = recording.lines[Number(clientId)]!;
      if (!isAttacker && !isFlagged) return [];
      const attack = isAttacker ? run.attack : ('honest' as const);
      return [{ ...run, attack, round, isFlagged, signature: signatures[place]!, observations, place }];
    });
  });
}

export const partitionNames = Object.keys(partitions) as PartitionName[];
