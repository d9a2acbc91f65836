import { z } from 'zod';
import { byzantine, define, minority } from './rule.ts';

/**
 * Phocas: in each coordinate the mean of the n − f values nearest to the trimmed mean.
 *
 * Formula:   y_k = mean of the n − f values x_ik with the least |x_ik − t_k|, t the trimmed mean with the same f.
 * Needs:     n ≥ 2f + 1.
 * Promises:  as mean around median.
 * Cost:      one pass of order statistics, all ranks. Equal distances go to the lowest row.
 * Source:    Xie et al. 2018, arXiv:1805.09682.
 */
export const phocas = define(z.strictObject({ rule: z.literal('phocas'), ...byzantine }), {
  kind: 'columns',
  needs: () => 'nothing',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  choose: (_span, _options, { f }, n) => ({ rule: { kind: 'nearest', low: f, high: n - f, keep: n - f } }),
});
