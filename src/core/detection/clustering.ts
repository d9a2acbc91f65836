import { medianOf } from '../aggregation/rule.ts';
import type { Detector } from './detector.ts';
import { standingLimit } from './measure/standing.ts';
import { standingsOf } from './standings-of.ts';

/**
 * How far a client stands from the majority: the gap over which single linkage would join it.
 *
 * Formula:   clients as points of their standings; joined along the shortest links until a component holds more than
 *            half. A member's value is 0 … 1; another's is the shortest way to the majority, over the median of the links
 *            that made it.
 * Needs:     an honest majority.
 * Cost:      O(n² K + n² log n).
 * Source:    Nguyen et al. 2022 (FLAME, arXiv:2101.02281): majority by density; on features in place of directions.
 */
export const clustering: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const points = standingsOf(observations, horizon).map((row) => row.map(standingLimit));
    const n = points.length;
    const distance = (i: number, j: number) => Math.sqrt(gap2(points[i]!, points[j]!) / points[i]!.length);
    const { majority, links } = majorityOf(n, distance);
    const usual = Math.max(0.1, links.length === 0 ? 0 : medianOf(links));
    return points.map((_, i) => {
      const way = majority.has(i) ? 0 : Math.min(...[...majority].map((j) => distance(i, j)));
      return {
        value: way / usual,
        reasons: () => [`stands apart from the majority: ${(way / usual).toPrecision(2)} times its usual gap away`],
      };
    });
  },
};

/** The first component of single linkage with more than half of the points, and the links inside it. */
function majorityOf(n: number, distance: (i: number, j: number) => number): { majority: Set<number>; links: number[] } {
  const pairs: { i: number; j: number; length: number }[] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) pairs.push({ i, j, length: distance(i, j) });
  pairs.sort((a, b) => a.length - b.length || a.i - b.i || a.j - b.j);
  const component = Array.from({ length: n }, (_, i) => i);
  const members = component.map((i) => ({ points: [i], links: [] as number[] }));
  for (const { i, j, length } of pairs) {
    const [a, b] = [component[i]!, component[j]!];
    if (a === b) continue;
    const joined = members[a]!;
    for (const k of members[b]!.points) component[k] = a;
    joined.points.push(...members[b]!.points);
    joined.links.push(...members[b]!.links, length);
    if (joined.points.length > n / 2) return { majority: new Set(joined.points), links: joined.links };
  }
  return { majority: new Set(component.keys()), links: [] };
}

function gap2(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0);
}
