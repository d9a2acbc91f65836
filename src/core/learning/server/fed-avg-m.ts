import { z } from 'zod';
import { defineServerOptimizer } from './server-optimizer.ts';

/**
 * FedAvgM: FedAvg with momentum on the server.
 *
 * Formula: v ← β v + Δ;  x ← x + η v;  v starts at 0.
 * Source:  Hsu, Qi, Brown 2019, arXiv:1909.06335.
 */
export const fedAvgM = defineServerOptimizer(
  z.strictObject({
    optimizer: z.literal('fed-avg-m'),
    learningRate: z.number().positive().max(100).default(1).describe('the velocity is multiplied by this: η'),
    momentum: z.number().min(0).lt(1).default(0.9).describe('share of the velocity that stays: β'),
  }),
  {
    start: (d) => ({ momentum: new Float32Array(d) }),
    step({ aggregate, state, options }) {
      const momentum = state['momentum']!.map((value, i) => options.momentum * value + aggregate[i]!);
      return { change: momentum.map((value) => options.learningRate * value), state: { momentum } };
    },
  },
);
