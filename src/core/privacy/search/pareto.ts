import { normalUpper } from '../numerics/erfc.ts';
import type { Prediction } from './gaussian-process.ts';

/** A cost that is to be small and a score that is to be large. */
export type Tradeoff = { readonly cost: number; readonly score: number };

/** Those that no other one beats in cost and score, the cheapest first. */
export function paretoFront<T extends Tradeoff>(all: readonly T[]): readonly T[] {
  const sorted = [...all].sort((a, b) => a.cost - b.cost || b.score - a.score);
  let best = -Infinity;
  return sorted.filter(({ score }) => {
    if (score <= best) return false;
    best = score;
    return true;
  });
}

/** The area that a front dominates, up to a cost and down to a score of 0. */
export function hypervolume(front: readonly Tradeoff[], costMax: number): number {
  const from = front[0]?.cost ?? costMax;
  return segmentsFrom(front, from, costMax).reduce((sum, { width, score }) => sum + width * Math.max(0, score), 0);
}

/**
 * How much area a point is expected to add to a front where its cost is known and its score is not.
 *
 * Formula:  Σ over the costs c between the point's and the largest, piece by piece where the front has one score f:
 *           width · E(score − f)₊, with E(X − f)₊ = s (z Φ(z) + φ(z)), z = (mean − f) ÷ s.
 * Needs:    cost < costMax, or nothing is added.
 * Source:   expected hypervolume improvement, Emmerich, Deutz and Klinkenberg 2011, with one objective known.
 */
export function expectedImprovement(
  front: readonly Tradeoff[],
  point: { readonly cost: number } & Prediction,
  costMax: number,
): number {
  return segmentsFrom(front, point.cost, costMax).reduce(
    (sum, { width, score }) => sum + width * expectedExcess(point, score),
    0,
  );
}

function expectedExcess({ mean, deviation }: Prediction, floor: number): number {
  const excess = mean - floor;
  if (!(deviation > 0)) return Math.max(0, excess);
  const z = excess / deviation;
  return excess * normalUpper(-z) + (deviation * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The front's scores as steps between a cost and the largest; 0 before its first point. */
function segmentsFrom(front: readonly Tradeoff[], from: number, costMax: number) {
  const steps = [{ cost: from, score: 0 }, ...front];
  return steps.flatMap(({ cost, score }, i) => {
    const width = Math.min(steps[i + 1]?.cost ?? costMax, costMax) - Math.max(cost, from);
    return width > 0 ? [{ width, score }] : [];
  });
}
