import { z } from 'zod';
import { ascending, averageOf, byzantine, define, minority } from './rule.ts';

/**
 * Comparative gradient elimination: the mean of the n − f shortest rows.
 *
 * Formula:   mean of the n − f least ‖x_i‖; equal norms go to the lowest row.
 * Needs:     n ≥ 2f + 1.
 * Promises:  no longer than the longest honest row. Weak: a liar of usual length passes.
 * Cost:      two passes of reading.
 * Source:    Gupta and Vaidya 2021, arXiv:2009.14763.
 */
export const cge = define(z.strictObject({ rule: z.literal('cge'), ...byzantine }), {
  kind: 'weights',
  needs: () => 'star',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  weigh(span, _options, { f }) {
    const selected = ascending(span.count, (i) => span.norm(i)).slice(0, span.count - f);
    return { weights: averageOf(selected, span.count), findings: { selected } };
  },
});
