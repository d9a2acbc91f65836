import { clustering } from './clustering.ts';
import type { Detector, Suspicion } from './detector.ts';
import { isolationForest } from './isolation-forest.ts';
import { limitOf } from './limits.ts';
import { nearDuplicate } from './near-duplicate.ts';
import { prediction } from './prediction.ts';
import { robustThresholds } from './robust-thresholds.ts';
import { spectral } from './spectral.ts';

const members = {
  'robust-thresholds': robustThresholds,
  prediction,
  spectral,
  clustering,
  'isolation-forest': isolationForest,
} as const;

/**
 * All detectors together: each is held against what one honest client in a hundred reaches with it, and the most
 * suspicious of them speaks. Copies are flagged whatever the others say.
 *
 * Formula:   max_m value_m / q_m, over members m; the limit of the maximum is calibrated for itself, so that five
 *            detectors do not make five times the false alarms.
 * Cost:      that of its members.
 */
export const ensemble: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const heard = Object.entries(members).map(([id, member]) => ({
      quiet: limitOf(id, observations.length, horizon, 0.01),
      suspicions: member.suspect(observations, horizon),
    }));
    const copies = nearDuplicate.suspect(observations, horizon);
    return observations.map((_, i): Suspicion => {
      const words = heard
        .map(({ quiet, suspicions }) => ({ share: suspicions[i]!.value / quiet, word: suspicions[i]! }))
        .sort((a, b) => b.share - a.share);
      const copy = copies[i]!;
      if (copy.value >= 1) return { value: Number.POSITIVE_INFINITY, reasons: copy.reasons };
      return {
        value: words[0]!.share,
        reasons: () => words.filter(({ share }) => share >= 1).flatMap(({ word }) => word.reasons()),
      };
    });
  },
};
