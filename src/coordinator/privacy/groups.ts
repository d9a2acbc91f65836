import type { PrivacyGroup } from '../../core/plan/privacy-groups.ts';
import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { Refusal } from '../../core/privacy/ledger/budget.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import type { NoisySteps } from '../../core/privacy/ledger/filter.ts';
import { groupEpsilon } from '../../core/privacy/ledger/group.ts';
import type { GroupBudget } from '../../core/round/run-record.ts';

type Ledger = ReadonlyMap<string, LedgerChain>;
type Terms = Pick<CentralPrivacy, 'groups' | 'purpose' | 'delta'>;

/** Leaves out members of a group where all of them in one release would exceed what the group may lose. */
export function withinGroups(
  ledger: Ledger,
  subjects: readonly string[],
  { groups = [], purpose, delta }: Terms,
  { noiseMultiplier, sampleRate }: NoisySteps,
): { readonly kept: readonly string[]; readonly refused: ReadonlyMap<string, Refusal> } {
  const refused = new Map<string, Refusal>();
  for (const group of groups) {
    const limit = group.epsilon;
    if (limit === undefined) continue;
    const present = subjects.filter((subject) => group.clients.includes(subject));
    const chains = chainsOf(ledger, group);
    const lossWith = (members: number) =>
      groupEpsilon(chains, { purpose, delta }, { noiseMultiplier, sampleRate, members });
    for (let members = present.length; members > 0; members--) {
      const pendingEpsilon = lossWith(members);
      if (pendingEpsilon <= limit) break;
      const spentEpsilon = lossWith(0);
      refused.set(present[members - 1]!, {
        ok: false,
        reason: `Cannot reserve as ε of group "${group.name}" must be at most ${limit} at δ = ${delta}: current value is ${pendingEpsilon}`,
        pendingEpsilon,
        spentEpsilon,
        leftEpsilon: Math.max(0, limit - spentEpsilon),
        fitting: { steps: 0, noiseMultiplier: undefined },
      });
    }
  }
  return { kept: subjects.filter((subject) => !refused.has(subject)), refused };
}

/** What each group has lost together by now. */
export function groupBudgets(ledger: Ledger, { groups = [], purpose, delta }: Terms): readonly GroupBudget[] {
  return groups.map((group) => ({
    name: group.name,
    clients: group.clients,
    epsilon: groupEpsilon(chainsOf(ledger, group), { purpose, delta }),
    limit: group.epsilon ?? null,
  }));
}

function chainsOf(ledger: Ledger, { clients }: PrivacyGroup): readonly LedgerChain[] {
  return clients.flatMap((clientId) => {
    const chain = ledger.get(clientId);
    return chain === undefined ? [] : [chain];
  });
}
