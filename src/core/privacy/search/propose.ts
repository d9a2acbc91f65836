import type { Rng } from '../../random/rng.ts';
import { gaussianProcess, type Observation } from './gaussian-process.ts';
import { expectedImprovement, paretoFront } from './pareto.ts';

/** A point whose cost is its first coordinate: known before it is tried. */
const costMax = 1.1;
const candidates = 400;
const primes = [2, 3, 5, 7, 11, 13] as const;

/**
 * The next points to try.
 *
 * Formula:  the first `initial` ones are a Halton sequence with a seeded shift. Then the point with the largest expected
 *           gain in area, of 200 drawn anywhere and 200 around the front; what it should give is believed, and the next
 *           one is chosen as if it had.
 * Needs:    points of the unit cube, of at most six coordinates; the first is the cost. Scores are at least 0.
 * Promises: a function of what was seen, in its order, and the generator: who evaluates points, and in what order, does
 *           not matter as long as a batch is complete.
 * Source:   Kriging believer, Ginsbourger, Le Riche and Carraro 2010.
 */
export function proposePoints(
  seen: readonly Observation[],
  { dimension, count, initial, rng }: { dimension: number; count: number; initial: number; rng: Rng },
): readonly (readonly number[])[] {
  const root = rng.child('proposal');
  const shift = Array.from({ length: dimension }, () => root.float());
  const points: (readonly number[])[] = [];
  const believed = [...seen];
  while (points.length < count) {
    const index = believed.length;
    const draw = rng.child('proposal', index);
    const point = index < initial ? haltonPoint(index, shift) : bestPoint(believed, dimension, draw);
    points.push(point);
    if (points.length === count) break;
    const value = index < initial ? 0 : gaussianProcess(believed, draw.child('belief')).predict(point).mean;
    believed.push({ at: point, value });
  }
  return points;
}

function haltonPoint(index: number, shift: readonly number[]): readonly number[] {
  return shift.map((by, k) => (radicalInverse(index + 1, primes[k]!) + by) % 1);
}

function radicalInverse(index: number, base: number): number {
  let [value, digit] = [0, 1 / base];
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    value += (rest % base) * digit;
    digit /= base;
  }
  return value;
}

function bestPoint(seen: readonly Observation[], dimension: number, rng: Rng): readonly number[] {
  const belief = gaussianProcess(seen, rng.child('process'));
  // The front of what the process believes: a lucky score does not stand for ever.
  const smooth = seen.map(({ at }) => ({ at, cost: at[0]!, score: Math.max(0, belief.predict(at).mean) }));
  const front = paretoFront(smooth);
  let best: { readonly point: readonly number[]; readonly gain: number } | undefined;
  for (let i = 0; i < candidates; i++) {
    const point =
      i % 2 === 0
        ? Array.from({ length: dimension }, () => rng.float())
        : around(front[rng.below(front.length)]!.at, rng);
    const gain = expectedImprovement(front, { cost: point[0]!, ...belief.predict(point) }, costMax);
    if (best === undefined || gain > best.gain) best = { point, gain };
  }
  return best!.point;
}

function around(at: readonly number[], rng: Rng): readonly number[] {
  return at.map((x) => Math.min(1, Math.max(0, x + 0.08 * rng.gaussian())));
}
