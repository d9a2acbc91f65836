import type { NoisySteps } from '../core/privacy/ledger/filter.ts';
/** What a trainer is asked to do in one round. */
export type TrainerTask = {
  /** The model to start from, flat, laid out by the run's manifest. Not changed. */
  readonly parameters: Float32Array;
  readonly round: number;
  /** Where the order of samples comes from: the same task with the same seed gives the same result. */
  readonly seed: number;
  /** `personal`: the result stays at the site. Default: it becomes the update. */
  readonly purpose?: 'personal';
  /** Adds mu · (w − anchor) to every gradient (FedProx, Ditto). */
  readonly proximal?: { readonly mu: number; readonly anchor: Float32Array };
  /** Added to every gradient (SCAFFOLD). */
  readonly correction?: Float32Array;
  /** `sums`: the site's sums at these parameters are wanted, and no training (Newton). */
  readonly wants?: 'sums';
  /** At most so many steps, of batches of this size, in place of the plan's (`training.adaptive`). */
  readonly pace?: TrainerPace;
};

export type TrainerPace = { readonly stepsMax: number; readonly batchSize: number };

/** Sums over a site's samples of a softmax regression's loss and of its first and second derivatives. */
export type TrainerSums = {
  readonly examples: number;
  readonly lossSum: number;
  /** For each class but the first: its inputs, then its bias. */
  readonly gradient: Float64Array;
  /** Row-major. */
  readonly hessian: Float64Array;
};

/** Trained weights under the same layout; the agent subtracts. */
export type TrainerResult = {
  readonly parameters: Float32Array;
  /** How many examples were used: a claim once it leaves the site. */
  readonly examples: number;
  /** How many optimiser steps were taken, and by which SGD: a claim too. Some algorithms cannot do without. */
  readonly steps?: number;
  readonly learningRate?: number;
  readonly momentum?: number;
  /** Where they were wanted, from a trainer that can. */
  readonly sums?: TrainerSums;
};

/** Sums over the site's hold-out, so that evaluations of several sites add up exactly. */
export type TrainerEvaluation = {
  readonly examples: number;
  readonly lossSum: number;
  readonly correctCount: number;
};

/** A site's own training code: a built-in model, a TypeScript function, or any program. */
export type Trainer = {
  train(task: TrainerTask): Promise<TrainerResult>;
  evaluate(task: TrainerTask): Promise<TrainerEvaluation>;
  /** How long one sample takes in training, for a trainer that can tell before it has trained. */
  secondsPerSample?(): Promise<number>;
  /**
   * What one round of training costs each record, of the trainer that clips and noises the gradient of each: others are
   * refused under that privacy.
   */
  recordSteps?(): NoisySteps;
  /** The category of each example that it trains on, for a histogram: of the label, or of a column; −1: not known. */
  categoriesOf?(what: string): ArrayLike<number> | undefined;
  /** How many samples it trains on, for a trainer that knows. */
  readonly sampleCount?: number;
};
