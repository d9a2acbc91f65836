import { z } from 'zod';
import { serverOptimizerSchema } from '../learning/server/index.ts';

/** The plan's section on how clients learn and what the coordinator makes of their aggregate. */
export const learningSchema = z
  .strictObject({
    server: serverOptimizerSchema
      .prefault({ optimizer: 'fed-avg' })
      .describe('how the aggregate moves the global model'),
  })
  .prefault({});
