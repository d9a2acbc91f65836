import { z } from 'zod';
import { registry } from './index.ts';
import { didYouMean } from './nearest-word.ts';
import type { AnyRule } from './rule.ts';
import { minority } from './rule.ts';

type Schemas = { [K in keyof typeof registry]: (typeof registry)[K]['schema'] };

/** One element of a pipeline as it is written: `{ rule: 'krum', f: 2 }`. */
export type PipelineStep = z.input<Schemas[keyof Schemas]>;

/** Pre-aggregators, if any, and one aggregator at the end. */
export type Pipeline = readonly PipelineStep[];

type StepOptions = {
  readonly rule: string;
  readonly f?: number | 'auto' | undefined;
  readonly unproven?: boolean | undefined;
};
export type ParsedStep = { readonly rule: AnyRule; readonly options: StepOptions };

const stepSchema = z.discriminatedUnion(
  'rule',
  Object.values(registry).map((entry) => entry.schema) as unknown as [Schemas['mean'], Schemas['krum']],
  { error: ({ code, input }) => (code === 'invalid_union' ? unknownRule(input) : undefined) },
) as unknown as z.ZodType<z.output<Schemas[keyof Schemas]>, PipelineStep>;

function unknownRule(step: unknown): string {
  const id = typeof step === 'object' && step !== null && 'rule' in step ? step.rule : undefined;
  const names = Object.keys(registry);
  return `rule must be one of ${names.join(', ')}${didYouMean(id, names)}: current value is ${JSON.stringify(id) ?? 'nothing'}`;
}

/**
 * The schema of a pipeline, derived from the registry: an unknown rule or a mistyped option is an error that names its
 * path. Ranges depend on the cohort's size: see checkPipeline.
 */
export const pipelineSchema = z
  .array(stepSchema)
  .min(1)
  .superRefine((steps, context) => {
    for (const issue of orderIssues(steps))
      context.addIssue({ code: 'custom', path: [issue.index], message: issue.message });
  });

function orderIssues(steps: readonly { readonly rule: string }[]): { index: number; message: string }[] {
  return steps.flatMap(({ rule }, index) => {
    const isLast = index === steps.length - 1;
    const isPre = ruleOf(rule).kind === 'mix';
    if (isPre !== isLast) return [];
    const wish = isLast
      ? 'an aggregator, as it is the last step'
      : 'a pre-aggregator, as only the last step aggregates';
    return [{ index, message: `Cannot use the pipeline as step ${index} must be ${wish}: current value is "${rule}"` }];
  });
}

function ruleOf(id: string): AnyRule {
  return registry[id as keyof typeof registry].rule;
}

/** Parses a pipeline; throws RangeError that names the path, the wish and the value. */
export function parsePipeline(pipeline: unknown): readonly ParsedStep[] {
  const parsed = pipelineSchema.safeParse(pipeline);
  if (!parsed.success) {
    // A key that nobody knows explains why another one is missing.
    const { issues } = parsed.error;
    const { path, message } = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
    throw new RangeError(
      message.startsWith('Cannot ') ? message : `Cannot read the pipeline at "${path.join('.')}": ${message}`,
    );
  }
  return parsed.data.map((options) => ({ rule: ruleOf(options.rule), options: options as StepOptions }));
}

export type PipelineProblem = { readonly path: string; readonly message: string };

/**
 * What keeps a pipeline from running on n rows: an order that makes no sense, an f beyond what a rule can compute, or
 * beyond its proof without `unproven: true`. Empty when it may run.
 */
export function checkPipeline(pipeline: Pipeline, n: number): PipelineProblem[] {
  const parsed = pipelineSchema.safeParse(pipeline);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  }
  return rangeProblems(parsePipeline(pipeline), n, 0);
}

/** Range problems of a parsed pipeline when `dropped` of the clients have shown themselves and n rows are left. */
export function rangeProblems(steps: readonly ParsedStep[], n: number, dropped: number): PipelineProblem[] {
  let count = n;
  const mixer = steps.find(({ rule }) => rule.kind === 'mix' && rule.keepsClients !== true);
  const last = steps.at(-1)!;
  if (mixer !== undefined && (last.rule.readsSigns === true || last.rule.readsHistory === true)) {
    const wish = `no ${mixer.options.rule} may come before it, as it judges clients and not mixtures`;
    return [{ path: `${steps.length - 1}.rule`, message: `Cannot run ${last.options.rule} as ${wish}` }];
  }
  return steps.flatMap((step, index) => {
    const problem = rangeProblem(step, index, count, dropped);
    count = outputCount(step, count);
    return problem === null ? [] : [problem];
  });
}

function rangeProblem(
  { rule, options }: ParsedStep,
  index: number,
  n: number,
  dropped: number,
): PipelineProblem | null {
  const f = byzantineCount({ rule, options }, n, dropped);
  const say = (wish: string): PipelineProblem => ({
    path: `${index}.f`,
    message: `Cannot run ${options.rule} as ${wish}: current value is n = ${n}, f = ${f}`,
  });
  if (n < 1) return say('there must be at least one row');
  if (f > (rule.possibleMax?.(n) ?? minority(n))) {
    return say('f must leave an honest majority that the rule can compute with');
  }
  if (options.f !== undefined && f > rule.provenMax(n) && options.unproven !== true) {
    return say(`its proof needs ${rule.range} (or set "unproven": true)`);
  }
  return null;
}

/** How many points a step hands on. */
export function outputCount({ rule, options }: ParsedStep, n: number): number {
  return rule.kind === 'mix' && rule.outputCount !== undefined ? rule.outputCount(n, options) : n;
}

/**
 * The f of a step: as given, less the rows that were dropped (a client that sends NaN has shown itself). `auto` is a
 * quarter of the rows, or what the rule's proof covers where that is less.
 */
export function byzantineCount({ rule, options }: ParsedStep, n: number, dropped: number): number {
  if (options.f === 'auto') return Math.max(0, Math.min(n >> 2, rule.provenMax(n)));
  return Math.max(0, (options.f ?? 0) - dropped);
}
