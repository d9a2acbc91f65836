import type { Plan } from '../../core/plan/plan.ts';
import { privacyStatement } from '../../core/plan/privacy.ts';
import { admittedSteps, type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import { forecastExhaustion } from '../../core/privacy/ledger/forecast.ts';
import type { ClientBudget, PrivacySummary } from '../../core/round/run-record.ts';
import type { Snapshot } from '../run-log.ts';
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
  const { purpose, rule, sampleRate } = privacy;
  const { noiseMultiplier, radius, released } = run.privacy;
  const clients = [...ledger.keys()].sort().flatMap((clientId) => {
    const spending = spendingFor(ledger, clientId, purpose);
    if (spending === undefined) return [];
    const charged = chargedRounds(ledger.get(clientId) ?? [], runId);
    return [budgetOf(clientId, spending, { noiseMultiplier, sampleRate, presence: charged / Math.max(1, released) })];
  });
  const central = {
    purpose,
    rule,
    noiseMultiplier,
    sampleRate,
    radius,
    roundsPlanned: rounds.count - released,
    clients,
  };
  return { statement, epsilon, delta, central };
}

/** A client's budget, and the forecast at the share of rounds in which it has been charged so far. */
function budgetOf(
  clientId: string,
  spending: Spending,
  { noiseMultiplier, sampleRate, presence }: { noiseMultiplier: number; sampleRate: number; presence: number },
): ClientBudget {
  const roundsLeft = admittedSteps(spending, { noiseMultiplier, sampleRate });
  const rate = Math.min(1, presence);
  return {
    clientId,
    granted: spending.grant.epsilon,
    ...spentEpsilon(spending),
    roundsLeft,
    forecast: roundsLeft === 0 || rate === 0 ? null : forecastExhaustion(roundsLeft, rate),
  };
}

function chargedRounds(chain: LedgerChain, runId: string): number {
  const own = new Set(
    chain.flatMap(({ event }) => (event.kind === 'reserve' && event.run === runId ? [event.reservation] : [])),
  );
  return chain.filter(({ event }) => event.kind === 'commit' && own.has(event.reservation)).length;
}
