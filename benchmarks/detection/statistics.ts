// Figures of a cell with intervals by bootstrap over runs: decisions inside one run depend on one another.
import { createRng } from '../../src/core/random/rng.ts';

/** A client at the end of its window. `firstRound`: when it was flagged and stayed so; null when it never was. */
export type Decision = {
  readonly isAttacker: boolean;
  readonly isFlagged: boolean;
  readonly score: number;
  readonly firstRound: number | null;
};

export type Interval = { readonly value: number; readonly low: number; readonly high: number };

const resamples = 1000;

/** A figure over all runs, and the middle 95 % of what it is when runs are drawn with replacement. */
export function withInterval<T>(runs: readonly T[], figure: (runs: readonly T[]) => number): Interval {
  const rng = createRng(1).child('bootstrap');
  const values = Float64Array.from({ length: resamples }, () => figure(runs.map(() => runs[rng.below(runs.length)]!)));
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { value: figure(runs), low: at(0.025), high: at(0.975) };
}

export function share(decisions: readonly Decision[], isAttacker: boolean): number {
  const ours = decisions.filter((one) => one.isAttacker === isAttacker);
  return ours.filter(({ isFlagged }) => isFlagged).length / ours.length;
}

/** (TPR + 1 − FPR) ÷ 2. */
export function balanced(decisions: readonly Decision[]): number {
  return (share(decisions, true) + 1 - share(decisions, false)) / 2;
}

/** The chance that an attacker scores above an honest client; ties count half. */
export function areaUnderCurve(decisions: readonly Decision[]): number {
  const [hostile, honest] = [true, false].map((side) => decisions.filter((one) => one.isAttacker === side));
  let wins = 0;
  for (const a of hostile!) for (const b of honest!) wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
  return wins / (hostile!.length * honest!.length);
}

/** The round by which this share of attackers had been found for good; infinite where it never was. */
export function roundsToDetect(decisions: readonly Decision[], quantile: number): number {
  const rounds = decisions
    .filter(({ isAttacker }) => isAttacker)
    .map(({ firstRound }) => firstRound ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
  return rounds[Math.max(0, Math.ceil(quantile * rounds.length) - 1)] ?? Number.NaN;
}
