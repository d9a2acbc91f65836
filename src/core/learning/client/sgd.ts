import { z } from 'zod';
import { defineClientAlgorithm } from './client-algorithm.ts';

/** Plain local training, as in FedAvg. Source: McMahan et al. 2017, arXiv:1602.05629. */
export const sgd = defineClientAlgorithm(z.strictObject({ algorithm: z.literal('sgd') }));
