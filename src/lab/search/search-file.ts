import { z } from 'zod';
import { noiseMultiplier } from '../../core/privacy/accounting/noise-multiplier.ts';
import { subsampledGaussianRdp } from '../../core/privacy/accounting/rdp.ts';
import { bestOfRunsEpsilon } from '../../core/privacy/search/private-choice.ts';
import { dataSchema, partitionSchema } from '../lab-file.ts';

const range = (low: z.ZodNumber, [from, to]: readonly [number, number]) =>
  z
    .tuple([low, low])
    .refine(([least, most]) => least <= most, 'must be [least, most]')
    .default([from, to]);

/** What a search file holds. Every default stands here. */
const searchSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'must be lower-case letters, digits and dashes, at most 61')
    .default('tradeoff')
    .describe('what the search is called'),
  data: dataSchema,
  partition: partitionSchema.default('iid').describe('how samples are dealt'),
  scores: z
    .enum(['public', 'private'])
    .optional()
    .describe('whether the data are public or synthetic; must be said where data.folder is. private is refused'),
  plan: z.looseObject({}).describe('the base plan: any setting of plan.toml'),
  search: z
    .strictObject({
      epsilon: range(z.number().positive().max(100), [1, 8]).describe('ε, least and most'),
      rounds: range(z.int().min(1).max(100_000), [5, 40]).describe('rounds'),
      clipNorm: range(z.number().positive(), [0.2, 4]).describe('clip norm'),
      sampleRate: range(z.number().positive().max(1), [0.2, 1]).describe('share of the clients in a round: the cohort'),
      trials: z.int().min(4).max(500).default(32).describe('settings to try'),
      initial: z.int().min(3).default(10).describe('settings tried before the process is asked'),
      batch: z.int().min(1).max(64).default(4).describe('settings that are chosen together and may run side by side'),
      seeds: z.int().min(1).max(20).default(1).describe('runs of each setting; the mean counts'),
      seed: z.int().min(0).default(1).describe('of the search and of the first run'),
    })
    .prefault({}),
});

export type Search = z.output<typeof searchSchema> & { readonly delta: number };
export type SearchInput = z.input<typeof searchSchema>;

/** What is tried once; the noise is what ε, δ, rounds and cohort leave. */
export type TrialSettings = {
  readonly epsilon: number;
  readonly rounds: number;
  readonly clipNorm: number;
  readonly sampleRate: number;
};

/** Parses a search. Throws RangeError that names each path, wish and value. */
export function parseSearch(input: unknown): Search {
  const parsed = searchSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `  - ${path.join('.') || 'file'}: ${message}`);
    throw new RangeError(`Cannot use the search:\n${problems.join('\n')}`);
  }
  const { delta = 1e-5 } = (parsed.data.plan['privacy'] ?? {}) as { readonly delta?: number };
  const search = { ...parsed.data, delta };
  const [least, most] = search.search.epsilon;
  if (least === most)
    throw new RangeError('Cannot use the search as search.epsilon must be a range: both ends are equal');
  if (search.data.folder !== undefined && search.scores === undefined) {
    throw new RangeError(
      'Cannot use the search as scores must be "public" or "private" where data.folder is given: it is not said',
    );
  }
  if (search.scores === 'private') throw new RangeError(refusalOf(search));
  return search;
}

/** Why private scores are refused, and what a search that may be charged for would cost. */
function refusalOf({ search, delta }: Search): string {
  const [epsilon, steps, sampleRate] = [search.epsilon[1], search.rounds[1], search.sampleRate[1]];
  const { noiseMultiplier: noise } = noiseMultiplier({ epsilon, delta, sampleRate, steps });
  const price = bestOfRunsEpsilon(
    (order) => steps * subsampledGaussianRdp(noise, sampleRate, order),
    search.trials,
    delta,
  );
  return `Cannot choose by private scores as each setting must be drawn without looking at scores, and here the next one follows them (nearest: scores = "public" with public or synthetic data): current value is "private". Even a random search over a secret number of runs (mean ${search.trials}) that gives out its best alone would cost ε = ${price.toFixed(2)} in place of ${epsilon} (Papernot and Steinke 2022)`;
}

const dimensions = ['epsilon', 'rounds', 'clipNorm', 'sampleRate'] as const;

/** The dimensions that vary, ε first. */
export function freeDimensions({ search }: Search): readonly (typeof dimensions)[number][] {
  return dimensions.filter((name) => search[name][0] < search[name][1]);
}

/** The settings at a point of the unit cube: each range on a logarithmic scale, at three digits. */
export function settingsAt(search: Search, point: readonly number[]): TrialSettings {
  const free = freeDimensions(search);
  const at = (name: (typeof dimensions)[number]) => {
    const [low, high] = search.search[name];
    const index = free.indexOf(name);
    if (index < 0) return low;
    const value = low * (high / low) ** point[index]!;
    const rounded = name === 'rounds' ? Math.round(value) : Number(value.toPrecision(3));
    return Math.min(high, Math.max(low, rounded));
  };
  return { epsilon: at('epsilon'), rounds: at('rounds'), clipNorm: at('clipNorm'), sampleRate: at('sampleRate') };
}
