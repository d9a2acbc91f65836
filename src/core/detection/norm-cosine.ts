import { exp, log } from '../numerics/portable.ts';
import type { Detector, Observation, Suspicion } from './detector.ts';
import { robustSpread, zScore } from './robust-z.ts';

/** Robust deviations beyond which a client is flagged, for length and for direction. */
const lengthThreshold = 4;
const directionThreshold = 3;
/** Least deviations: below these, honest clients differ by chance of their data alone. */
const logNormFloor = 0.2;
const cosineFloor = 0.12;
const othersCosineFloor = 0.06;
/** An update that is shorter than this share of the median carries nothing. */
const emptyShare = 1e-3;

/**
 * Flags updates whose length or direction is far from the cohort's, in one round, from norms and cosines only.
 *
 * Formula:   z of ln ‖x_i‖ (upwards), of the cosine to the aggregate and of the cosine to the aggregate of the others
 *            (downwards), each by median and MAD with a floor. The second cosine sees a client that the rule let in: its
 *            own weight hides a flipped sign from the first. The first sees one that the rule kept out.
 * Promises:  none against a stealthy client: small shifts, copies of honest updates and label flips pass.
 * Cost:      O(n log n); the features come out of the aggregation passes.
 * Source:    Iglewicz and Hoaglin 1993 (modified z-scores).
 */
export const normCosine: Detector = {
  limit: 'absolute',
  suspect(observations) {
    const seen = observations.filter(({ norm }) => Number.isFinite(norm));
    if (seen.length < 3) return observations.map(() => ({ value: 0, reasons: () => [] }));
    const medianNorm = exp(robustSpread(seen.map(logNorm), 0).centre);
    const norms = robustSpread(seen.map(logNorm), logNormFloor);
    const cosines = robustSpread(
      seen.map(({ cosine }) => cosine),
      cosineFloor,
    );
    const rests = seen.flatMap(({ othersCosine }) => (othersCosine === null ? [] : [othersCosine]));
    const others = rests.length < seen.length ? null : robustSpread(rests, othersCosineFloor);
    return observations.map((observation): Suspicion => {
      const { norm, cosine, othersCosine } = observation;
      const long = zScore(logNorm(observation), norms) / lengthThreshold;
      const empty = norm < emptyShare * medianNorm ? 2 : 0;
      const away = norm > 0 ? -zScore(cosine, cosines) / directionThreshold : 0;
      const alone =
        others === null || othersCosine === null || norm === 0 ? 0 : -zScore(othersCosine, others) / directionThreshold;
      const said: [share: number, sentence: () => string][] = [
        [long, () => `the update is ${format(norm / medianNorm)} times as long as the cohort's median`],
        [empty, () => "the update is empty: less than a thousandth of the median's length"],
        [
          away,
          () =>
            `points away from the aggregate: cosine ${format(cosine)}, where the median is ${format(cosines.centre)}`,
        ],
        [
          alone,
          () =>
            `points away from what the others agree on: cosine ${format(othersCosine!)}, where the median is ${format(others!.centre)}`,
        ],
      ];
      return {
        value: Math.max(0, long, empty, away, alone),
        reasons: () => said.filter(([share]) => share > 1).map(([, sentence]) => sentence()),
      };
    });
  },
};

function logNorm({ norm }: Observation): number {
  return log(Math.max(norm, Number.MIN_VALUE));
}

function format(value: number): string {
  return Number(value.toPrecision(2)).toString();
}
