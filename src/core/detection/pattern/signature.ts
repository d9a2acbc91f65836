import { medianOf } from '../../aggregation/rule.ts';
import { exp, log } from '../../numerics/portable.ts';
import type { Observation } from '../detector.ts';
import { horizons } from '../limits.ts';
import { featureIds, features } from '../measure/features.ts';
import { standingLimit } from '../measure/standing.ts';
import { standingsOf } from '../standings-of.ts';

/** What a pattern is told by, besides where a client stands in each feature. */
const facts = ['length', 'direction', 'likeness'] as const;

/** How many numbers a signature has. */
export const signatureLength = featureIds.length + facts.length;

/** Where length, cosine and distance to the nearest other stand in a signature; the first and last as ln of shares. */
export const lengthAt = featureIds.length;
export const directionAt = featureIds.length + 1;
export const likenessAt = featureIds.length + 2;

/** Below this share of the usual, lengths and distances are the same nothing. */
const leastShare = 1e-4;

/**
 * What is looked at to name an attack: standings over the longest horizon that is at hand, and of this round the length
 * as a share of the median, the cosine to the aggregate, and the distance to the nearest other as a share of the median.
 *
 * Shapes:   n observations → n × signatureLength, each number of the order of one.
 * Cost:     O(n K); the standings are those that the detectors have asked for.
 */
export function signaturesOf(observations: readonly Observation[]): Float64Array[] {
  const longest = Math.max(1, ...observations.map(({ trail }) => trail.length));
  const rows = standingsOf(observations, horizons.findLast((horizon) => horizon <= longest)!);
  const usualNorm = usualOf(observations.map(({ norm }) => norm));
  const usualNearest = usualOf(observations.map(({ nearest }) => nearest ?? Number.NaN));
  return observations.map(({ norm, cosine, nearest }, i) =>
    Float64Array.of(
      ...rows[i]!.map((value) => standingLimit(value) / 4),
      share(norm, usualNorm),
      Number.isFinite(cosine) ? 2 * cosine : 0,
      share(nearest ?? Number.NaN, usualNearest),
    ),
  );
}

function usualOf(values: readonly number[]): number {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length < 3 ? Number.NaN : medianOf(known);
}

/** ln(value / usual), in bounds; zero where one of the two is not known. */
function share(value: number, usual: number): number {
  if (!(usual > 0) || !Number.isFinite(value)) return 0;
  return Math.max(log(leastShare), Math.min(-log(leastShare), log(Math.max(value / usual, leastShare))));
}

/** The k-th number of a signature in words. */
export function saysOf(k: number, value: number): string {
  const id = featureIds[k];
  if (id !== undefined) {
    return `${features[id].says} is ${Math.abs(4 * value).toPrecision(2)} robust deviations ${value > 0 ? 'above' : 'below'} the cohort's`;
  }
  const fact = facts[k - featureIds.length];
  if (fact === 'direction') return `its cosine to the aggregate is ${(value / 2).toFixed(2)}`;
  const times = Number(exp(value).toPrecision(2));
  return fact === 'length'
    ? `it is ${times} times as long as the cohort's median`
    : `the nearest other update is ${times} times as far as usual`;
}
