import { z } from 'zod';
import { clipScale } from './centered-clipping.ts';
import { define, medianOf, promised } from './rule.ts';

type Point = readonly [number, number, number];

/**
 * SignGuard: keeps rows of usual length whose shares of positive, zero and negative coordinates agree, clipped to the
 * median length.
 *
 * Formula:   0.1 ≤ ‖x_i‖/median ≤ 3, and the largest mean-shift cluster of the sign shares; mean of
 *            x_i min(1, median/‖x_i‖) over those in both.
 * Shapes:    norms and sign shares → weights [n].
 * Needs:     an honest majority.
 * Promises:  no longer than the median norm. Drops a third of the honest or more where their sign shares vary.
 * Cost:      three passes of reading.
 * Differs:   the paper counts signs on a random tenth of the coordinates (`coordinateShare` 0.1, drawn from `seed` or from
 *            the seed of the context); without it all are counted, and nothing is drawn.
 * Source:    Xu et al. 2022, arXiv:2109.05872.
 */
export const signguard = define(
  z.strictObject({
    rule: z.literal('signguard'),
    ...promised,
    coordinateShare: z.number().positive().max(1).optional(),
    seed: z.int().optional(),
  }),
  {
    kind: 'weights',
    needs: () => 'star',
    readsSigns: true,
    signSample: ({ coordinateShare, seed }) =>
      coordinateShare === undefined ? null : { share: coordinateShare, seed },
    provenMax: () => 0,
    range: 'f = 0',
    weigh(span, _options, { signs }) {
      const n = span.count;
      const norms = Array.from({ length: n }, (_, i) => span.norm(i));
      const median = medianOf(norms);
      const points = signs!.map(({ positive, negative }): Point => [positive, 1 - positive - negative, negative]);
      const cluster = new Set(largestCluster(points));
      const usual = norms.map((norm) => norm >= 0.1 * median && norm <= 3 * median);
      const agreed = [...cluster].filter((i) => usual[i]).sort((a, b) => a - b);
      // Nothing in both: the usual lengths alone, of which the median row is one.
      const selected = agreed.length > 0 ? agreed : [...norms.keys()].filter((i) => usual[i]);
      const weights = new Float64Array(n);
      for (const i of selected) weights[i] = clipScale(norms[i]!, median) / selected.length;
      return { weights, findings: { selected, signShares: points } };
    },
  },
);

/** The most rows that flat-kernel mean shift carries to one place; ties go to the cluster of the lowest row. */
function largestCluster(points: readonly Point[]): number[] {
  const bandwidth = halfNeighbourDistance(points);
  const modes = points.map((point) => shift(point, points, bandwidth));
  const clusters: number[][] = [];
  for (const [i, mode] of modes.entries()) {
    const home = clusters.find(([first]) => distance(modes[first!]!, mode) <= Math.max(bandwidth, 1e-12));
    if (home === undefined) clusters.push([i]);
    else home.push(i);
  }
  return clusters.reduce((most, cluster) => (cluster.length > most.length ? cluster : most), []);
}

/** The mean distance to the farthest of the nearest half: the bandwidth that scikit-learn estimates at quantile 0.5. */
function halfNeighbourDistance(points: readonly Point[]): number {
  const count = Math.max(1, Math.floor(points.length / 2));
  const radii = points.map((a) => Float64Array.from(points, (b) => distance(a, b)).sort()[count - 1]!);
  return radii.reduce((sum, radius) => sum + radius, 0) / points.length;
}

function shift(start: Point, points: readonly Point[], bandwidth: number): Point {
  let place = start;
  for (let step = 0; step < 100; step++) {
    const near = points.filter((point) => distance(point, place) <= bandwidth + 1e-12);
    if (near.length === 0) return place;
    const mean = (axis: 0 | 1 | 2): number => near.reduce((sum, point) => sum + point[axis], 0) / near.length;
    const next: Point = [mean(0), mean(1), mean(2)];
    if (distance(next, place) < 1e-12) return next;
    place = next;
  }
  return place;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
