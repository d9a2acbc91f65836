import { z } from 'zod';
import { defineClientAlgorithm } from './client-algorithm.ts';

/**
 * FedAvg, and at each site one more local training from the newest global model, which stays there: the simplest
 * personal model, and the one that others must beat.
 *
 * Formula: v = the result of the plan's local training from x.
 * Source:  Yu, Bagdasaryan, Shmatikov 2020, arXiv:2002.04758; Cheng, Chadha, Duchi 2021, arXiv:2108.07313.
 */
export const fineTuning = defineClientAlgorithm(z.strictObject({ algorithm: z.literal('fine-tuning') }), {
  personal: async ({ task }, train) => (await train({ ...task, purpose: 'personal' })).parameters,
});
