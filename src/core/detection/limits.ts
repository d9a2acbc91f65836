import { log } from '../numerics/portable.ts';
import { calibration } from './calibration.ts';
import type { Calibration } from './calibration-table.ts';
import { featureIds } from './measure/features.ts';

let current: Calibration = calibration;

/** Puts another calibration in place of the committed one: for the program that makes it, and for tests. */
export function useCalibration(other: Calibration): void {
  current = other;
}

/** Standings of attack-free clients, row by row. */
export function quietStandings(): Float64Array[] {
  const bytes = new Int8Array(Uint8Array.fromBase64(current.quiet).buffer);
  const width = featureIds.length;
  return Array.from({ length: bytes.length / width }, (_, i) =>
    Float64Array.from(bytes.subarray(i * width, (i + 1) * width), (value) => value / 8),
  );
}

/** Numbers of participations over which clients are looked at; the longest is the window that is kept. */
export const horizons: readonly number[] = calibration.horizons;
export const windowMax = 20;

/** Below this no feature counts as unusual, whatever attack-free runs showed: they may not have shown everything. */
const featureLimitMin = 2.5;

/** What one honest client in a hundred reaches in each feature; a feature that was never calibrated accuses nobody. */
export function limitsOf(cohort: number, horizon: number): readonly number[] {
  const limits = current.features[cohortIndex(cohort)]![horizonIndex(horizon)]!;
  return featureIds.map((_, k) => (limits[k]! > 0 ? Math.max(featureLimitMin, limits[k]!) : Number.POSITIVE_INFINITY));
}

/**
 * The value of a calibrated detector that this share of honest clients reaches over a horizon.
 *
 * Formula:  measured at a few shares; between them, and beyond the rarest, straight in ln share.
 * Needs:    attack-free runs of the size of the cohort: those of the next smaller size stand in, which have longer tails.
 */
export function limitOf(detector: string, cohort: number, horizon: number, share: number): number {
  const values = current.detectors[detector]?.[cohortIndex(cohort)]![horizonIndex(horizon)];
  // A detector that has not been calibrated yet accuses nobody.
  if (values === undefined) return Number.POSITIVE_INFINITY;
  const { shares } = current;
  const last = shares.length - 1;
  let i = shares.findIndex((known) => known <= share);
  if (i === 0) return values[0]!;
  if (i === -1) i = last;
  const slope = (values[i]! - values[i - 1]!) / log(shares[i]! / shares[i - 1]!);
  return values[i]! + slope * log(share / shares[i]!);
}

/** The most that attack-free clients came to: lengths over the median of their round, as geometric means over a horizon. */
export function lengthOf(cohort: number, horizon: number): number {
  return current.lengths[cohortIndex(cohort)]![horizonIndex(horizon)]!;
}

/**
 * How much more than the measured limit flags: honest clients of runs that were not measured come that much higher, since
 * clients of one run depend on one another. Chosen on attack-free runs of seeds 400 to 405, so that no partition flags
 * more than one honest client in a hundred at the end of a window; less for long horizons, where chance has averaged out.
 * Of the default alone: no other was measured so.
 */
export function marginOf(detector: string, horizon: number): number {
  if (detector !== 'ensemble') return 1;
  return horizon < longHorizon ? 1.3 : 1.15;
}

const longHorizon = 10;

function cohortIndex(cohort: number): number {
  return Math.max(
    0,
    current.cohorts.findLastIndex((size) => size <= cohort),
  );
}

function horizonIndex(horizon: number): number {
  return Math.max(
    0,
    current.horizons.findLastIndex((known) => known <= horizon),
  );
}
