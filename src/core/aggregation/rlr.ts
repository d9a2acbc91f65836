import { z } from 'zod';
import { define, promised } from './rule.ts';

/**
 * Robust learning rate: the mean, turned around in coordinates where too few rows agree on a sign.
 *
 * Formula:   x̄_k where |Σ_i sign x_ik| ≥ θ, otherwise −x̄_k; θ = `threshold`, or 2f + 1.
 * Needs:     nothing.
 * Promises:  none; meant against backdoors, and no bound on lengths: put a clip before it.
 * Cost:      one pass.
 * Source:    Ozdayi et al. 2021, arXiv:2007.03767.
 */
export const rlr = define(
  z.strictObject({ rule: z.literal('rlr'), ...promised, threshold: z.number().min(0).optional() }),
  {
    kind: 'columns',
    needs: () => 'nothing',
    provenMax: () => 0,
    range: 'f = 0',
    choose: (_span, { threshold }, { f }) => ({ rule: { kind: 'sign-flip', threshold: threshold ?? 2 * f + 1 } }),
  },
);
