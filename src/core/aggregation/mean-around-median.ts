import { z } from 'zod';
import { medianRanks } from './median.ts';
import { byzantine, define, minority } from './rule.ts';

/**
 * Mean around median (MeaMed): in each coordinate the mean of the n − f values nearest to the median.
 *
 * Formula:   y_k = mean of the n − f values x_ik with the least |x_ik − median_j x_jk|.
 * Needs:     n ≥ 2f + 1.
 * Promises:  each coordinate within the range of the honest values, widened by its own width.
 * Cost:      one pass of order statistics, all ranks. Equal distances go to the lowest row.
 * Source:    Xie et al. 2018, arXiv:1802.10116.
 */
export const meanAroundMedian = define(z.strictObject({ rule: z.literal('mean-around-median'), ...byzantine }), {
  kind: 'columns',
  needs: () => 'nothing',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  choose: (_span, _options, { f }, n) => ({ rule: { ...medianRanks(n), kind: 'nearest', keep: n - f } }),
});
