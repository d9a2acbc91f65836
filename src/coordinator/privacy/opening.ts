import type { Plan } from '../../core/plan/plan.ts';
import { approvedClients, selectParticipants } from '../gathering.ts';
import type { Snapshot } from '../run-log.ts';
import type { CentralRounds, Opening } from './central.ts';

/** How the next round opens with these clients: by secret coins and a ledger, or by a public sample. */
export function openingOf(
  snapshot: Snapshot,
  round: number,
  present: readonly string[],
  { plan, central }: { readonly plan: Plan; readonly central: CentralRounds | null },
): Opening {
  if (central === null) {
    return { kind: 'open', participants: selectParticipants(present, round, plan), changes: [], data: {} };
  }
  return central.open(snapshot, round, present, approvedClients(snapshot, [...snapshot.devices.values()]));
}
