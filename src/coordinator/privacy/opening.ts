import type { Plan } from '../../core/plan/plan.ts';
import type { Json } from '../../core/protocol/canonical-json.ts';
import { phasesOf } from '../../core/round/phases.ts';
import { approvedClients, selectParticipants } from '../gathering.ts';
import type { Decision, Snapshot } from '../run-log.ts';
import { hasEnded } from '../state.ts';
import { trustedOf } from '../trust.ts';
import type { CentralRounds, Opening } from './central.ts';

type Next = {
  readonly round: number;
  readonly present: readonly string[];
  /** How long a client says that a round takes it. */
  readonly secondsOf: (clientId: string) => number | undefined;
  readonly plan: Plan;
  readonly central: CentralRounds | null;
};

/** Opens the next round where it can be opened now; ends the run where nobody has a budget for it any more. */
export function decideOpening(
  snapshot: Snapshot,
  next: Next,
  facts: { readonly [key: string]: Json },
): Decision<boolean> {
  const { run, models } = snapshot;
  const { round, plan } = next;
  if (run.round !== null || hasEnded(run)) return { result: false };
  const { clientIds, leftOut } = trustedOf(next.present, round, plan, run.detection);
  const opening = openingOf(snapshot, { ...next, present: clientIds });
  if (opening.kind === 'wait') return { result: false };
  if (opening.kind === 'exhausted') {
    return { drafts: [{ kind: 'run.stopped', data: { reason: opening.reason, out: opening.out } }], result: false };
  }
  const { participants } = opening;
  const phases = phasesOf(plan, participants.length) as unknown as Json;
  const data = { participants, phases, baseModel: models.at(-1)!.hash, ...facts, ...opening.data, leftOut };
  const drafts = [...(opening.drafts ?? []), { kind: 'round.opened', round, data } as const];
  return { changes: opening.changes, drafts, result: true };
}

/** Who takes part: by secret coins and a ledger, or by a public sample. */
function openingOf(snapshot: Snapshot, { round, present, secondsOf, plan, central }: Next): Opening {
  if (central === null) {
    const candidates = present.map((clientId) => {
      const secondsExpected = plan.cohort.selection.by === 'capability' ? secondsOf(clientId) : undefined;
      return secondsExpected === undefined ? { clientId } : { clientId, secondsExpected };
    });
    const participants = selectParticipants(candidates, round, plan);
    if (participants.length < plan.cohort.quorum) return { kind: 'wait' };
    return { kind: 'open', participants, changes: [], data: {} };
  }
  if (present.length < plan.cohort.quorum) return { kind: 'wait' };
  return central.open(snapshot, round, present, approvedClients(snapshot, [...snapshot.devices.values()]));
}
