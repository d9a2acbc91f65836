import { z } from 'zod';
import { defineServerOptimizer } from './server-optimizer.ts';

/**
 * FedAvg: the model moves by the aggregate.
 *
 * Formula: x ← x + η Δ;  η = 1 is averaging of the clients' models.
 * Source:  McMahan et al. 2017, arXiv:1602.05629.
 */
export const fedAvg = defineServerOptimizer(
  z.strictObject({
    optimizer: z.literal('fed-avg'),
    learningRate: z.number().positive().max(100).default(1).describe('the aggregate is multiplied by this: η'),
  }),
  {
    start: () => ({}),
    step: ({ aggregate, state, options }) => ({
      change: aggregate.map((delta) => options.learningRate * delta),
      state,
    }),
  },
);
