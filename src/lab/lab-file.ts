import { z } from 'zod';
import { didYouMean } from '../core/aggregation/nearest-word.ts';
import { type Hostility, hostilities } from '../simulation/index.ts';

const share = z.number().min(0).max(1);

export const partitionSchema = z.union(
  [
    z.enum(['iid', 'by-label', 'sorted']),
    z.strictObject({ alpha: z.number().positive() }),
    z.strictObject({ similarity: share }),
  ],
  { error: 'must be "iid", "by-label", "sorted", { alpha = … } above 0 or { similarity = … } from 0 to 1' },
);

const attackNames = ['none', ...hostilities] as unknown as ['none', ...Hostility[]];
const hostilitySchema = z.enum(attackNames, {
  error: () => `must be one of ${attackNames.join(', ')}`,
});

/** A rule in short form, or with a name of its own and its pipeline in short form or in full. */
const ruleSchema = z.union([
  z.string().min(1),
  z.strictObject({
    name: z.string().min(1),
    pipeline: z.union([z.string().min(1), z.array(z.looseObject({ rule: z.string() })).min(1)]),
  }),
]);

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const matrixSchema = z
  .strictObject({
    partition: z.array(partitionSchema).min(1).default(['iid']).describe('how samples are dealt'),
    attack: z.array(hostilitySchema).min(1).default(['none']).describe('what the attackers do; none: they are honest'),
    attackers: z
      .array(z.number().min(0))
      .min(1)
      .default([0])
      .describe('how many of the clients attack; below 1 it is a share'),
    rule: z.array(ruleSchema).min(1).describe('pipelines: "nnm > trimmed-mean", or { name, pipeline }'),
    detector: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('ids of detectors; cells then run on the fast path'),
    seed: z.array(z.int().min(0)).min(1).default([1]).describe('repetitions'),
    settings: z
      .record(z.string(), z.array(scalar).min(1))
      .default({})
      .describe('any other setting of the plan by its path: "training.learningRate" = [0.1, 0.3]'),
  })
  .describe('the axes: every combination is a cell');

/** Where samples come from. */
export const dataSchema = z
  .strictObject({
    source: z
      .enum(['blobs', 'mnist', 'fashion-mnist'])
      .default('blobs')
      .describe('blobs: synthetic; fashion-mnist: the Debian package dataset-fashion-mnist, or a folder'),
    folder: z.string().optional().describe('where the four IDX files are, plain or gzipped'),
    standardize: z
      .boolean()
      .default(false)
      .describe('subtract the mean of all training pixels and divide by their deviation'),
  })
  .prefault({});

/** What a lab file holds. Every default stands here. */
export const labSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'must be lower-case letters, digits and dashes, at most 61')
    .default('matrix')
    .describe('what the matrix is called'),
  description: z.string().default('').describe('a sentence for the report'),
  data: dataSchema,
  setting: z
    .strictObject({
      path: z
        .enum(['bare', 'fast', 'whole'])
        .optional()
        .describe('what is simulated (default: bare, or fast where detectors are an axis)'),
      attackerData: z
        .enum(['partition', 'iid'])
        .default('partition')
        .describe('what attackers hold: a share like any other, or an even one at random'),
      workerMomentum: z
        .number()
        .min(0)
        .lt(1)
        .optional()
        .describe('clients send a moving average of single mini-batch steps (distributed SGD with worker momentum)'),
      measureEvery: z.int().min(1).default(10).describe('rounds between two measurements on the bare path'),
      f: z
        .union([z.int().min(0), z.enum(['attackers', 'auto'])])
        .default('attackers')
        .describe('what a rule in short form takes for f where it names none'),
    })
    .prefault({}),
  plan: z.looseObject({}).describe('the base plan: any setting of plan.toml'),
  matrix: matrixSchema,
  exclude: z
    .array(z.record(z.string(), z.union([scalar, z.array(scalar)])))
    .default([])
    .describe('combinations to leave out: axis = label, or a list of labels'),
});

export type Lab = z.output<typeof labSchema>;
export type LabInput = z.input<typeof labSchema>;

/** Parses a matrix. Throws RangeError that names each path, wish and value. */
export function parseLab(input: unknown): Lab {
  const parsed = labSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${path === '' ? key : `${path}.${key}`}: there is no such setting`).join('; ');
    }
    const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null)?.[key], input);
    const shown = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
    const hint = issue.path[1] === 'attack' ? didYouMean(value, attackNames) : '';
    return `${path === '' ? 'file' : path}: ${issue.message}${hint}: current value is ${shown}`;
  });
  throw new RangeError(`Cannot use the matrix:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
}
