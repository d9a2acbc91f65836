import type { Detector } from './detector.ts';
import { featureIds, type FeatureId } from './measure/features.ts';
import { standingsOf } from './standings-of.ts';

/** What an update that works against the others shows, and in which direction. */
const signs: Partial<Record<FeatureId, 1 | -1>> = { curvature: 1, cohort: -1, agreement: -1, cosine: -1 };

/**
 * Who works against the others: a little in several ways at once, in the direction of harm only.
 *
 * Formula:   ½ (z_curvature − z_cohort − z_agreement − z_cosine) over the horizon: pushes on where the model has just
 *            moved, and points away from the cohort, its signs and the aggregate. An honest client with other data shows
 *            one or two of these and not the first.
 * Promises:  none against what points the honest way. One-sided, so that clients nearer to the centre are no suspects.
 * Cost:      O(n (h + log n)).
 * Source:    ours; the direction was chosen on attacked runs of seeds from 200 on, the limits on attack-free ones.
 */
export const opposition: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    return standingsOf(observations, horizon).map((row) => {
      const sum = featureIds.reduce((total, id, k) => total + (signs[id] ?? 0) * row[k]!, 0);
      return {
        value: Math.max(0, sum / 2),
        reasons: () => [
          'works against the others: in its direction, its signs and its answer to the last step of the model together',
        ],
      };
    });
  },
};
