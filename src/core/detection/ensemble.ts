import type { Detector, Suspicion } from './detector.ts';
import { isolationForest } from './isolation-forest.ts';
import { limitOf } from './limits.ts';
import { longUpdate } from './long-update.ts';
import { nearDuplicate } from './near-duplicate.ts';
import { opposition } from './opposition.ts';
import { robustThresholds } from './robust-thresholds.ts';

const members = {
  'robust-thresholds': robustThresholds,
  opposition,
  'isolation-forest': isolationForest,
} as const;

/** The share of honest clients at which members are made comparable: where the plan's default looks. */
const comparedAt = 0.003;
/** Copies, and updates many times as long as usual, are beyond doubt: more than any limit. */
const certain = 1e6;

/**
 * Several detectors together: each is held against what three honest clients in a thousand reach with it, and the most
 * suspicious of them speaks. Copies and very long updates are flagged whatever the others say. Spectral scores and predictions take part as
 * features of the thresholds; as members of their own their long tails in uneven data would set the limit for all.
 *
 * Formula:   max_m value_m / q_m, over members m; the limit of the maximum is calibrated for itself, so that three
 *            detectors do not make three times the false alarms.
 * Cost:      that of its members.
 */
export const ensemble: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const heard = Object.entries(members).map(([id, member]) => ({
      quiet: limitOf(id, observations.length, horizon, comparedAt),
      suspicions: member.suspect(observations, horizon),
    }));
    const plain = [nearDuplicate, longUpdate].map((member) => member.suspect(observations, horizon));
    return observations.map((_, i): Suspicion => {
      const sure = plain.find((suspicions) => suspicions[i]!.value >= 1);
      if (sure !== undefined) return { value: certain, reasons: sure[i]!.reasons };
      const words = heard.map(({ quiet, suspicions }) => ({
        share: suspicions[i]!.value / quiet,
        word: suspicions[i]!,
      }));
      return { value: Math.max(...words.map(({ share }) => share)), reasons: () => reasonsOf(words) };
    });
  },
};

/** What the members say that are alarmed themselves; the loudest alone where none is. */
function reasonsOf(heard: readonly { readonly share: number; readonly word: Suspicion }[]): readonly string[] {
  const words = heard.toSorted((a, b) => b.share - a.share);
  const loud = words.filter(({ share }) => share >= 1);
  const said = (loud.length > 0 ? loud : words.slice(0, 1)).flatMap(({ word }) => word.reasons());
  return said.length > 0 ? said : ['is unusual in several ways, none of which stands out alone'];
}
