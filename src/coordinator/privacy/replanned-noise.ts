import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { merged, type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import { replan } from '../../core/privacy/planner.ts';
import type { Snapshot } from '../run-log.ts';
import { spendingFor } from './ledger-changes.ts';

/** Less noise must be worth a new figure in everybody's ledger; more is taken only where the budget is nearly met. */
const worthwhile = { less: 0.995, more: 2 };

/**
 * The noise for the next round: as it is, or solved anew every `replanEvery` rounds so that what is left of the budget
 * of the present client that has spent most meets the rounds that are left.
 *
 * Needs: who is present, and which rounds released nothing, say nothing about data; the ledger is public to the filter.
 */
export function replannedNoise({ run, ledger }: Snapshot, plan: Plan, present: readonly string[]): number {
  const privacy = plan.privacy as CentralPrivacy;
  const { noiseMultiplier: now, released } = run.privacy!;
  const stepsLeft = plan.rounds.count - released;
  const isDue = privacy.replanEvery > 0 && released > 0 && released % privacy.replanEvery === 0 && stepsLeft > 0;
  if (!isDue || privacy.rule === 'filter') return now;
  const most = mostSpent(present.map((subject) => spendingFor(ledger, subject, privacy.purpose)));
  if (most === undefined) return now;
  const spent = merged([...most.committed, ...most.reserved.values()]);
  const { delta, epsilon } = most.grant;
  const budget = Math.min(epsilon, privacy.epsilon);
  if (spentEpsilon(most).plan >= budget) return now;
  const { noiseMultiplier } = replan({ epsilon: budget, delta, sampleRate: privacy.sampleRate, stepsLeft, spent });
  const ratio = noiseMultiplier / now;
  return ratio < worthwhile.less || (ratio > 1 + 1e-6 && ratio <= worthwhile.more) ? noiseMultiplier : now;
}

function mostSpent(all: readonly (Spending | undefined)[]): Spending | undefined {
  let most: { readonly spending: Spending; readonly epsilon: number } | undefined;
  for (const spending of all) {
    if (spending === undefined) continue;
    const epsilon = spentEpsilon(spending).plan;
    if (most === undefined || epsilon > most.epsilon) most = { spending, epsilon };
  }
  return most?.spending;
}
