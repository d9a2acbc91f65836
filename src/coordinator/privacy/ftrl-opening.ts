import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Strategy } from '../../core/privacy/ftrl/strategy.ts';
import { type Refusal, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import { createRng } from '../../core/random/rng.ts';
import type { Change } from '../../ports/store.ts';
import type { Snapshot } from '../run-log.ts';
import { filterOrder, type Opening, shown } from './central.ts';
import { admit, freshReservation, spendingFor } from './ledger-changes.ts';

type Run = { readonly plan: Plan; readonly runId: string; readonly strategy: Strategy };

type Admitted = {
  readonly admitted: readonly string[];
  readonly refused: ReadonlyMap<string, Refusal>;
  readonly changes: readonly Change[];
};

/**
 * Chooses who is in the next leaf: clients that have taken part least come first, then those with more budget left, equal
 * ones by the plan's seed. Nobody is chosen more often, or sooner again, than the accountant assumes; everybody who is chosen is charged, whether its
 * update comes or not, so that who is chosen later does not depend on what clients send.
 */
export function openFtrlRound(
  { plan, runId, strategy }: Run,
  snapshot: Snapshot,
  { round, candidates, approved }: { round: number; candidates: readonly string[]; approved: readonly string[] },
): Opening {
  const privacy = plan.privacy as CentralPrivacy;
  const { purpose, epsilon, delta, rule } = privacy;
  const { participations, separation } = privacy.ftrl!;
  const { noiseMultiplier, released: leaf, radius, ftrl } = snapshot.run.privacy!;
  const { size, quorum } = plan.cohort;
  const reservation = freshReservation(snapshot.ledger, runId, round);
  const grant = { purpose, epsilon, delta, rule, order: filterOrder(privacy, noiseMultiplier) };
  const leavesOf = (clientId: string) => ftrl?.leaves[clientId] ?? [];
  const isDone = (clientId: string) => leavesOf(clientId).length >= participations;
  const isFree = (clientId: string) =>
    !isDone(clientId) && leaf - (leavesOf(clientId).at(-1) ?? -Infinity) > separation;

  const here = admitted(inTurn(candidates.filter(isFree)), size);
  if (here.admitted.length < quorum) {
    const away = approved.filter((clientId) => !candidates.includes(clientId) && isFree(clientId));
    const others = admitted(away, quorum);
    if (here.admitted.length + others.admitted.length >= quorum) return { kind: 'wait' };
    const done = approved.filter(isDone);
    const refused = [...here.refused, ...others.refused];
    return exhausted([...new Set([...refused.map(([clientId]) => clientId), ...done])].sort(), refused[0]?.[1].reason);
  }
  const facts = {
    noiseMultiplier,
    sampleRate: 1,
    radius,
    reservation,
    out: [...new Set([...here.refused.keys(), ...approved.filter(isDone)])].sort(),
    leaf,
    away: approved.filter((clientId) => !candidates.includes(clientId)),
  };
  return {
    kind: 'open',
    participants: [...here.admitted].sort(),
    changes: here.changes,
    data: { privacy: facts },
  };

  function inTurn(clientIds: readonly string[]): readonly string[] {
    const draw = createRng(plan.seed).child('selection', round).float;
    return clientIds
      .map((clientId) => ({ clientId, count: leavesOf(clientId).length, spent: spentOf(clientId), key: draw() }))
      .sort((a, b) => a.count - b.count || a.spent - b.spent || a.key - b.key)
      .map(({ clientId }) => clientId);
  }

  /** What other runs and this one have spent of a client's budget: those with more left come first among equals. */
  function spentOf(clientId: string): number {
    const spending = spendingFor(snapshot.ledger, clientId, purpose);
    return spending === undefined ? 0 : spentEpsilon(spending)[rule];
  }

  /** The first of these whose budget is good for the leaf, each charged by the leaves that it was in before. */
  function admitted(clientIds: readonly string[], count: number): Admitted {
    const found: { admitted: string[]; refused: Map<string, Refusal>; changes: Change[] } = {
      admitted: [],
      refused: new Map(),
      changes: [],
    };
    for (const clientId of clientIds) {
      if (found.admitted.length >= count) break;
      const price = strategy.price(leaf, leavesOf(clientId));
      const steps = { noiseMultiplier: noiseMultiplier / Math.sqrt(price), sampleRate: 1, steps: 1 };
      const one = admit(snapshot.ledger, [clientId], { grant, run: runId, reservation }, steps);
      found.admitted.push(...one.admitted);
      found.changes.push(...one.changes);
      for (const [refused, why] of one.refused) found.refused.set(refused, why);
    }
    return found;
  }

  function exhausted(out: readonly string[], why: string | undefined): Opening {
    const reason =
      why === undefined
        ? `${out.length} of ${approved.length} clients have taken part ${participations} times and the others must wait ${separation} rounds between two`
        : `the privacy budget "${purpose}" is used up for ${out.length} of ${approved.length} clients (${shown(out)})`;
    const detail = why === undefined ? '' : `: ${why}`;
    return { kind: 'exhausted', out, reason: `${reason}, and a round needs ${quorum}${detail}` };
  }
}
