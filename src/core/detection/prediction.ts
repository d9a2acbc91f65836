import type { Detector } from './detector.ts';
import { limitsOf } from './limits.ts';
import { featureIds } from './measure/features.ts';
import { standingsOf } from './standings-of.ts';

const used = featureIds.flatMap((id, k) => (id === 'prediction' || id === 'curvature' ? [k] : []));

/**
 * Who does not follow from its own past: updates that a client's history and the curvature of the loss do not predict.
 *
 * Formula:   the larger |z_k| / q_k of `prediction` (distance from x_s − B Δw) and `curvature` (the sign of the answer to
 *            Δw), q_k what one honest client in a hundred reaches.
 * Needs:     two participations. Holds for uneven data, since each client is held against itself.
 * Cost:      O(n); the features come from sketches.
 * Differs:   thresholds in place of two clusters, which would accuse half of an honest cohort; sketches in place of
 *            updates; the sign of the answer is ours.
 * Source:    Zhang et al. 2022 (FLDetector), arXiv:2207.09209.
 */
export const prediction: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const limits = limitsOf(observations.length, horizon);
    return standingsOf(observations, horizon).map((row) => ({
      value: Math.max(...used.map((k) => Math.abs(row[k]!) / limits[k]!)),
      reasons: () => ['does not follow from its own earlier updates and the step of the model'],
    }));
  },
};
