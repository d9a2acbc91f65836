import { z } from 'zod';
import { define, medianOf, minority, promised, type Walk } from './rule.ts';
import { walking } from './walk.ts';

/**
 * Centred clipping: steps from the last output along clipped differences.
 *
 * Formula:   v ← v + (1/n) Σ (x_i − v) min(1, τ/‖x_i − v‖), `iterations` times, from v = reference or 0.
 *            τ = `radius`; 'auto' is the median distance to the reference, found once.
 * Shapes:    distances [n] to each v → weights [n] and one for the reference.
 * Needs:     f < n/2 for the promise.
 * Promises:  with one iteration and a fixed radius, f rows move the result by at most 2fτ/n. With `expectedCount` n̄
 *            in the place of n and a public reference: sensitivity τ/n̄ (add or remove), 2τ/n̄ (replace).
 * Cost:      `iterations` + 1 passes of reading where n ≥ 24 (iterations − 1) (72 from 2²⁸ values on) and no step before
 *            mixes rows but by scales; else a Gram pass and O(n²) per iteration.
 * Source:    Karimireddy et al. 2021, arXiv:2012.10333.
 */
export const centeredClipping = define(
  z.strictObject({
    rule: z.literal('centered-clipping'),
    ...promised,
    radius: z.union([z.number().positive(), z.literal('auto')]).default('auto'),
    iterations: z.int().min(1).max(1000).default(1),
    expectedCount: z.int().min(1).optional(),
  }),
  {
    ...walking({ stops: ({ iterations }) => iterations, walk: walkOf }),
    provenMax: minority,
    range: 'n ≥ 2f + 1',
  },
);

type Options = {
  readonly radius: number | 'auto';
  readonly iterations: number;
  readonly expectedCount?: number | undefined;
};

function* walkOf(n: number, hasReference: boolean, options: Options): Walk {
  const denominator = options.expectedCount ?? n;
  const weights = new Float64Array(n + 1);
  if (hasReference) weights[n] = 1;
  let distances2 = yield weights;
  const radius = options.radius === 'auto' ? medianOf(distances2.map(Math.sqrt)) : options.radius;
  for (let step = 0; step < options.iterations; step++) {
    if (step > 0) distances2 = yield weights;
    const shares = distances2.map((value) => clipScale(Math.sqrt(value), radius) / denominator);
    const kept = 1 - shares.reduce((sum, share) => sum + share, 0);
    for (let j = 0; j <= n; j++) weights[j] = weights[j]! * kept + (shares[j] ?? 0);
  }
  return {
    weights: weights.slice(0, n),
    referenceWeight: weights[n]!,
    carriesReference: true,
    findings: { radius, distances: Float64Array.from(distances2, Math.sqrt) },
  };
}

/** min(1, radius/length), and 1 for length 0. */
export function clipScale(length: number, radius: number): number {
  return length <= radius ? 1 : radius / length;
}
