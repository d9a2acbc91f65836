import { checkApplied, checkExamples, checkFinite, evaluationSums } from '../core/learning/trained.ts';
import { elementCount, type Manifest, parameterCount } from '../core/model/manifest.ts';
import type { Trainer, TrainerPace, TrainerTask } from '../ports/trainer.ts';

/** The model as a function sees it: each tensor by name, as a view of a copy that it may change. */
export type FunctionTask = {
  readonly tensors: Readonly<Record<string, Float32Array>>;
  readonly round: number;
  readonly seed: number;
  /** Present where the plan's algorithm pulls: mu · (w − anchor) is to be added to every gradient. */
  readonly proximal?: { readonly mu: number; readonly anchor: Readonly<Record<string, Float32Array>> };
  /** Present where the plan's algorithm is SCAFFOLD: to be added to every gradient. */
  readonly correction?: Readonly<Record<string, Float32Array>>;
  /** Present where the plan is adaptive: at most so many steps, of batches of this size. */
  readonly pace?: TrainerPace;
};

/** What a training function gives back. */
export type FunctionResult = {
  readonly examples: number;
  readonly tensors?: Readonly<Record<string, Float32Array>>;
  /** `proximal`, `correction`: what of the task was added to every gradient. Needed where the task has them. */
  readonly applied?: readonly string[];
  /** Optimiser steps, and the rate and momentum of plain SGD: needed by FedNova and SCAFFOLD. */
  readonly steps?: number;
  readonly learningRate?: number;
  readonly momentum?: number;
};

export type TrainerFunctions = {
  /** Changes the tensors in place, or gives new ones back under the same names, and says how many examples it used. */
  train(task: FunctionTask): MaybePromise<FunctionResult>;
  /** Measures the model on the site's hold-out. Without it the site takes no part in evaluation: 0 examples. */
  evaluate?(
    task: FunctionTask,
  ): MaybePromise<{ readonly examples: number; readonly loss: number; readonly accuracy: number }>;
};

type MaybePromise<T> = T | Promise<T>;

/**
 * Training code of the user's in TypeScript or JavaScript.
 *
 * Errors: RangeError that names the tensor or figure when what comes back does not fit the model.
 */
export function createFunctionTrainer(manifest: Manifest, functions: TrainerFunctions): Trainer {
  return {
    async train(task) {
      const given = namedTensors(manifest, task);
      const { examples, tensors = given.tensors, applied, ...stepped } = await functions.train(given);
      checkApplied(task, applied);
      const { steps, learningRate, momentum } = stepped;
      return {
        parameters: flatten(manifest, tensors),
        examples: checkExamples('train', examples),
        ...(steps === undefined ? {} : { steps }),
        ...(learningRate === undefined ? {} : { learningRate }),
        ...(momentum === undefined ? {} : { momentum }),
      };
    },
    async evaluate(task) {
      if (functions.evaluate === undefined) return { examples: 0, lossSum: 0, correctCount: 0 };
      return evaluationSums(await functions.evaluate(namedTensors(manifest, task)));
    },
  };
}

function namedTensors(
  manifest: Manifest,
  { parameters, round, seed, proximal, correction, pace }: TrainerTask,
): FunctionTask {
  return {
    tensors: viewsOf(manifest, parameters.slice()),
    round,
    seed,
    ...(proximal === undefined
      ? {}
      : { proximal: { mu: proximal.mu, anchor: viewsOf(manifest, proximal.anchor.slice()) } }),
    ...(correction === undefined ? {} : { correction: viewsOf(manifest, correction.slice()) }),
    ...(pace === undefined ? {} : { pace }),
  };
}

function viewsOf(manifest: Manifest, flat: Float32Array): Readonly<Record<string, Float32Array>> {
  let offset = 0;
  const entries = manifest.map((each) => {
    const start = offset;
    offset += elementCount(each);
    return [each.name, flat.subarray(start, offset)] as const;
  });
  return Object.fromEntries(entries);
}

function flatten(manifest: Manifest, tensors: Readonly<Record<string, Float32Array>>): Float32Array {
  const parameters = new Float32Array(parameterCount(manifest));
  let offset = 0;
  for (const each of manifest) {
    const values = tensors[each.name];
    const count = elementCount(each);
    if (values?.length !== count) {
      throw new RangeError(
        `Cannot use the trained model as tensor "${each.name}" must have ${count} values: ` +
          `current value is ${values === undefined ? 'nothing' : values.length}`,
      );
    }
    parameters.set(values, offset);
    offset += count;
  }
  return checkFinite(manifest, parameters);
}
