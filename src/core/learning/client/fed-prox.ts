import { z } from 'zod';
import { defineClientAlgorithm } from './client-algorithm.ts';

/**
 * FedProx: local training is pulled towards the global model.
 *
 * Formula: min_w F_i(w) + (µ ÷ 2) ‖w − x‖²
 * Source:  Li et al. 2020, arXiv:1812.06127.
 */
export const fedProx = defineClientAlgorithm(
  z.strictObject({
    algorithm: z.literal('fed-prox'),
    mu: z.number().min(0).max(1e6).default(0.01).describe('strength of the pull towards the global model: µ'),
  }),
  { task: ({ task, options }) => ({ ...task, proximal: { mu: options.mu, anchor: task.parameters } }) },
);
