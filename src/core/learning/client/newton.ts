import { z } from 'zod';
import { sumsAsUpdate } from '../newton-update.ts';
import { defineClientAlgorithm } from './client-algorithm.ts';

/**
 * Newton: a site sends the summed gradient and Hessian of its samples in place of trained weights, and the coordinator
 * solves for the step of the pooled data.
 *
 * Needs:    a trainer that gives sums (the built-in one does); a rule that sums.
 * Promises: the rounds lead to the optimum of all sites' data together, whatever the split. None against a site that lies.
 * Source:   see `newtonIterate`.
 */
export const newton = defineClientAlgorithm(
  z.strictObject({
    algorithm: z.literal('newton'),
    penalty: z
      .number()
      .min(0)
      .max(1e9)
      .default(0)
      .describe('λ: adds λ ÷ 2 · ‖w‖² to the loss summed over all samples; biases are free'),
  }),
  {
    isSummed: true,
    task: ({ task }) => ({ ...task, wants: 'sums' }),
    update({ task }, { sums }) {
      if (sums === undefined) {
        throw new RangeError(
          'Cannot send an update as the plan\'s algorithm newton needs sums of gradients and Hessians: the trainer must give "sums", as the built-in one does, and gives none',
        );
      }
      return { ...sumsAsUpdate(sums, task.parameters.length), accumulation: 1, claimedExamples: sums.examples };
    },
  },
);
