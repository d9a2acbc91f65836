import { z } from 'zod';
import type { ColumnRule } from '../../ports/compute.ts';
import { define, minority, promised } from './rule.ts';

/**
 * Coordinate-wise median; for an even count the mean of the middle two.
 *
 * Formula:   y_k = median of x_1k … x_nk.
 * Needs:     f < n/2 for the promise; the arithmetic does not use f.
 * Promises:  each coordinate stays within the range of the honest values while f < n/2.
 * Cost:      one pass of order statistics.
 * Source:    Yin et al. 2018, arXiv:1803.01498.
 */
export const median = define(z.strictObject({ rule: z.literal('median'), ...promised }), {
  kind: 'columns',
  needs: () => 'nothing',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  choose: (_span, _options, _context, n) => ({ rule: medianRanks(n) }),
});

/** The ranks whose mean is the median of n values. */
export function medianRanks(n: number): Extract<ColumnRule, { kind: 'ranks' }> {
  return { kind: 'ranks', low: (n - 1) >> 1, high: (n >> 1) + 1 };
}
