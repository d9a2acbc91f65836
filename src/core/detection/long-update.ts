import { medianOf } from '../aggregation/rule.ts';
import { exp } from '../numerics/portable.ts';
import type { Detector, Observation } from './detector.ts';
import { horizons, lengthOf } from './limits.ts';

/** Room above the longest that was seen without an attack. */
const room = 1.2;
/** What one update may be at least, whatever attack-free runs showed. */
const limitMin = 2.5;

/**
 * Flags updates that are many times as long as the cohort's median, in one round or as a rule: what makes a mean follow
 * one client. Chance averages out over rounds, so that less is needed of what lasts.
 *
 * Formula:   max over horizons h that the client has lived through of g_h ÷ max(2.5, 1.2 L_h), g_h the geometric mean of
 *            ‖x_i‖ / median ‖x_j‖ over its last h participations (this update alone for h = 1), L_h the most that any
 *            attack-free client of such a cohort came to (seeds from 100 on, five partitions).
 * Promises:  numbers and no spread, so that an uneven cohort does not excuse it.
 * Cost:      O(n log n + n h).
 */
export const longUpdate: Detector = {
  limit: 'absolute',
  suspect(observations) {
    const norms = observations.map(({ norm }) => norm).filter((norm) => Number.isFinite(norm));
    const usual = norms.length < 3 ? 0 : medianOf(norms);
    return observations.map(({ norm, trail }) => {
      const now = usual > 0 && Number.isFinite(norm) ? norm / usual : 0;
      const looks = horizons.map((horizon) => {
        const times = horizon === 1 ? now : lastingOf(trail, horizon);
        return { horizon, times, value: times / limitOf(observations.length, horizon) };
      });
      const worst = looks.reduce((most, look) => (look.value > most.value ? look : most));
      return { value: worst.value, reasons: () => [saysOf(worst)] };
    });
  },
};

function limitOf(cohort: number, horizon: number): number {
  return Math.max(limitMin, room * lengthOf(cohort, horizon));
}

/** The geometric mean of a client's length over the median, over its last participations; 0 where it had fewer. */
function lastingOf(trail: Observation['trail'], horizon: number): number {
  const known = trail.slice(-horizon).flatMap(({ times }) => (times === undefined ? [] : [times]));
  return known.length < horizon ? 0 : exp(known.reduce((sum, value) => sum + value, 0) / known.length);
}

function saysOf({ horizon, times }: { readonly horizon: number; readonly times: number }): string {
  const told = Number(times.toPrecision(2));
  return horizon === 1
    ? `the update is ${told} times as long as the cohort's median`
    : `the updates were ${told} times as long as the cohort's median over the last ${horizon} rounds`;
}
