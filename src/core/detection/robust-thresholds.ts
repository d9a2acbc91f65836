import type { Detector } from './detector.ts';
import { limitsOf } from './limits.ts';
import { featureIds, features } from './measure/features.ts';
import { standingsOf } from './standings-of.ts';

const reasonsMax = 3;

/**
 * The feature in which a client stands out most, over its last participations.
 *
 * Formula:   max_k |z_k| / q_k: z_k the standing in feature k (median and MAD of means over the horizon), q_k what one
 *            honest client in a hundred reaches in it.
 * Promises:  none against a client inside the spread of the honest. Adapts to the cohort: in uneven data the honest
 *            differ more, so more is needed to stand out.
 * Cost:      O(n K (h + log n)).
 * Source:    Iglewicz and Hoaglin 1993 (modified z-scores); limits measured, see calibration.ts.
 */
export const robustThresholds: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const limits = limitsOf(observations.length, horizon);
    return standingsOf(observations, horizon).map((row) => {
      const shares = row.map((z, k) => Math.abs(z) / limits[k]!);
      return { value: Math.max(...shares), reasons: () => explain(row, shares) };
    });
  },
};

/** The features that stand out most, as sentences. */
function explain(row: Float64Array, shares: Float64Array): string[] {
  return [...featureIds.entries()]
    .filter(([k]) => shares[k]! >= 1)
    .sort(([a], [b]) => shares[b]! - shares[a]!)
    .slice(0, reasonsMax)
    .map(([k, id]) => {
      const away = row[k]! > 0 ? 'above' : 'below';
      return `${features[id].says} is ${Math.abs(row[k]!).toPrecision(2)} robust deviations ${away} the cohort's`;
    });
}
