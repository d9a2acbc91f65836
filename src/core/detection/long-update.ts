import { medianOf } from '../aggregation/rule.ts';
import type { Detector } from './detector.ts';

/** Attack-free updates of the exploration never came above 4.1 times the median. */
const longShare = 5;

/**
 * Flags updates that are many times as long as the cohort's median: what makes a mean follow one client.
 *
 * Formula:   ‖x_i‖ ≥ 5 · median ‖x_j‖.
 * Promises:  two numbers and no spread, so that an uneven cohort does not excuse it.
 * Cost:      O(n log n).
 */
export const longUpdate: Detector = {
  limit: 'absolute',
  suspect(observations) {
    const norms = observations.map(({ norm }) => norm).filter((norm) => Number.isFinite(norm));
    const usual = norms.length < 3 ? 0 : medianOf(norms);
    return observations.map(({ norm }) => {
      const times = usual > 0 && Number.isFinite(norm) ? norm / usual : 0;
      return {
        value: times / longShare,
        reasons: () => [`the update is ${Number(times.toPrecision(2))} times as long as the cohort's median`],
      };
    });
  },
};
