import type { Plan } from '../../core/plan/plan.ts';
import { privacyStatement } from '../../core/plan/privacy.ts';
import { admittedSteps, type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import { forecastFromHistory } from '../../core/privacy/ledger/forecast.ts';
import type { ClientBudget, PrivacySummary } from '../../core/round/run-record.ts';
import type { Snapshot } from '../run-log.ts';
import { leavesLeft } from './ftrl-leaves-left.ts';
import { groupBudgets } from './groups.ts';
import { roundsOf } from '../state.ts';
import { spendingFor } from './ledger-changes.ts';

/** What a run has cost its clients so far; undefined where its plan asks for no privacy. */
export function privacySummary(
  { run, ledger }: Snapshot,
  { plan, runId }: { readonly plan: Plan; readonly runId: string },
): PrivacySummary | undefined {
  const { privacy, rounds } = plan;
  if (privacy.mode === 'off') return undefined;
  const { epsilon, delta } = privacy;
  const statement = privacyStatement(privacy, rounds.count);
  if (privacy.mode === 'local' || run.privacy === null) return { statement, epsilon, delta, central: null };
  const { purpose, rule } = privacy;
  const { noiseMultiplier, sampleRate, radius, released } = run.privacy;
  const clients = [...ledger.keys()].sort().flatMap((clientId) => {
    const spending = spendingFor(ledger, clientId, purpose);
    if (spending === undefined || run.privacy === null) return [];
    const charged = chargedRounds(ledger.get(clientId) ?? [], runId);
    return [
      budgetOf(clientId, spending, {
        taken: charged,
        rounds: Math.max(charged, released),
        roundsLeft:
          privacy.ftrl === undefined
            ? admittedSteps(spending, { noiseMultiplier, sampleRate })
            : leavesLeft(spending, plan, { clientId, run: run.privacy }),
      }),
    ];
  });
  const central = {
    purpose,
    rule,
    noiseMultiplier,
    sampleRate,
    radius,
    roundsPlanned: roundsOf(run, plan) - released,
    clients,
    ...(privacy.groups === undefined ? {} : { groups: groupBudgets(ledger, privacy) }),
  };
  return { statement, epsilon, delta, central };
}

type Prospect = {
  readonly roundsLeft: number;
  readonly taken: number;
  readonly rounds: number;
};

/** A client's budget, and the forecast at the share of rounds in which it has been charged so far. */
function budgetOf(clientId: string, spending: Spending, { roundsLeft, taken, rounds }: Prospect): ClientBudget {
  return {
    clientId,
    granted: spending.grant.epsilon,
    ...spentEpsilon(spending),
    roundsLeft,
    forecast: roundsLeft === 0 || taken === 0 ? null : forecastFromHistory(roundsLeft, { taken, rounds }),
  };
}

function chargedRounds(chain: LedgerChain, runId: string): number {
  const own = new Set(
    chain.flatMap(({ event }) => (event.kind === 'reserve' && event.run === runId ? [event.reservation] : [])),
  );
  return chain.filter(({ event }) => event.kind === 'commit' && own.has(event.reservation)).length;
}
