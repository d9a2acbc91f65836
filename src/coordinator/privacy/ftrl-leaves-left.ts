import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import type { NoisySteps } from '../../core/privacy/ledger/filter.ts';
import type { PrivacyState } from '../state.ts';
import { planStrategy } from './ftrl-rounds.ts';

/** In how many more rounds of a run under DP-FTRL a client can be, where it is in one as soon as it may. */
export function leavesLeft(
  spending: Spending,
  plan: Plan,
  { clientId, run }: { readonly clientId: string; readonly run: PrivacyState },
): number {
  const { participations, separation } = (plan.privacy as CentralPrivacy).ftrl!;
  const strategy = planStrategy(plan);
  const leaves = [...(run.ftrl?.leaves[clientId] ?? [])];
  const pending: NoisySteps[] = [];
  let leaf = Math.max(run.released, (leaves.at(-1) ?? -Infinity) + separation + 1);
  for (; leaf < plan.rounds.count && leaves.length < participations; leaf += separation + 1) {
    const price = strategy.price(leaf, leaves);
    pending.push({ noiseMultiplier: run.noiseMultiplier / Math.sqrt(price), sampleRate: 1, steps: 1 });
    if (spentEpsilon(spending, pending)[spending.grant.rule] > spending.grant.epsilon) return pending.length - 1;
    leaves.push(leaf);
  }
  return pending.length;
}
