import { z } from 'zod';
import { type DetectorId, detectors } from '../detection/index.ts';

const detectorIds = Object.keys(detectors) as [DetectorId, ...DetectorId[]];

/** What looks for hostile clients, and what follows from it. */
export const detectionSchema = z.strictObject({
  detector: z
    .enum(detectorIds)
    .default('ensemble')
    .describe('what flags unusual updates; a flag is an alarm, not proof'),
  falseAlarms: z
    .number()
    .min(0.0001)
    .max(0.2)
    .default(0.003)
    .describe('share of honest clients that may be flagged at the end of a window of 20 participations'),
  reputation: z
    .enum(['observe', 'weigh', 'select', 'weigh-and-select'])
    .default('observe')
    .describe(
      'what reputation does: nothing; multiply claimed weights (rules that read them); leave excluded clients out of later rounds; both',
    ),
});

export type DetectionPlan = z.output<typeof detectionSchema>;
