import { admittedSteps, fittingNoise, type Spending, spentEpsilon } from './budget.ts';

type Range = readonly [number, number];

/** Ranges that were declared before the run; whatever has none stays as planned, but for the noise. */
export type Replan = {
  readonly noise?: Range | undefined;
  readonly clipNorm?: Range | undefined;
  readonly sampleRate?: Range | undefined;
  readonly rounds?: Range | undefined;
};

/** What a run is doing: its noise, its chance of a client to take part, its number of rounds. */
export type Course = { readonly noiseMultiplier: number; readonly sampleRate: number; readonly rounds: number };

/** Where a run stands when it is solved anew. Nothing here was computed from what clients sent. */
export type Standing = {
  readonly now: Course;
  /** The noise that the run began with: rounds are counted at it. */
  readonly plannedNoise: number;
  readonly released: number;
  /** Clients with budget that were there in a round, on average since the run was last solved. */
  readonly candidates: number;
  /** The contributions to a round that the plan expects. */
  readonly cohort: number;
  /** What the client that has spent most has spent. */
  readonly spending: Spending;
};

/** The course from here on, and why it changed; no reason where it stays. */
export type Resolved = { readonly course: Course; readonly reasons: readonly string[] };

/** Less noise must be worth a new figure in everybody's ledger, and so must another sample rate. */
const worthwhile = { noise: 0.995, sampleRate: 0.02 };
/** Where the range of the noise is not said, more than this at once is taken by nobody. */
const noiseGrowthMax = 2;

/**
 * Solves a run anew so that what is left of a budget meets the rounds that are left.
 *
 * Formula:  q = cohort ÷ candidates; rounds = as many as ε admits at (planned σ, q); then the least σ with
 *           ε(spent, then what is left of the rounds at (σ, q)) ≤ ε. Each within its range; what has none stays.
 * Needs:    candidates ≥ 1. Under rule "plan" everything in `standing` is public: who was there, which rounds released
 *           nothing, what others spent of a shared ledger.
 * Promises: noise that meets the budget, or the course as it was: then whoever has no budget is left out.
 */
export function solveCourse(standing: Standing, allowed: Replan = {}): Resolved {
  const { now, released, spending } = standing;
  const { grant } = spending;
  const stays: Resolved = { course: now, reasons: [] };
  if (spentEpsilon(spending)[grant.rule] >= grant.epsilon) return stays;
  const sampleRate = sampleRateFor(standing, allowed);
  const rounds = roundsFor(standing, allowed, sampleRate);
  const steps = rounds - released;
  if (steps < 1) return stays;
  const least = fittingNoise(spending, { noiseMultiplier: noiseFloor, sampleRate, steps });
  if (least === undefined) return stays;
  const wanted = Math.max(grant.rule === 'filter' ? least * (1 + hair) : least, allowed.noise?.[0] ?? 0);
  const hasMoved = sampleRate !== now.sampleRate || rounds !== now.rounds;
  if (allowed.noise !== undefined ? !isWithin(allowed.noise, wanted) : wanted > noiseGrowthMax * now.noiseMultiplier) {
    return stays;
  }
  const ratio = wanted / now.noiseMultiplier;
  const isNoiseKept = ratio <= 1 + 1e-6 && (ratio > worthwhile.noise || (hasMoved && ratio > 1 - 1e-6));
  const course = { noiseMultiplier: isNoiseKept ? now.noiseMultiplier : wanted, sampleRate, rounds };
  return { course, reasons: reasonsFor(standing, course) };
}

/** Sums of losses are doubles: a hair more noise keeps the last round within a filter. */
const hair = 1e-9;
const noiseFloor = 1e-3;

/** The rate at which the expected cohort is as planned again. */
function sampleRateFor({ now, candidates, cohort }: Standing, allowed: Replan): number {
  if (allowed.sampleRate === undefined) return now.sampleRate;
  const wanted = clampTo(allowed.sampleRate, cohort / candidates);
  return Math.abs(wanted / now.sampleRate - 1) < worthwhile.sampleRate ? now.sampleRate : wanted;
}

/** As many rounds as the budget is good for at the planned noise. */
function roundsFor({ now, plannedNoise, released, spending }: Standing, allowed: Replan, sampleRate: number): number {
  if (allowed.rounds === undefined) return now.rounds;
  const noiseMultiplier = clampTo(allowed.noise, plannedNoise);
  const more = admittedSteps(spending, { noiseMultiplier, sampleRate }, Math.max(1, allowed.rounds[1] - released));
  return Math.max(released + 1, clampTo(allowed.rounds, released + more));
}

function reasonsFor({ now, candidates, cohort, released, spending }: Standing, course: Course): string[] {
  const { grant } = spending;
  const short = (value: number) => String(Number(value.toPrecision(4)));
  const moved = (name: keyof Course) => `${name} ${short(now[name])} → ${short(course[name])}`;
  const reasons: string[] = [];
  if (course.sampleRate !== now.sampleRate) {
    reasons.push(
      `${moved('sampleRate')}: ${short(candidates)} clients were there, and ${short(cohort)} should contribute`,
    );
  }
  if (course.rounds !== now.rounds) {
    reasons.push(
      `${moved('rounds')}: what is left of ε = ${grant.epsilon} is good for ${course.rounds - released} more`,
    );
  }
  if (course.noiseMultiplier !== now.noiseMultiplier) {
    reasons.push(
      `${moved('noiseMultiplier')}: what is left of ε = ${grant.epsilon} meets the ${course.rounds - released} rounds that are left`,
    );
  }
  return reasons;
}

/** Whether a range holds a value, ends included. */
export function isWithin([low, high]: Range, value: number): boolean {
  return value >= low && value <= high;
}

/** The value of a range that is nearest; any value where there is no range. */
export function clampTo(allowed: Range | undefined, value: number): number {
  return allowed === undefined ? value : Math.min(allowed[1], Math.max(allowed[0], value));
}
