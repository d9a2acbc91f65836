import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import { type Plan, PlanError } from '../../core/plan/plan.ts';
import { type Spending, spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import { type Course, isWithin, type Resolved, solveCourse } from '../../core/privacy/ledger/course.ts';
import type { Draft } from '../journal.ts';
import type { Snapshot } from '../run-log.ts';
import { roundsOf } from '../state.ts';
import { spendingFor } from './ledger-changes.ts';

/**
 * The course of the next round: as it is, or solved anew every `replanEvery` rounds so that what is left of the budget of
 * the present client that has spent most meets the rounds that are left.
 *
 * Needs: who is present, and which rounds released nothing, say nothing about data; the ledger is public to the filter.
 *        How many contributed is not looked at: coins stay secret.
 */
export function replanned({ run, ledger }: Snapshot, plan: Plan, present: readonly string[]): Resolved {
  const privacy = plan.privacy as CentralPrivacy;
  const { noiseMultiplier, sampleRate, plannedNoise, released, seen } = run.privacy!;
  const now = { noiseMultiplier, sampleRate, rounds: roundsOf(run, plan) };
  const stays = { course: now, reasons: [] };
  const isDue = privacy.replanEvery > 0 && released > 0 && released % privacy.replanEvery === 0;
  if (!isDue || released >= now.rounds) return stays;
  const most = mostSpent(present.map((subject) => spendingFor(ledger, subject, privacy.purpose)));
  if (most === undefined) return stays;
  const epsilon = Math.min(most.grant.epsilon, privacy.epsilon);
  const spending = { ...most, grant: { ...most.grant, epsilon } };
  const candidates = Math.max(1, seen.rounds === 0 ? present.length : seen.candidates / seen.rounds);
  const cohort = privacy.sampleRate * plan.cohort.expected;
  return solveCourse({ now, plannedNoise, released, candidates, cohort, spending }, privacy.replan);
}

/** What the journal says of a course that was solved anew. It changes with the round that opens on it. */
export function replannedDraft(course: Course, reasons: readonly string[], round: number): Draft {
  return { kind: 'privacy.replanned', round, data: { course, reason: reasons.join('; ') } };
}

/** A run begins with noise that its plan allows. */
export function checkNoiseRange({ replan }: CentralPrivacy, planned: number): void {
  const allowed = replan?.noise;
  if (allowed === undefined || isWithin(allowed, planned)) return;
  const nearest = [Math.min(allowed[0], planned), Math.max(allowed[1], planned)];
  throw new PlanError([
    `privacy.replan.noise: must hold the noise that the budget needs, which is ${planned} (nearest: [${nearest.join(', ')}]): current value is [${allowed.join(', ')}]`,
  ]);
}

function mostSpent(all: readonly (Spending | undefined)[]): Spending | undefined {
  let most: { readonly spending: Spending; readonly epsilon: number } | undefined;
  for (const spending of all) {
    if (spending === undefined) continue;
    const epsilon = spentEpsilon(spending)[spending.grant.rule];
    if (most === undefined || epsilon > most.epsilon) most = { spending, epsilon };
  }
  return most?.spending;
}
