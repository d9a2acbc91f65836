import { z } from 'zod';
import { codecs, type CodecId } from '../compression/index.ts';
import { clientAlgorithmSchema, traitsOf } from '../learning/client/index.ts';
import { manifestOf, type ModelSpec } from '../learning/model-spec.ts';
import { serverOptimizerSchema } from '../learning/server/index.ts';
import type { Manifest } from '../model/manifest.ts';
import { newtonUpdateCount } from '../learning/newton-update.ts';
import { newtonProblems, regressionOf } from './newton.ts';
import { sharedCount } from '../learning/fed-bn.ts';

/** The plan's section on how clients learn and what the coordinator makes of their aggregate. */
export const learningSchema = z
  .strictObject({
    client: clientAlgorithmSchema
      .prefault({ algorithm: 'sgd' })
      .describe('what a client does in a round, over the training of the section above'),
    server: serverOptimizerSchema
      .prefault({ optimizer: 'fed-avg' })
      .describe('how the aggregate moves the global model'),
    local: z
      .array(z.string())
      .max(1000)
      .default([])
      .describe('tensors that stay at each site and are never sent, by name (FedBN, FedPer): ["layers.1.weight"]'),
  })
  .prefault({});

type Given = {
  readonly model: ModelSpec;
  readonly training: {
    readonly momentum: number;
    readonly weightDecay: number;
    readonly adaptive?: object | undefined;
  };
  readonly data: { readonly test?: string | undefined };
  readonly aggregation: { readonly pipeline: readonly { readonly rule: string }[]; readonly codec: CodecId };
  readonly detection: { readonly reputation: string };
  readonly learning: z.output<typeof learningSchema>;
  readonly privacy: { readonly mode: string };
};

type Problem = { readonly path: readonly string[]; readonly message: string };

/**
 * Rules that give c + F(x_i) for the rows c + x_i, whatever c and whatever the unit of the rows: what SCAFFOLD's second
 * vector needs (ADR 12). A rule that is not listed is refused with it.
 */
const translationEquivariant = new Set(
  'mean median trimmed-mean mean-around-median krum multi-krum bulyan geometric-median mda smea caf dnc monna nnm bucketing'.split(
    ' ',
  ),
);

/** What keeps a plan's way of learning from working, each with the nearest plan that works. */
export function learningProblems(given: Given): readonly Problem[] {
  const { model, training, data, aggregation, learning, privacy } = given;
  const { isSummed } = traitsOf(learning.client);
  const problems: Problem[] = isSummed ? [...newtonProblems(given)] : [];
  const refuse = (path: string, message: string) => problems.push({ path: path.split('.'), message });
  const { algorithm } = learning.client;
  const { travels, isNormalised } = traitsOf(learning.client);
  if (privacy.mode !== 'off' && (travels !== null || isNormalised)) {
    refuse(
      'learning.client.algorithm',
      `must send one bounded vector and no claim of steps with privacy.mode "${privacy.mode}" (nearest: "fed-prox"): current value is "${algorithm}"`,
    );
  }
  if (privacy.mode !== 'off' && training.adaptive !== undefined && !isSummed) {
    refuse(
      'training.adaptive',
      `must be left out with privacy.mode "${privacy.mode}", as its bound rests on a sampling that follows nothing (nearest: fewer training.epochs): current value is ${JSON.stringify(training.adaptive)}`,
    );
  }
  if (privacy.mode !== 'off' && learning.local.length > 0 && !isSummed) {
    refuse(
      'learning.local',
      `must be empty with privacy.mode "${privacy.mode}" (nearest: []): current value is ${JSON.stringify(learning.local)}`,
    );
  }
  if (travels !== null) {
    for (const name of ['momentum', 'weightDecay'] as const) {
      if (training[name] === 0) continue;
      refuse(
        `training.${name}`,
        `must be 0 with ${algorithm}, as a control is the mean gradient of plain SGD (nearest: 0): current value is ${training[name]}`,
      );
    }
    for (const { rule } of aggregation.pipeline) {
      if (translationEquivariant.has(rule)) continue;
      refuse(
        'aggregation.pipeline',
        `must estimate a mean wherever it lies with ${algorithm}, as the rule also aggregates controls (nearest: [{ rule = "multi-krum", f = "auto" }]): current value is ${rule}`,
      );
    }
    if (codecs[aggregation.codec].isSparse) {
      refuse(
        'aggregation.codec',
        `must keep every value with ${algorithm}, as a control that is cut is another control (nearest: "float16-zstd"): current value is "${aggregation.codec}"`,
      );
    }
  }
  if (isNormalised && aggregation.pipeline.at(-1)?.rule === 'sign-majority') {
    refuse(
      'aggregation.pipeline',
      `must keep lengths with ${algorithm}, as the aggregate is multiplied by local steps (nearest: [{ rule = "median" }]): current value is sign-majority`,
    );
  }
  localProblems({ model, data, learning }, refuse);
  return problems;
}

function localProblems(
  { model, data, learning: { local } }: Pick<Given, 'model' | 'data' | 'learning'>,
  refuse: (path: string, message: string) => void,
): void {
  const names = manifestOf(model).map(({ name }) => name);
  const unknown = local.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    refuse('learning.local', `must name tensors of the model (${names.join(', ')}): current value is "${unknown}"`);
  }
  if (names.every((name) => local.includes(name))) {
    refuse('learning.local', 'must leave at least one tensor to be sent: current value is all of them');
  }
  if (local.length > 0 && data.test !== undefined) {
    refuse(
      'data.test',
      `must be left out where tensors stay at the sites, as the coordinator has no whole model to test: current value is ${JSON.stringify(data.test)}`,
    );
  }
}

type Compressing = { readonly aggregation: { readonly topK?: { readonly errorFeedback: boolean } | undefined } };
type Learner = { readonly model: ModelSpec; readonly learning: z.output<typeof learningSchema> };

/** The tensors of a plan's model, with those that stay at the sites marked. */
export function planManifest({ model, learning }: Learner): Manifest {
  return manifestOf(model, learning.local);
}

/** Whether the clients of a plan keep something that must follow what has counted. */
export function keepsState({ learning, aggregation }: Pick<Learner, 'learning'> & Compressing): boolean {
  const keepsResidual = aggregation.topK?.errorFeedback === true;
  return traitsOf(learning.client).isKeeping || learning.local.length > 0 || keepsResidual;
}

/** What an update of a plan is like: a delta of what is shared, and what the algorithm sends behind it. */
export function updateShape(plan: Learner): {
  readonly count: number;
  readonly deltaCount: number;
  readonly isNormalised: boolean;
} {
  const { travels, isNormalised, isSummed } = traitsOf(plan.learning.client);
  const deltaCount = sharedCount(planManifest(plan));
  if (isSummed) return { count: newtonUpdateCount(regressionOf(plan.model)), deltaCount, isNormalised };
  return { count: travels === null ? deltaCount : 2 * deltaCount, deltaCount, isNormalised };
}
