import type { TrainerTask } from '../../ports/trainer.ts';
import { elementCount, type Manifest } from '../model/manifest.ts';

/** Throws RangeError that names the first tensor with a value that is not finite. */
export function checkFinite(manifest: Manifest, parameters: Float32Array): Float32Array {
  let offset = 0;
  for (const each of manifest) {
    const values = parameters.subarray(offset, (offset += elementCount(each)));
    const bad = values.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new RangeError(
        `Cannot use the trained model as tensor "${each.name}" must be finite: current value is ${bad}`,
      );
    }
  }
  return parameters;
}

/** Sums of what a trainer measured as means. Throws RangeError when a figure is out of range. */
export function evaluationSums(measured: {
  readonly examples: number;
  readonly loss: number;
  readonly accuracy: number;
}): { readonly examples: number; readonly lossSum: number; readonly correctCount: number } {
  const { loss, accuracy } = measured;
  const examples = checkExamples('evaluate', measured.examples);
  if (!Number.isFinite(loss)) {
    throw new RangeError(`Cannot evaluate as the loss must be a finite number: current value is ${loss}`);
  }
  if (!(accuracy >= 0 && accuracy <= 1)) {
    throw new RangeError(`Cannot evaluate as the accuracy must be from 0 to 1: current value is ${accuracy}`);
  }
  return { examples, lossSum: loss * examples, correctCount: Math.round(accuracy * examples) };
}

/** Throws RangeError unless a count of examples is an integer ≥ 0. */
export function checkExamples(verb: string, examples: number): number {
  if (Number.isSafeInteger(examples) && examples >= 0) return examples;
  throw new RangeError(`Cannot ${verb} as examples must be an integer ≥ 0: current value is ${examples}`);
}

/** What a task asks the training code to add to every gradient, by name. */
function askedOf({ proximal, correction }: Pick<TrainerTask, 'proximal' | 'correction'>): readonly string[] {
  return [...(proximal === undefined ? [] : ['proximal']), ...(correction === undefined ? [] : ['correction'])];
}

/**
 * Throws RangeError unless the training code says that it did what was asked: one that knows nothing of it would send
 * the update of another algorithm, and nobody would see it.
 */
export function checkApplied(
  task: Pick<TrainerTask, 'proximal' | 'correction'>,
  applied: readonly string[] = [],
): void {
  const missing = askedOf(task).find((name) => !applied.includes(name));
  if (missing === undefined) return;
  throw new RangeError(
    `Cannot use the trained model as the plan's algorithm adds the task's "${missing}" to every gradient, and the result must ` +
      `say so (applied: ["${missing}"]): current value is [${applied.join(', ')}]`,
  );
}
