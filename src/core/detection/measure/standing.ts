import { medianOf } from '../../aggregation/rule.ts';
import { robustSpread, zScore } from '../robust-z.ts';
import { type FeatureId, featureIds, type Features, features } from './features.ts';

/** How far out a client was in one round, by feature, in robust deviations of its cohort; what was not measured is absent. */
export type Scores = Readonly<Partial<Record<FeatureId, number>>> & {
  /** ln of the update's length over the cohort's median: what lasts of it says more than deviations of an uneven cohort. */
  readonly times?: number;
};

/** No single round counts for more: a mean over many rounds must not hang on one. */
const scoreMax = 8;
/** Cohorts below this size have no majority to speak of. */
const cohortMin = 3;

/**
 * Where each client of a round stands among the others.
 *
 * Formula:  (value − median) / max(floor, 1.4826 MAD) by feature, cut at ±8.
 * Shapes:   n features → n scores.
 */
export function standardise(measured: readonly Features[]): Scores[] {
  const scores: Partial<Record<FeatureId, number>>[] = measured.map(() => ({}));
  for (const id of featureIds) {
    const values = measured.map((one) => one[id]).filter((value) => Number.isFinite(value));
    if (values.length < cohortMin) continue;
    const spread = robustSpread(values, features[id].floor);
    for (const [i, one] of measured.entries()) {
      if (Number.isFinite(one[id])) scores[i]![id] = cut(zScore(one[id], spread));
    }
  }
  return scores;
}

/**
 * The same scores with each client's length beside them.
 *
 * Formula:  times: ln ‖x_i‖ − median ln ‖x_j‖.
 * Shapes:   n scores and n features → n scores.
 */
export function withTimes(scores: readonly Scores[], measured: readonly Features[]): readonly Scores[] {
  const norms = measured.map(({ norm }) => norm).filter((norm) => Number.isFinite(norm));
  if (norms.length < cohortMin) return scores;
  const usual = medianOf(norms);
  return scores.map((one, i) => {
    const times = measured[i]!.norm - usual;
    return Number.isFinite(times) ? { ...one, times: rounded(times) } : one;
  });
}

/** Least deviation of means over rounds: with it, twenty quiet rounds do not make a small difference a large one. */
const meanFloor = 0.5;

/**
 * Where each client stands over its last `horizon` participations: means of its scores, standardised once more over the
 * cohort. Chance averages out; what lasts stays, and is held against what lasts in the others.
 *
 * Shapes:  n trails, newest last → n × features, row by row; 0 where nothing was measured.
 */
export function standings(trails: readonly (readonly Scores[])[], horizon: number): Float64Array[] {
  const rows = trails.map(() => new Float64Array(featureIds.length));
  const last = trails.map((trail) => trail.slice(-horizon).map(listOf));
  for (const k of featureIds.keys()) {
    const means = last.map((trail) => meanOf(trail, k));
    const known = means.filter((value) => value !== null);
    if (known.length < cohortMin) continue;
    const spread = robustSpread(known, meanFloor);
    for (const [i, mean] of means.entries()) if (mean !== null) rows[i]![k] = zScore(mean, spread);
  }
  return rows;
}

const lists = new WeakMap<Scores, Float64Array>();

/** Scores in the order of the features, NaN where one is absent; made once for scores that stay in a trail. */
function listOf(scores: Scores): Float64Array {
  const known = lists.get(scores);
  if (known !== undefined) return known;
  const list = Float64Array.from(featureIds, (id) => scores[id] ?? Number.NaN);
  lists.set(scores, list);
  return list;
}

function meanOf(trail: readonly Float64Array[], k: number): number | null {
  let [sum, count] = [0, 0];
  for (const list of trail) {
    const score = list[k]!;
    if (Number.isNaN(score)) continue;
    sum += score;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

function cut(value: number): number {
  return rounded(Math.max(-scoreMax, Math.min(scoreMax, value)));
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100 + 0;
}

/** Cuts a standing where distances between clients are taken, so that one feature does not outweigh all others. */
export function standingLimit(value: number): number {
  return Math.max(-10, Math.min(10, value));
}
