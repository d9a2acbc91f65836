import { z } from 'zod';
import { define, minority, promised } from './rule.ts';

/**
 * Sign majority (signSGD): the sign of the sum of signs in each coordinate; 0 on a draw.
 *
 * Formula:   y_k = sign(Σ_i sign x_ik).
 * Needs:     f < n/2 for the promise.
 * Promises:  where more than n/2 + f rows agree on a sign, that sign comes out. All lengths are lost: scale the result.
 * Cost:      one pass.
 * Source:    Bernstein et al. 2019, arXiv:1810.05291.
 */
export const signMajority = define(z.strictObject({ rule: z.literal('sign-majority'), ...promised }), {
  kind: 'columns',
  needs: () => 'nothing',
  provenMax: minority,
  range: 'n ≥ 2f + 1',
  choose: () => ({ rule: { kind: 'sign-majority' } }),
});
