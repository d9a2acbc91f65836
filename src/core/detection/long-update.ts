import { medianOf } from '../aggregation/rule.ts';
import { exp } from '../numerics/portable.ts';
import type { Detector, Observation } from './detector.ts';

/** Attack-free updates of the exploration never came above 4.1 times the median. */
const longShare = 5;
/**
 * Over this many participations a client's length averages out: attack-free ones (seeds 100 to 123, and 400 to 405, five
 * partitions) never came above 3.3.
 */
const lastingCount = 10;
const lastingShare = 3.5;

/**
 * Flags updates that are many times as long as the cohort's median: what makes a mean follow one client.
 *
 * Formula:   ‖x_i‖ ≥ 5 · median ‖x_j‖, or over the last 10 participations and more the geometric mean of ‖x_i‖ / median ‖x_j‖
 *            ≥ 3.5.
 * Promises:  two numbers and no spread, so that an uneven cohort does not excuse it.
 * Cost:      O(n log n).
 */
export const longUpdate: Detector = {
  limit: 'absolute',
  suspect(observations) {
    const norms = observations.map(({ norm }) => norm).filter((norm) => Number.isFinite(norm));
    const usual = norms.length < 3 ? 0 : medianOf(norms);
    return observations.map(({ norm, trail }) => {
      const times = usual > 0 && Number.isFinite(norm) ? norm / usual : 0;
      const lasting = lastingOf(trail);
      const isLasting = lasting / lastingShare > times / longShare;
      return {
        value: Math.max(times / longShare, lasting / lastingShare),
        reasons: () => [
          isLasting
            ? `the updates were ${told(lasting)} times as long as the cohort's median over the last ${trail.length} rounds`
            : `the update is ${told(times)} times as long as the cohort's median`,
        ],
      };
    });
  },
};

/** The geometric mean of a client's length over the median, over its whole trail; 0 for a short one. */
function lastingOf(trail: Observation['trail']): number {
  const known = trail.flatMap(({ times }) => (times === undefined ? [] : [times]));
  return known.length < lastingCount ? 0 : exp(known.reduce((sum, value) => sum + value, 0) / known.length);
}

function told(times: number): number {
  return Number(times.toPrecision(2));
}
