import { exp, log } from '../numerics/portable.ts';

/**
 * What is believed of a client: a Beta distribution over how often it behaves, with older evidence forgotten.
 * `round` is the round of the newest evidence.
 */
export type Reputation = {
  readonly good: number;
  readonly bad: number;
  /** The share of bad evidence lately: forgets in a few rounds. */
  readonly recent: number;
  readonly round: number;
  readonly isExcluded: boolean;
};

/** Trust with its uncertainty, and what follows. */
export type Standing = {
  /** The mean of the Beta distribution, and its standard deviation. */
  readonly trust: number;
  readonly uncertainty: number;
  /** The same in `forecastRounds` rounds, if the client goes on as lately. */
  readonly forecast: number;
  readonly state: 'trusted' | 'watched' | 'turning' | 'excluded';
};

/** Of old evidence, what remains after a round: half after 13 or 14 rounds. */
const memory = 0.95;
const recentMemory = 0.7;
/** Before any evidence a client counts as honest two times in three, with the weight of three rounds. */
const prior = { good: 2, bad: 1 };
/** Excluded when trust is below this by more than its uncertainty; back when it is above the second by so much. */
const excludeBelow = 0.5;
const returnAbove = 0.6;
const forecastRounds = 5;
/** What one verdict weighs as bad evidence, by how rare it is among honest clients. */
const badness: readonly (readonly [rarity: number, bad: number])[] = [
  [0.001, 1],
  [0.003, 0.9],
  [0.01, 0.7],
  [0.03, 0.4],
  [0.1, 0.2],
];

export const newcomer: Reputation = { good: 0, bad: 0, recent: 0, round: 0, isExcluded: false };

/** How much a verdict speaks against a client, from 0 to 1. */
export function badnessOf({ isFlagged, rarity }: { readonly isFlagged: boolean; readonly rarity: number }): number {
  const found = badness.find(([level]) => rarity <= level)?.[1] ?? 0;
  return isFlagged ? Math.max(found, 0.7) : found;
}

/**
 * The reputation after a round with this much bad evidence, from 0 (all well) to 1.
 *
 * Formula:   good ← γ^Δ good + 1 − e, bad ← γ^Δ bad + e, γ = 0.95, Δ rounds since the last evidence.
 * Promises:  a client that turns is excluded by what it does from then on: what it did long before is forgotten. One
 *            odd round excludes nobody.
 * Source:    Jøsang, Ismail 2002 (the beta reputation system).
 */
export function withEvidence(before: Reputation, evidence: number, round: number): Reputation {
  const now = aged(before, round);
  const after = {
    good: now.good + 1 - evidence,
    bad: now.bad + evidence,
    recent: recentMemory * now.recent + (1 - recentMemory) * evidence,
    round,
    isExcluded: now.isExcluded,
  };
  return { ...after, isExcluded: isExcludedNext(after) };
}

/** The same reputation some rounds later, with nothing seen of the client: evidence fades, and it may come back. */
export function aged(reputation: Reputation, round: number): Reputation {
  const kept = exp(log(memory) * Math.max(0, round - reputation.round));
  const later = { ...reputation, good: kept * reputation.good, bad: kept * reputation.bad, round };
  return { ...later, isExcluded: isExcludedNext(later) };
}

function isExcludedNext(reputation: Reputation): boolean {
  const { trust, uncertainty } = beliefOf(reputation);
  return trust + uncertainty < (reputation.isExcluded ? returnAbove : excludeBelow);
}

/** Mean and standard deviation of Beta(prior + evidence). */
function beliefOf({ good, bad }: Pick<Reputation, 'good' | 'bad'>): { trust: number; uncertainty: number } {
  const [a, b] = [prior.good + good, prior.bad + bad];
  const trust = a / (a + b);
  return { trust, uncertainty: Math.sqrt((trust * (1 - trust)) / (a + b + 1)) };
}

/** What is believed of a client now, and what to expect of it. */
export function standingOf(reputation: Reputation): Standing {
  const belief = beliefOf(reputation);
  const kept = exp(log(memory) * forecastRounds);
  const mass = (1 - kept) / (1 - memory);
  const later = beliefOf({
    good: kept * reputation.good + mass * (1 - reputation.recent),
    bad: kept * reputation.bad + mass * reputation.recent,
  });
  const isTurning = later.trust + later.uncertainty < excludeBelow;
  const state = reputation.isExcluded
    ? 'excluded'
    : isTurning
      ? 'turning'
      : belief.trust < excludeBelow || reputation.recent > 0.25
        ? 'watched'
        : 'trusted';
  return { ...belief, forecast: later.trust, state };
}

/**
 * What a client's claimed weight is multiplied by: sure trust, never nothing, so that an honest minority is not
 * silenced.
 *
 * Formula:  max(0.2, min(1, (trust − uncertainty) / (prior's trust − uncertainty))).
 */
export function weightOf(reputation: Reputation): number {
  const [own, fresh] = [beliefOf(reputation), beliefOf({ good: 0, bad: 0 })];
  return Math.max(0.2, Math.min(1, (own.trust - own.uncertainty) / (fresh.trust - fresh.uncertainty)));
}
