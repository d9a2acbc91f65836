import { z } from 'zod';
import { planTrainingSchema } from '../learning/engine.ts';

/** What may compute the built-in models. */
export const trainingEngineIds = ['built-in', 'onnx'] as const;

export type TrainingEngineId = (typeof trainingEngineIds)[number];

/** The plan's section on what a client does in a round. */
export const trainingSchema = planTrainingSchema
  .extend({
    engine: z
      .enum(trainingEngineIds)
      .default('built-in')
      .describe(
        'what computes: built-in gives the same bits on every machine; onnx is the optional package onnxruntime-node',
      ),
  })
  .prefault({});
