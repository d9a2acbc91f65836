import { pipelineSchema } from '../../core/aggregation/pipeline.ts';
import type { PlanInput } from '../../core/plan/plan.ts';
import { Failure } from '../failure.ts';

export type DemoOptions = {
  readonly seed: number;
  readonly rounds: number;
  readonly clients: number;
  readonly attackers: number;
  readonly attack: readonly string[];
  readonly aggregator?: string | undefined;
  readonly alpha: number;
};

/** The plan of the main job: a small network on MNIST, ten clients, robust aggregation. */
export function demoPlan(options: DemoOptions): PlanInput {
  return {
    name: 'mnist',
    seed: options.seed,
    model: { kind: 'mlp', layers: [784, 128, 10] },
    rounds: { count: options.rounds },
    cohort: { expected: options.clients },
    training: { epochs: 1, batchSize: 32, learningRate: 0.05, momentum: 0.8 },
    data: { alpha: options.alpha, test: 'test' },
    ...(options.aggregator === undefined ? {} : { aggregation: { pipeline: pipelineOf(options.aggregator) } }),
  };
}

/** `nnm,krum` → a pipeline; a rule that assumes a number of Byzantine clients gets `f: "auto"`. */
function pipelineOf(text: string): NonNullable<NonNullable<PlanInput['aggregation']>['pipeline']> {
  const steps = text.split(',').map((rule) => rule.trim());
  const withF = steps.map((rule) => {
    const step = { rule, f: 'auto' };
    const hasF = !pipelineSchema.safeParse([step]).error?.issues.some((issue) => issue.code === 'unrecognized_keys');
    return hasF ? step : { rule };
  });
  const parsed = pipelineSchema.safeParse(withF);
  if (parsed.success) return withF as never;
  throw new Failure(
    'plan',
    `Cannot use --aggregator "${text}": ${parsed.error.issues.map((issue) => issue.message).join('; ')}`,
  );
}
