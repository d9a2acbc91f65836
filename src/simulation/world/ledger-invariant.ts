import { spendingOf, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import { firstBrokenEntry } from '../../core/privacy/ledger/chain.ts';
import type { Invariant } from './observed.ts';

/** Nobody loses more than was granted, or takes part more often, or sooner again, than the accountant assumes. */
export const budgetsAreKept: Invariant = ({ plan: { privacy } }, refuse) => {
  if (privacy.mode !== 'central') return {};
  const { purpose, ftrl } = privacy;
  return {
    async commit({ entries, after }, disk) {
      if (!entries.some(({ kind }) => kind === 'privacy.released')) return;
      const chains = Map.groupBy(await disk.store.ledger(), ({ event }) => event.subject);
      for (const [subject, chain] of chains) {
        if (firstBrokenEntry(chain) !== undefined) refuse(`the ledger of ${subject} is broken`);
        const spending = spendingOf(chain, purpose);
        const spent = spentEpsilon(spending)[spending.grant.rule];
        if (spent > spending.grant.epsilon) refuse(`${subject} has spent ${spent} of ${spending.grant.epsilon}`);
      }
      for (const [subject, leaves] of Object.entries(after.privacy?.ftrl?.leaves ?? {})) {
        const isEarly = leaves.some((leaf, i) => i > 0 && leaf - leaves[i - 1]! <= ftrl!.separation);
        if (leaves.length > ftrl!.participations || isEarly)
          refuse(`${subject} was in the leaves ${leaves.join(', ')}`);
      }
    },
  };
};
