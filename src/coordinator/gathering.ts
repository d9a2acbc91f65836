import { type Candidate, selectClients } from '../core/learning/selection/index.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { Device } from '../ports/store.ts';
import type { Snapshot } from './run-log.ts';

/** The clients of these devices that are approved, in canonical order. */
export function approvedClients({ devices }: Snapshot, present: readonly Device[]): readonly string[] {
  const ids = present
    .filter(({ deviceId }) => devices.get(deviceId)?.status === 'approved')
    .map(({ clientId }) => clientId);
  return [...new Set(ids)].sort();
}

/** Whether the run still waits for clients to enrol: the first round needs all that the plan expects. */
export function isShortOfClients(snapshot: Snapshot, plan: Plan): boolean {
  const approved = approvedClients(snapshot, [...snapshot.devices.values()]);
  return snapshot.run.records.length === 0 && approved.length < plan.cohort.expected;
}

/**
 * Whether a round may open now: at once when every approved client is there, with a quorum after some patience. The
 * first round waits longer, as its clients are starting up and not coming back.
 */
export function canOpen(
  snapshot: Snapshot,
  plan: Plan,
  now: { readonly present: readonly string[]; readonly gatheringMs: number },
): boolean {
  const { quorum, gatherSeconds, deadlineSeconds } = plan.cohort;
  if (isShortOfClients(snapshot, plan) || now.present.length < quorum) return false;
  const approved = approvedClients(snapshot, [...snapshot.devices.values()]);
  if (now.present.length >= approved.length) return true;
  const patienceSeconds = snapshot.run.records.length === 0 ? deadlineSeconds : gatherSeconds;
  return now.gatheringMs >= 1000 * patienceSeconds;
}

/** Who takes part in a round, by the plan's choice: a function of the seed, the round, who is there and what they claim. */
export function selectParticipants(candidates: readonly Candidate[], round: number, plan: Plan): readonly string[] {
  const { size, overSelection, quorum, selection } = plan.cohort;
  const draw = createRng(plan.seed).child('selection', round).float;
  return selectClients(candidates, selection, { count: size + overSelection, least: quorum, draw });
}
