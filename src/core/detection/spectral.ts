import { topEigenpair } from '../aggregation/eigen.ts';
import type { Detector } from './detector.ts';
import { standingLimit } from './measure/standing.ts';
import { standingsOf } from './standings-of.ts';
import { robustSpread, zScore } from './robust-z.ts';

/** Least deviation of projections: below it nobody stands out. */
const projectionFloor = 0.5;

/**
 * How far out a client lies along the direction in which the cohort disagrees most.
 *
 * Formula:   |z| of ⟨r_i, v⟩, v the top eigenvector of Σ_i r_i r_iᵀ, r_i the standings of client i in all features.
 * Needs:     an attack that several clients make, or one that is large: a direction of its own.
 * Cost:      O(n² K) and an eigenpair.
 * Source:    Shejwalkar and Houmansadr 2021 (DnC), on features in place of updates.
 */
export const spectral: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const rows = standingsOf(observations, horizon).map((row) => row.map(standingLimit));
    const n = rows.length;
    const products = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        products[i * n + j] = rows[i]!.reduce((sum, value, k) => sum + value * rows[j]![k]!, 0);
      }
    }
    const { value, vector } = topEigenpair(products, n);
    const projections = Array.from(vector, (entry) => entry * Math.sqrt(value));
    const spread = robustSpread(projections, projectionFloor);
    return projections.map((projection) => ({
      value: Math.abs(zScore(projection, spread)),
      reasons: () => ["lies far out along the cohort's main direction of disagreement, over all features"],
    }));
  },
};
