import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { checkPipeline, type Pipeline, pipelineSchema } from '../aggregation/pipeline.ts';
import { codecIds } from '../compression/index.ts';
import { modelSpecSchema } from '../learning/model-spec.ts';
import { trainingEngineIds, trainingSchema } from './training.ts';
import { transparencySchema, witnessProblems } from './transparency.ts';
import {
  channelProblems,
  channelSchema,
  clientCertificatesSchema,
  profileSchema,
  resolveSuite,
  suiteSchema,
} from './channel.ts';
import { qkdSchema } from './qkd.ts';
import { canonicalBytes, type Json } from '../protocol/canonical-json.ts';
import { channelProfiles } from '../protocol/channel-profile.ts';
import { detectionProblems, detectionSchema } from './detection.ts';
import { learningProblems, learningSchema } from './learning.ts';
import { resolveTopK, topKProblems, topKSettings } from './top-k.ts';
import { defaultPipeline, privacyProblems, privacySchema, resolvePrivacy } from './privacy.ts';
import { cohortSelectionSchema, defaultSize, selectionProblems } from './selection.ts';
import { checkPlanTable, planTableSchema } from './table.ts';

const seconds = (max: number) => z.number().positive().max(max);

/** What somebody wants of a run. Every default stands here, in one place. */
export const planSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, at most 41')
      .default('federation')
      .describe('what the run is called'),
    seed: z
      .int()
      .min(0)
      .default(1)
      .describe('the one source of randomness that is not secret: initial model, samples, cohorts'),
    model: modelSpecSchema.describe('the model that is trained'),
    rounds: z
      .strictObject({
        count: z.int().min(1).max(100_000).default(25).describe('rounds that must complete'),
        attempts: z.int().min(1).max(1000).default(5).describe('failed rounds in a row after which the run stops'),
      })
      .prefault({}),
    cohort: z
      .strictObject({
        expected: z
          .int()
          .min(1)
          .max(100_000)
          .default(10)
          .describe('clients that are invited; the first round waits for them'),
        size: z
          .int()
          .min(1)
          .max(100_000)
          .optional()
          .describe('contributions wanted in a round (default: expected, or its share that a rate asks for)'),
        overSelection: z
          .int()
          .min(0)
          .max(100_000)
          .default(0)
          .describe('participants invited beyond size, against stragglers'),
        quorum: z
          .int()
          .min(1)
          .max(100_000)
          .optional()
          .describe(
            'contributions without which a round fails (default: two thirds of size, or what the pipeline needs)',
          ),
        selection: cohortSelectionSchema,
        deadlineSeconds: seconds(86_400).default(60).describe('how long a phase waits for contributions'),
        absenceGraceSeconds: seconds(86_400)
          .default(10)
          .describe('how long a phase waits for a client that lost its connection'),
        gatherSeconds: seconds(86_400).default(5).describe('how long the next round waits for clients to come back'),
      })
      .prefault({}),
    training: trainingSchema.describe('what the built-in trainer does in a round'),
    data: z
      .strictObject({
        holdoutShare: z
          .number()
          .min(0)
          .max(0.9)
          .default(0.1)
          .describe('share of its data that a client keeps for evaluation'),
        alpha: z
          .number()
          .positive()
          .default(0.5)
          .describe('Dirichlet concentration of the split, where QFLARE makes one (demo, simulation)'),
        test: z.string().optional().describe('folder of IDX files that the coordinator evaluates each model on'),
        table: planTableSchema.optional(),
      })
      .prefault({}),
    aggregation: z
      .strictObject({
        pipeline: pipelineSchema
          .optional()
          .describe(
            'pre-aggregators and one aggregator (default: the watchful mean; with SCAFFOLD: Multi-Krum; under central privacy: centred clipping with the clip norm)',
          ),
        codec: z.enum(codecIds).default('float16-zstd').describe('how updates are compressed'),
        topK: topKSettings,
        engine: z
          .enum(trainingEngineIds)
          .default('built-in')
          .describe(
            'what a coordinator multiplies 64 updates or more with: onnx is the optional package onnxruntime-node; simulations use the built-in kernels',
          ),
      })
      .prefault({}),
    learning: learningSchema.describe('how clients learn and how their aggregate becomes the next model'),
    detection: detectionSchema.prefault({}),
    enrolment: z
      .strictObject({
        approve: z
          .enum(['auto', 'manual'])
          .default('auto')
          .describe('whether a device with a valid link takes part at once'),
        linkHours: z
          .number()
          .positive()
          .max(24 * 365)
          .default(72)
          .describe('how long a link may be used'),
      })
      .prefault({}),
    privacy: privacySchema.prefault({ mode: 'off' }),
    security: z
      .strictObject({
        suite: suiteSchema,
        profile: profileSchema,
        channel: channelSchema,
        clientCertificates: clientCertificatesSchema,
        qkd: qkdSchema,
      })
      .prefault({}),
    transparency: transparencySchema.prefault({}),
  })
  .superRefine((plan, context) => {
    const { size = defaultSize(plan.cohort), quorum } = plan.cohort;
    if (size > plan.cohort.expected) {
      context.addIssue({
        code: 'custom',
        path: ['cohort', 'size'],
        message: `must be at most cohort.expected (${plan.cohort.expected}): current value is ${size}`,
      });
    }
    if (quorum !== undefined && quorum > size) {
      context.addIssue({
        code: 'custom',
        path: ['cohort', 'quorum'],
        message: `must be at most cohort.size (${size}): current value is ${quorum}`,
      });
    }
    const { table } = plan.data;
    for (const { path, message } of table === undefined ? [] : checkPlanTable(table, plan.model)) {
      context.addIssue({ code: 'custom', path: ['data', 'table', ...path.split('.')], message });
    }
    const witnesses = witnessProblems(plan.transparency, resolveSuite(plan.security));
    for (const { path, message } of [...channelProblems(plan.security), ...witnesses])
      context.addIssue({ code: 'custom', path, message });
    for (const { path, message } of selectionProblems(plan.cohort, plan.privacy)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    for (const { path, message } of [...privacyProblems(plan), ...detectionProblems(plan)]) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const pipeline = plan.aggregation.pipeline ?? defaultPipeline(plan);
    for (const { path, message } of topKProblems(plan)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
    for (const { path, message } of learningProblems({ ...plan, aggregation: { ...plan.aggregation, pipeline } })) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const problems = checkPipeline(pipeline, size);
    for (const problem of problems) {
      context.addIssue({
        code: 'custom',
        path: ['aggregation', 'pipeline', ...problem.path.split('.')],
        message: problem.message,
      });
    }
    // A quorum that the pipeline cannot work with would abort the round after the clients have done their part.
    const atQuorum = quorum === undefined || problems.length > 0 ? [] : checkPipeline(pipeline, quorum);
    for (const problem of atQuorum) {
      context.addIssue({
        code: 'custom',
        path: ['cohort', 'quorum'],
        message: `must be enough for the pipeline (${problem.message}): current value is ${quorum}`,
      });
    }
  })
  .transform((plan) => {
    const size = plan.cohort.size ?? defaultSize(plan.cohort);
    const { privacy, pipeline: steps } = resolvePrivacy(plan);
    const pipeline = pipelineSchema.parse(steps);
    const { topK: _, ...rest } = plan.aggregation;
    const topK = resolveTopK(plan);
    const quorum = plan.cohort.quorum ?? defaultQuorum(pipeline, size);
    const { group: channel } = channelProfiles[plan.security.profile];
    return {
      ...plan,
      security: { ...plan.security, suite: resolveSuite(plan.security), channel },
      privacy,
      aggregation: { ...rest, ...(topK === undefined ? {} : { topK }), pipeline },
      cohort: { ...plan.cohort, size, quorum },
    };
  });

/** The settings of the cohort that a plan has only by default: they follow `expected` when it is changed. */
export function derivedCohort({ cohort, aggregation }: Plan): readonly ('size' | 'quorum')[] {
  return [
    ...(cohort.size === defaultSize(cohort) ? (['size'] as const) : []),
    ...(cohort.quorum === defaultQuorum(aggregation.pipeline, cohort.size) ? (['quorum'] as const) : []),
  ];
}

/** Two thirds of the size, or the fewest above that with which the pipeline can run. */
function defaultQuorum(pipeline: Pipeline, size: number): number {
  let quorum = Math.ceil((2 * size) / 3);
  while (quorum < size && checkPipeline(pipeline, quorum).length > 0) quorum += 1;
  return quorum;
}

export type Plan = Readonly<z.output<typeof planSchema>>;
export type PlanInput = z.input<typeof planSchema>;

/** A plan that cannot be used: every problem with its path. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Cannot use the plan:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Parses and freezes a plan, with every default filled in. Throws PlanError that names each path, wish and value. */
export function parsePlan(input: unknown): Plan {
  const parsed = planSchema.safeParse(input);
  if (!parsed.success) throw new PlanError(parsed.error.issues.map((issue) => explain(issue, input)));
  return deepFreeze(parsed.data);
}

/** SHA-256 of the canonical JSON of a plan with every default filled in. */
export function planHash(plan: Plan): string {
  return sha256(canonicalBytes(plan as unknown as Json)).toHex();
}

function explain(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    return `${keys.join(', ')}: there is no such setting`;
  }
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], input);
  const isSaid = /current value is/.test(issue.message);
  const shown = value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 80);
  return `${path === '' ? 'plan' : path}: ${issue.message}${isSaid ? '' : `: current value is ${shown}`}`;
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
