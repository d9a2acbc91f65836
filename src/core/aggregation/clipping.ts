import { z } from 'zod';
import { clipScale } from './centered-clipping.ts';
import { define, diagonal } from './rule.ts';

/**
 * Static clipping: shortens each vector to the norm `radius`.
 *
 * Formula:   x_i min(1, C/‖x_i‖).
 * Needs:     nothing of the data.
 * Promises:  ‖y_i‖ ≤ C for each row, whatever the others do. In float32, before a rule that reads products, the norm of
 *            a row is known to about 3e-4 of the median length, so that shorter rows than that may stay as they are.
 * Cost:      one pass of reading for the norms.
 * Source:    folklore; ByzFL `Clipping`.
 */
export const clipping = define(z.strictObject({ rule: z.literal('clipping'), radius: z.number().positive() }), {
  kind: 'mix',
  needs: () => 'star',
  keepsClients: true,
  provenMax: (n) => n,
  range: 'any f',
  mix: (span, { radius }, _context, n) =>
    diagonal(Float64Array.from({ length: n }, (_, i) => clipScale(span!.norm(i), radius))),
});
