import type { CodecId } from '../compression/index.ts';
import type { ModelSpec } from '../learning/model-spec.ts';
import { type Regression, unknownCount } from '../learning/newton-update.ts';

/** The server solves for so many unknowns in about a second; the Hessian of more would be a large upload too. */
const unknownsMax = 1000;

type Given = {
  readonly model: ModelSpec;
  readonly training: { readonly adaptive?: object | undefined };
  readonly aggregation: { readonly pipeline: readonly { readonly rule: string }[]; readonly codec: CodecId };
  readonly detection: { readonly reputation: string };
  readonly learning: {
    readonly server: { readonly optimizer: string; readonly learningRate: number };
    readonly local: readonly string[];
  };
  readonly privacy: { readonly mode: string };
};

/** The model of a plan that learns by Newton. Errors: RangeError where it is another one. */
export function regressionOf(model: ModelSpec): Regression {
  if (model.kind === 'softmax-regression') return model;
  throw new RangeError(
    `Cannot step by Newton as the model must be a softmax-regression: current value is ${model.kind}`,
  );
}

/** What keeps a plan from learning by Newton, each with the nearest plan that works. */
export function newtonProblems({ model, training, aggregation, detection, learning, privacy }: Given) {
  const problems: { readonly path: readonly string[]; readonly message: string }[] = [];
  const refuse = (path: string, message: string, value: unknown) =>
    problems.push({ path: path.split('.'), message: `${message}: current value is ${JSON.stringify(value)}` });
  if (model.kind !== 'softmax-regression') {
    refuse(
      'model.kind',
      'must be "softmax-regression" with newton, as the loss of other models has many optima and no positive Hessian (nearest: learning.client.algorithm = "sgd")',
      model.kind,
    );
  } else if (unknownCount(model) > unknownsMax) {
    refuse(
      'model.inputs',
      `must give at most ${unknownsMax} unknowns, (classes − 1) · (inputs + 1), with newton, as a Hessian has their square (nearest: ${Math.max(1, Math.floor(unknownsMax / (model.classes - 1)) - 1)}, or learning.client.algorithm = "sgd")`,
      model.inputs,
    );
  }
  if (privacy.mode !== 'off') {
    refuse(
      'learning.client.algorithm',
      `must send one bounded vector with privacy.mode "${privacy.mode}", and the sums of a site have no bound (nearest: "sgd")`,
      'newton',
    );
  }
  if (aggregation.pipeline.length > 1 || aggregation.pipeline[0]?.rule !== 'mean') {
    refuse(
      'aggregation.pipeline',
      'must be the mean alone with newton, as the optimum of all data is made of plain sums, which no robust rule gives (nearest: [{ rule = "mean" }], which withstands no liar)',
      aggregation.pipeline,
    );
  }
  if (aggregation.codec !== 'float32') {
    refuse(
      'aggregation.codec',
      'must keep every bit with newton, as a sum that is rounded has another optimum (nearest: "float32")',
      aggregation.codec,
    );
  }
  if (learning.server.optimizer !== 'fed-avg' || learning.server.learningRate !== 1) {
    refuse(
      'learning.server',
      'must be left out with newton, as the coordinator solves for the step itself (nearest: { optimizer = "fed-avg" })',
      learning.server,
    );
  }
  if (learning.local.length > 0) {
    refuse(
      'learning.local',
      'must be empty with newton, as the sums are of the whole model (nearest: [])',
      learning.local,
    );
  }
  if (training.adaptive !== undefined) {
    refuse(
      'training.adaptive',
      'must be left out with newton, as each site sums over all its samples (nearest: without it)',
      training.adaptive,
    );
  }
  if (detection.reputation === 'weigh' || detection.reputation === 'weigh-and-select') {
    refuse(
      'detection.reputation',
      'must leave weights alone with newton, as a sum has none (nearest: "select")',
      detection.reputation,
    );
  }
  return problems;
}
