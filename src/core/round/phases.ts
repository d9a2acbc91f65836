import type { Plan } from '../plan/plan.ts';
import type { PhasePlan } from './round.ts';

/**
 * The phases of a synchronous round: train and aggregate, then evaluate the new model on the clients' hold-outs.
 *
 * Under central privacy a round takes what everybody gives whose coin fell so, be it nothing: a quorum or a first-k rule
 * would tell who took part. Under any privacy there is no evaluation phase: nothing would bound its figures.
 */
export function phasesOf(plan: Plan, participantCount: number): readonly PhasePlan[] {
  const { size, quorum, selection, deadlineSeconds, absenceGraceSeconds } = plan.cohort;
  const patience = { deadlineMs: 1000 * deadlineSeconds, absenceGraceMs: 1000 * absenceGraceSeconds };
  if (plan.privacy.mode === 'central') {
    return [
      { id: 'train', collects: 'update', quorum: 0, target: participantCount, ...patience, onShortfall: 'abort' },
    ];
  }
  const train: PhasePlan = {
    id: 'train',
    collects: 'update',
    quorum,
    // Where coins choose, everybody whose coin fell so is waited for.
    target: selection.by === 'poisson' ? participantCount : Math.min(size, participantCount),
    ...patience,
    onShortfall: 'abort',
  };
  if (plan.privacy.mode === 'local') return [train];
  return [
    train,
    { id: 'evaluate', collects: 'metrics', quorum: 1, target: participantCount, ...patience, onShortfall: 'skip' },
  ];
}
