import { z } from 'zod';
import { define, minority, promised, type Walk } from './rule.ts';
import { walking } from './walk.ts';

/**
 * Geometric median by smoothed Weiszfeld steps (RFA).
 *
 * Formula:   v ← Σ β_i x_i / Σ β_i with β_i = 1/max(ν, ‖x_i − v‖), `iterations` times, from v = reference or 0; with
 *            `start` "mean" from the mean of the rows.
 * Shapes:    distances [n] to each v → weights [n].
 * Needs:     f < n/2 for the promise.
 * Promises:  breakdown point 1/2 at convergence: the exact median moves by at most (2(n − f)/(n − 2f)) · max ‖honest‖.
 *            Three steps from 0 (the usual budget) come near to it; raise `iterations` for the rest.
 * Cost:      `iterations` + 1 passes of reading, or a Gram pass and O(n²) per iteration: as centred clipping.
 * Differs:   RFA starts at the mean (`start`), where one huge row may hold v for many steps; ByzFL starts at 0, as here.
 * Source:    Weiszfeld 1937; Pillutla et al. 2022, arXiv:1912.13445.
 */
export const geometricMedian = define(
  z.strictObject({
    rule: z.literal('geometric-median'),
    ...promised,
    iterations: z.int().min(1).max(10_000).default(3),
    nu: z.number().positive().default(0.1),
    start: z.enum(['reference', 'mean']).optional(),
  }),
  {
    ...walking({ stops: ({ iterations }) => iterations, walk: walkOf }),
    provenMax: minority,
    range: 'n ≥ 2f + 1',
  },
);

type Options = {
  readonly iterations: number;
  readonly nu: number;
  readonly start?: 'reference' | 'mean' | undefined;
};

function* walkOf(n: number, hasReference: boolean, { iterations, nu, start }: Options): Walk {
  const weights = new Float64Array(n + 1);
  if (start === 'mean') weights.fill(1 / n, 0, n);
  else if (hasReference) weights[n] = 1;
  let distances2 = yield weights;
  for (let step = 0; step < iterations; step++) {
    if (step > 0) distances2 = yield weights;
    // Scaled by the least distance, so that 1/distance leaves no range.
    const least = Math.max(nu, Math.sqrt(Math.min(...distances2)));
    const pulls = distances2.map((value) => least / Math.max(nu, Math.sqrt(value)));
    const total = pulls.reduce((sum, pull) => sum + pull, 0);
    for (let i = 0; i < n; i++) weights[i] = pulls[i]! / total;
    weights[n] = 0;
  }
  return {
    weights: weights.slice(0, n),
    findings: { distances: Float64Array.from(distances2, Math.sqrt) },
  };
}
