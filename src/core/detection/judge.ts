import type { Detector, Observation, Suspicion, Verdict } from './detector.ts';
import { type DetectorId, detectors } from './index.ts';
import { horizons, limitOf, marginOf } from './limits.ts';

/** Shares of honest clients at which a suspicion is worth a word to the reputation, the most common first. */
const rarities = [0.1, 0.03, 0.01, 0.003, 0.001] as const;
/** More than this says no more. */
const scoreMax = 99;

/**
 * One verdict for each client: its suspicion over each horizon that it has lived through, against what attack-free runs
 * showed.
 *
 * Promises: on attack-free rounds like those of the calibration about `falseAlarms` of honest clients are flagged at the
 *           end of a window of 20 participations, as measured on other seeds: docs/explanation/detection.md has the rates.
 */
export function judge(id: DetectorId, observations: readonly Observation[], falseAlarms: number): Verdict[] {
  const detector: Detector = detectors[id];
  const isAbsolute = detector.limit === 'absolute';
  const looks = (isAbsolute ? horizons.slice(0, 1) : horizons)
    .filter((horizon) => observations.some(({ trail }) => trail.length >= horizon))
    .map((horizon) => {
      const limitAt = (share: number): number =>
        isAbsolute ? 1 : limitOf(id, observations.length, horizon, share * shareOfHorizon);
      const suspicions = detector.suspect(observations, horizon);
      const limit = isAbsolute ? 1 : limitAt(falseAlarms) * marginOf(id, horizon);
      return { horizon, suspicions, limit, levels: rarities.map(limitAt) };
    });
  return observations.map(({ clientId, norm, trail }, i) => {
    if (!Number.isFinite(norm)) return notFinite(clientId);
    let best: { readonly score: number; readonly suspicion: Suspicion } | null = null;
    let rarity = 1;
    for (const { horizon, suspicions, limit, levels } of looks) {
      if (trail.length < horizon && horizon > 1) continue;
      const suspicion = suspicions[i]!;
      const score = suspicion.value / limit;
      if (best === null || score > best.score) best = { score, suspicion };
      for (const [k, level] of rarities.entries()) if (suspicion.value >= levels[k]!) rarity = Math.min(rarity, level);
    }
    const score = Math.min(scoreMax, Math.max(0, best?.score ?? 0));
    const isFlagged = score >= 1;
    return { clientId, isFlagged, score, rarity, reasons: isFlagged ? best!.suspicion.reasons() : [] };
  });
}

/** The part of the false alarms that each horizon may cause: they see the same client, so they agree more often than not. */
const shareOfHorizon = 1 / 2;

function notFinite(clientId: string): Verdict {
  return {
    clientId,
    isFlagged: true,
    score: scoreMax,
    rarity: 0.001,
    reasons: ['sent a value that is not a finite number'],
  };
}
