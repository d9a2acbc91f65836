import type { Plan } from '../../core/plan/plan.ts';
import { privacyStatement } from '../../core/plan/privacy.ts';
import { admittedSteps, type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import { forecastFromHistory } from '../../core/privacy/ledger/forecast.ts';
import type { RotationForecast } from '../../core/privacy/ledger/rotation-forecast.ts';
import type { ClientBudget, PrivacySummary } from '../../core/round/run-record.ts';
import type { Snapshot } from '../run-log.ts';
import { ftrlForecasts } from './ftrl-forecast.ts';
import { localSummary } from './local-summary.ts';
import { leavesLeft } from './ftrl-leaves-left.ts';
import { groupBudgets } from './groups.ts';
import { roundsOf } from '../state.ts';
import { spendingFor } from './ledger-changes.ts';

/** What a run has cost its clients so far; undefined where its plan asks for no privacy. */
export function privacySummary(
  snapshot: Snapshot,
  { plan, runId }: { readonly plan: Plan; readonly runId: string },
): PrivacySummary | undefined {
  const { run, ledger } = snapshot;
  const { privacy, rounds } = plan;
  if (privacy.mode === 'off') return undefined;
  const { epsilon, delta } = privacy;
  const statement = privacyStatement(privacy, rounds.count);
  if (privacy.mode === 'local') {
    return { statement, epsilon, delta, central: null, local: localSummary(run, plan, privacy) };
  }
  if (run.privacy === null) return { statement, epsilon, delta, central: null };
  const { purpose, rule } = privacy;
  const { noiseMultiplier, sampleRate, radius, released } = run.privacy;
  const state = run.privacy;
  const leftOf = (clientId: string, spending: Spending) =>
    privacy.ftrl === undefined
      ? admittedSteps(spending, { noiseMultiplier, sampleRate })
      : leavesLeft(spending, plan, { clientId, run: state });
  const rotation =
    privacy.ftrl === undefined
      ? undefined
      : ftrlForecasts(snapshot, plan, (clientId) => {
          const spending = spendingFor(ledger, clientId, purpose);
          return spending === undefined ? Infinity : leftOf(clientId, spending);
        });
  const clients = [...ledger.keys()].sort().flatMap((clientId) => {
    const spending = spendingFor(ledger, clientId, purpose);
    if (spending === undefined) return [];
    const taken = chargedRounds(ledger.get(clientId) ?? [], runId);
    const prospect = { taken, rounds: Math.max(taken, released), roundsLeft: leftOf(clientId, spending) };
    return [{ ...budgetOf(clientId, spending, prospect), ...forecastOf(rotation, clientId, prospect) }];
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

/** A client's budget. */
function budgetOf(clientId: string, spending: Spending, { roundsLeft }: Prospect): Omit<ClientBudget, 'forecast'> {
  return { clientId, granted: spending.grant.epsilon, ...spentEpsilon(spending), roundsLeft };
}

/** By the scheduler's choice under DP-FTRL, elsewhere at the share of rounds in which the client has been charged so far. */
function forecastOf(
  rotation: ReadonlyMap<string, RotationForecast> | undefined,
  clientId: string,
  { roundsLeft, taken, rounds }: Prospect,
): Pick<ClientBudget, 'forecast'> {
  if (roundsLeft === 0) return { forecast: null };
  if (rotation !== undefined) return { forecast: rotation.get(clientId) ?? null };
  return { forecast: taken === 0 ? null : forecastFromHistory(roundsLeft, { taken, rounds }) };
}

function chargedRounds(chain: LedgerChain, runId: string): number {
  const own = new Set(
    chain.flatMap(({ event }) => (event.kind === 'reserve' && event.run === runId ? [event.reservation] : [])),
  );
  return chain.filter(({ event }) => event.kind === 'commit' && own.has(event.reservation)).length;
}
