import { logGammaVariate } from '../../data/dirichlet.ts';
import type { Rng } from '../../random/rng.ts';
import { exp } from '../../numerics/portable.ts';

/** How often a client takes part where participants are chosen and not drawn by coins. */
export type Rotation = {
  /** Participants of a round. */
  readonly size: number;
  /** Rounds at most of one client, and rounds at least between two. */
  readonly participations: number;
  readonly separation: number;
  /** Rounds that are left of the run. */
  readonly roundsLeft: number;
};

/** A client as the rounds so far tell of it. */
export type Member = {
  readonly taken: number;
  /** Rounds since its last one, 1 for the last round; Infinity before its first. */
  readonly since: number;
  /** Further rounds that its budget is good for. */
  readonly left: number;
  /** Of the rounds seen, those in which it was not there. */
  readonly away: number;
  readonly seen: number;
};

/** Rounds from now by which it has run out with a chance of 5, 50 and 95 %; null: not before the run ends. */
export type RotationForecast = {
  readonly low: number | null;
  readonly median: number | null;
  readonly high: number | null;
};

const runsMost = 200;
const runsLeast = 40;
const stepsMax = 4e6;

/**
 * When each client has used its last round, where those who took part least are chosen first among who is there and free.
 *
 * Formula:  quantiles over simulated futures: presence of client i ~ Beta(seen − away + ½, away + ½), then in each round the
 *           scheduler's own choice. Clients hold one another back, so that no law of one client alone would do.
 * Needs:    presence in one round says nothing about the next.
 * Cost:     n × roundsLeft × 40 to 200 futures. `undefined` where that would be above 4e6 steps at 40.
 */
export function forecastRotation(
  members: readonly Member[],
  rotation: Rotation,
  rng: Rng,
): readonly RotationForecast[] | undefined {
  const steps = Math.max(1, members.length * rotation.roundsLeft);
  const runs = Math.min(runsMost, Math.floor(stepsMax / steps));
  if (runs < runsLeast) return undefined;
  const ends = members.map(() => new Float64Array(runs));
  for (let run = 0; run < runs; run++) {
    const at = future(members, rotation, rng.child('future', run));
    for (const [i, end] of at.entries()) ends[i]![run] = end;
  }
  return ends.map((all) => {
    all.sort();
    const quantile = (share: number) => {
      const value = all[Math.min(runs - 1, Math.max(0, Math.ceil(share * runs) - 1))]!;
      return Number.isFinite(value) ? value : null;
    };
    return { low: quantile(0.05), median: quantile(0.5), high: quantile(0.95) };
  });
}

/** The round in which each client has its last one: 0 where it has none left, infinity where the run ends before. */
function future(members: readonly Member[], rotation: Rotation, rng: Rng): Float64Array {
  const { size, participations, separation, roundsLeft } = rotation;
  const presence = members.map(({ away, seen }) => betaVariate(seen - away + 0.5, away + 0.5, rng));
  const taken = Int32Array.from(members, (member) => member.taken);
  const left = Int32Array.from(members, (member) => Math.min(member.left, participations - member.taken));
  const freeFrom = Float64Array.from(members, ({ since }) => separation + 2 - since);
  const ends = new Float64Array(members.length).fill(Infinity);
  for (const [i, rounds] of left.entries()) if (rounds <= 0) ends[i] = 0;
  const order = new Float64Array(members.length);
  for (let round = 1; round <= roundsLeft; round++) {
    const free: number[] = [];
    for (let i = 0; i < members.length; i++) {
      if (left[i]! <= 0 || freeFrom[i]! > round || rng.float() >= presence[i]!) continue;
      order[i] = taken[i]! + rng.float();
      free.push(i);
    }
    if (free.length > size) free.sort((a, b) => order[a]! - order[b]!);
    for (const i of free.slice(0, size)) {
      taken[i]!++;
      left[i]!--;
      freeFrom[i] = round + separation + 1;
      if (left[i] === 0) ends[i] = round;
    }
  }
  return ends;
}

function betaVariate(a: number, b: number, rng: Rng): number {
  return 1 / (1 + exp(logGammaVariate(b, rng) - logGammaVariate(a, rng)));
}
