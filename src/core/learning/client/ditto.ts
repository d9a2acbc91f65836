import { z } from 'zod';
import { defineClientAlgorithm } from './client-algorithm.ts';

/**
 * Ditto: a site keeps a personal model that is pulled towards the global one; the global model is trained as in FedAvg.
 *
 * Formula: min_v F_i(v) + (λ ÷ 2) ‖v − x‖², going on from the last personal model v; v starts at the first x.
 * Source:  Li et al. 2021, arXiv:2012.04221, algorithm 1.
 */
export const ditto = defineClientAlgorithm(
  z.strictObject({
    algorithm: z.literal('ditto'),
    lambda: z
      .number()
      .min(0)
      .max(1e6)
      .default(0.1)
      .describe('strength of the pull of the personal model towards the global one: λ'),
  }),
  {
    isKeeping: true,
    start: (parameters) => ({ personal: parameters }),
    async keep({ task, state, options }, _result, train) {
      const { parameters } = await train({
        ...task,
        purpose: 'personal',
        parameters: state['personal']!,
        proximal: { mu: options.lambda, anchor: task.parameters },
      });
      return { ...state, personal: parameters };
    },
    personal: ({ state }) => Promise.resolve(state['personal']!),
  },
);
