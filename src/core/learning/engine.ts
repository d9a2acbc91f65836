import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { featureCount, sampleCount } from '../data/dataset.ts';
import { adaptiveSchema } from './pace.ts';
import { parameterCount } from '../model/manifest.ts';
import type { Rng } from '../random/rng.ts';
import type { ModelSpec } from './model-spec.ts';
import { classCountOf, inputCountOf, manifestOf } from './model-spec.ts';

const rate = z.number().finite();

/** How a client trains in one round: mini-batch SGD, as `torch.optim.SGD` has it. */
export const trainOptionsSchema = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(1).describe('passes over the client’s data'),
  batchSize: z.int().min(1).max(65_536).default(32).describe('samples in a step'),
  learningRate: rate.positive().default(0.1).describe('how far a step goes'),
  momentum: rate.min(0).lt(1).default(0).describe('v ← momentum · v + gradient, starts at 0 in every round'),
  weightDecay: rate.min(0).default(0).describe('adds weightDecay · w to the gradient'),
  proximalMu: rate.min(0).default(0).describe('adds proximalMu · (w − anchor) to the gradient'),
});

/** What of it a plan says: the pull is the client algorithm's. */
export const planTrainingSchema = trainOptionsSchema.omit({ proximalMu: true }).extend({
  adaptive: adaptiveSchema
    .optional()
    .describe('steps and batch follow what each site measures of itself; left out: every site does the same'),
});

export type TrainOptions = Omit<z.infer<typeof trainOptionsSchema>, 'proximalMu'> & { readonly proximalMu?: number };

export type TrainJob = {
  readonly spec: ModelSpec;
  /** Flat, laid out by `manifestOf(spec)`. Not changed. */
  readonly parameters: Float32Array;
  readonly data: Dataset;
  readonly options: TrainOptions;
  /** What proximalMu pulls towards. Default: the parameters at the start. */
  readonly proximalAnchor?: Float32Array;
  /** Added to every gradient: SCAFFOLD's c − c_i. */
  readonly gradientCorrection?: Float32Array;
  /** Only the order of samples is drawn from it. */
  readonly rng: Rng;
  /** Training ends after so many steps, or with its epochs. */
  readonly stepsMax?: number;
};

export type TrainResult = {
  readonly parameters: Float32Array<ArrayBuffer>;
  /** Samples in the data: a claim once it leaves the client. */
  readonly examples: number;
  /** Optimiser steps taken. */
  readonly steps: number;
  /** Means over what was seen of the last epoch, each batch measured before its step. */
  readonly metrics: { readonly loss: number; readonly accuracy: number };
};

export type EvaluateJob = Pick<TrainJob, 'spec' | 'parameters' | 'data'>;

export type Evaluation = {
  readonly loss: number;
  readonly accuracy: number;
  readonly examples: number;
  /** Sums, so that evaluations of several sites add up exactly. */
  readonly lossSum: number;
  readonly correctCount: number;
};

/**
 * What trains and evaluates the built-in models.
 *
 * Promises: the same job gives the same bits; no job sees what another left behind.
 * Errors:   RangeError when parts of a job do not fit; Error when the loss stops being finite.
 */
export type TrainingEngine = {
  readonly name: string;
  train(job: TrainJob): Promise<TrainResult>;
  evaluate(job: EvaluateJob): Promise<Evaluation>;
};

/** Throws RangeError unless parameters and data fit the model. */
export function checkJob(job: EvaluateJob & Partial<TrainJob>): void {
  const { spec, parameters, data, gradientCorrection, proximalAnchor } = job;
  const refuse = (wish: string, value: number): never => {
    throw new RangeError(`Cannot run the model ${spec.kind} as ${wish}: current value is ${value}`);
  };
  const d = parameterCount(manifestOf(spec));
  if (parameters.length !== d) refuse(`it must have ${d} parameters`, parameters.length);
  if (gradientCorrection !== undefined && gradientCorrection.length !== d) {
    refuse(`the gradient correction must have ${d} values`, gradientCorrection.length);
  }
  if (proximalAnchor !== undefined && proximalAnchor.length !== d) {
    refuse(`the proximal anchor must have ${d} values`, proximalAnchor.length);
  }
  if (sampleCount(data) < 1) refuse('the data must have at least one sample', sampleCount(data));
  if (featureCount(data) !== inputCountOf(spec)) {
    refuse(`a sample must have ${inputCountOf(spec)} values`, featureCount(data));
  }
  if (data.classCount > classCountOf(spec)) {
    refuse(`the data must have at most ${classCountOf(spec)} classes`, data.classCount);
  }
}

/** Throws when training has diverged. */
export function checkLoss(loss: number, step: number, options: TrainOptions): void {
  if (Number.isFinite(loss)) return;
  throw new Error(
    `Cannot train as the loss must stay finite (a smaller learningRate than ${options.learningRate} may help): ` +
      `current value is ${loss} at step ${step}`,
  );
}

/**
 * The order in which samples are visited: `visit` gets each batch's indexes, epoch after epoch. Gives how many samples of
 * the last epoch were visited.
 */
export function eachBatch(job: TrainJob, visit: (indexes: Uint32Array, epoch: number) => void): number {
  const { epochs, batchSize } = job.options;
  let stepsLeft = job.stepsMax ?? Number.POSITIVE_INFINITY;
  let seen = 0;
  const order = Uint32Array.from({ length: sampleCount(job.data) }, (_, i) => i);
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (stepsLeft === 0) break;
    job.rng.shuffleInPlace(order);
    seen = 0;
    for (let start = 0; start < order.length && stepsLeft > 0; start += batchSize, stepsLeft--) {
      const indexes = order.subarray(start, start + batchSize);
      visit(indexes, epoch);
      seen += indexes.length;
    }
  }
  return seen;
}
