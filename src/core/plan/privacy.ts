import { z } from 'zod';
import { groupProblems, groupsSchema } from './privacy-groups.ts';
import { boundedAggregator } from '../aggregation/bounded.ts';
import type { Pipeline } from '../aggregation/pipeline.ts';
import { traitsOf } from '../learning/client/index.ts';
import { histogramProblems, histogramsSchema, resolveHistograms } from './histograms.ts';
import type { PlanTable } from './table.ts';
import { localMechanismProblems, localMechanismSchema, unitPipeline } from './local-privacy.ts';
import type { ModelSpec } from '../learning/model-spec.ts';
import { type Ftrl, ftrlProblems, ftrlSchema, resolveFtrl } from './ftrl.ts';
import { replanProblems, replanSchema } from './replan.ts';

/** Named budgets. A name is never shown without its (ε, δ), unit and rounds: see `privacyStatement`. */
const privacyPresets = {
  strong: { epsilon: 1, delta: 1e-6 },
  moderate: { epsilon: 4, delta: 1e-5 },
  weak: { epsilon: 8, delta: 1e-5 },
} as const;

type PresetId = keyof typeof privacyPresets;
const presetIds = Object.keys(privacyPresets) as [PresetId, ...PresetId[]];
const presetDefault: PresetId = 'moderate';
const clipNormDefault = 1;
const replanEveryDefault = 10;

const budget = {
  preset: z
    .enum(presetIds)
    .optional()
    .describe(
      `a named budget: ${Object.entries(privacyPresets)
        .map(([name, { epsilon, delta }]) => `${name} is ε = ${epsilon}, δ = ${delta}`)
        .join('; ')} (default: ${presetDefault})`,
    ),
  epsilon: z.number().positive().max(1000).optional().describe('ε of the whole run (default: the preset’s)'),
  delta: z.number().positive().max(0.01).optional().describe('δ of the whole run (default: the preset’s)'),
  clipNorm: z
    .number()
    .positive()
    .max(1e9)
    .optional()
    .describe(
      `L2 norm that no contribution exceeds (default: the radius of the pipeline’s clip, or ${clipNormDefault})`,
    ),
  evaluation: z
    .enum(['off', 'exact'])
    .default('off')
    .describe('exact: clients report un-noised figures of their hold-outs; refused, as nothing would bound them'),
};

const centralSchema = z.strictObject({
  mode: z.literal('central').describe('the coordinator sees updates and publishes noisy models only'),
  unit: z.literal('client').default('client').describe('what is protected: everything that one client contributes'),
  ...budget,
  mechanism: z
    .enum(['dp-fedavg', 'dp-ftrl'])
    .default('dp-fedavg')
    .describe(
      'dp-fedavg: fresh noise in each round, participants by secret coins. dp-ftrl: noise that cancels over rounds, for clients that come when they can',
    ),
  ftrl: ftrlSchema.optional().describe('the noise of dp-ftrl, and how often a client takes part'),
  purpose: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, at most 41')
    .default('training')
    .describe('the budget of each client that the run draws on'),
  groups: groupsSchema
    .optional()
    .describe('clients that belong to one person or site, and what they may lose together'),
  rule: z
    .enum(['plan', 'filter'])
    .default('plan')
    .describe(
      'plan: ε by PLD, noise changes for public reasons only. filter: by one Rényi order, however noise is chosen',
    ),
  sampleRate: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('chance of each client to take part in a round, by a secret coin of its own'),
  reference: z
    .enum(['last-release', 'zero'])
    .optional()
    .describe(
      'what centred clipping clips around: the last release, shrunk by what of it is noise, or nothing (default: last-release; zero with dp-ftrl)',
    ),
  adaptiveClip: z
    .strictObject({
      quantile: z.number().gt(0).lt(1).default(0.5).describe('share of clients that should not be clipped'),
      rate: z.number().positive().max(2).default(0.2).describe('how fast the clip norm follows'),
    })
    .optional()
    .describe('the clip norm follows a quantile that is tracked privately and paid for'),
  replanEvery: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe(
      `rounds after which the noise is solved anew for the rounds and the budget that are left; 0: never (default: ${replanEveryDefault}; 0 with dp-ftrl)`,
    ),
  replan: replanSchema
    .optional()
    .describe('what else may change while a run goes on, and within which range, each [least, most]'),
  evidence: z
    .enum(['none', 'operator'])
    .default('none')
    .describe('operator: detectors look at clean updates and tell the operator, outside the bound; never the release'),
});

const localSchema = z.strictObject({
  mode: z.literal('local').describe('each client adds noise: the coordinator never sees a clean value'),
  unit: z
    .enum(['client', 'record'])
    .default('client')
    .describe('client: the whole update is noised. record: each example’s gradient is clipped and noised in training'),
  ...budget,
  mechanism: localMechanismSchema,
  histograms: histogramsSchema.optional(),
});

/** What the model may reveal of a client. */
export const privacySchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('off').describe('nothing is bounded') }),
    centralSchema,
    localSchema,
  ])
  .describe('what the models that are published may reveal of a client');

type Input = z.output<typeof privacySchema>;
type Resolved<T> = Omit<T, 'epsilon' | 'delta' | 'clipNorm'> & {
  readonly epsilon: number;
  readonly delta: number;
  readonly clipNorm: number;
};

/** `ftrl` is there where the mechanism is DP-FTRL, and nowhere else. */
export type CentralPrivacy = Omit<Resolved<z.output<typeof centralSchema>>, 'reference' | 'replanEvery' | 'ftrl'> & {
  readonly reference: 'last-release' | 'zero';
  readonly replanEvery: number;
  readonly ftrl?: Ftrl;
};
export type LocalPrivacy = Resolved<z.output<typeof localSchema>>;
export type Privacy = { readonly mode: 'off' } | CentralPrivacy | LocalPrivacy;

/** What of a plan bears on privacy, as the parser sees it. */
type Given = {
  readonly privacy: Input;
  readonly rounds: { readonly count: number };
  readonly cohort: { readonly expected: number; readonly size?: number | undefined; readonly overSelection: number };
  readonly aggregation: { readonly pipeline?: Pipeline | undefined };
  readonly model: ModelSpec;
  readonly training: { readonly momentum: number };
  readonly learning: { readonly client: Parameters<typeof traitsOf>[0] };
  readonly data: { readonly table?: PlanTable | undefined };
};

/**
 * The fixed denominator n̄ of a release under central privacy: the expected number of contributions by coins, or the size
 * of a cohort that is chosen. It says nothing about who took part.
 */
export function expectedContributions({ privacy, cohort }: Releasing): number {
  if (privacy.mode !== 'central') return cohort.expected;
  if (privacy.mechanism === 'dp-ftrl') return cohort.size ?? cohort.expected;
  return Math.max(1, Math.round(privacy.sampleRate * cohort.expected));
}

type Releasing = {
  readonly privacy:
    | { readonly mode: 'off' | 'local' }
    | { readonly mode: 'central'; readonly mechanism: string; readonly sampleRate: number };
  readonly cohort: { readonly expected: number; readonly size?: number | undefined };
};

/** The pipeline that a plan has when it names none: ADR 4. */
export function defaultPipeline({
  privacy,
  cohort,
  learning,
  ...rest
}: Pick<Given, 'privacy' | 'cohort' | 'learning' | 'model' | 'rounds'>): Pipeline {
  if (privacy.mode === 'local' && privacy.mechanism === 'priv-unit' && privacy.unit === 'client') {
    return unitPipeline(rest, { ...localAmounts(privacy), histograms: privacy.histograms });
  }
  if (privacy.mode !== 'central') {
    // SCAFFOLD's controls are aggregated by the same rule, which must follow a shift (ADR 12).
    const isShifted = traitsOf(learning.client).travels !== null;
    return [isShifted ? { rule: 'multi-krum', f: 'auto' } : { rule: 'watchful', f: 'auto' }];
  }
  const expectedCount = expectedContributions({ privacy, cohort });
  return [{ rule: 'centered-clipping', radius: privacy.clipNorm ?? clipNormDefault, iterations: 1, expectedCount }];
}

export type PrivacyProblem = { readonly path: readonly string[]; readonly message: string };

/** What keeps a plan from having the privacy that it asks for; each with the nearest plan that has it. */
export function privacyProblems(plan: Given): readonly PrivacyProblem[] {
  const { privacy } = plan;
  if (privacy.mode === 'off') return [];
  const problems: PrivacyProblem[] = [];
  const refuse = (path: string, message: string) => problems.push({ path: path.split('.'), message });
  const { delta } = resolvedBudget(privacy);
  if (delta > 1 / plan.cohort.expected) {
    refuse(
      'privacy.delta',
      `must be at most 1 ÷ cohort.expected, as whole clients could be published otherwise (nearest: ${1 / plan.cohort.expected / 10}): current value is ${delta}`,
    );
  }
  if (privacy.evaluation === 'exact') {
    refuse(
      'privacy.evaluation',
      'must be "off", as un-noised figures of clients are not bounded (nearest: "off", and data.test for a public test set): current value is "exact"',
    );
  }
  if (privacy.mode === 'central') centralProblems(plan, privacy, refuse);
  else localProblems(plan, privacy, refuse);
  return problems;
}

type Refuse = (path: string, message: string) => void;

function centralProblems(plan: Given, privacy: Extract<Input, { mode: 'central' }>, refuse: Refuse): void {
  const { cohort } = plan;
  if (cohort.overSelection > 0) {
    refuse(
      'cohort.overSelection',
      `must be 0 under central privacy, as taking the first contributions is no sample by coins (nearest: 0, with a later cohort.deadlineSeconds): current value is ${cohort.overSelection}`,
    );
  }
  ftrlProblems(plan, privacy, refuse);
  if (privacy.groups !== undefined) groupProblems(privacy.groups, privacy, refuse);
  if (privacy.mechanism !== 'dp-ftrl' && cohort.size !== undefined && cohort.size !== cohort.expected) {
    refuse(
      'cohort.size',
      `must be cohort.expected under central privacy, as a round takes everybody whose coin fell so (nearest: no size, and privacy.sampleRate = ${cohort.size / cohort.expected}): current value is ${cohort.size}`,
    );
  }
  const pipeline = plan.aggregation.pipeline ?? defaultPipeline(plan);
  const bound = boundedAggregator(pipeline, expectedContributions(plan));
  if (!bound.ok) {
    refuse(
      'aggregation.pipeline',
      `must have a proven sensitivity under central privacy: ${bound.reason} (nearest: ${JSON.stringify(bound.nearest)}): current value is ${pipeline.map(({ rule }) => rule).join(' → ')}`,
    );
    return;
  }
  if (privacy.clipNorm !== undefined && privacy.clipNorm !== bound.value.radius) {
    refuse(
      'privacy.clipNorm',
      `must be the radius of the pipeline, which is the same clip (nearest: ${bound.value.radius}): current value is ${privacy.clipNorm}`,
    );
  }
  replanProblems(privacy, { rounds: plan.rounds.count, clipNorm: bound.value.radius }, refuse);
  if (privacy.adaptiveClip !== undefined && privacy.rule === 'filter') {
    refuse(
      'privacy.adaptiveClip',
      'must be left out with rule "filter" (nearest: rule = "plan": its noise multiplier does not follow the data, only the clip does)',
    );
  }
}

function localProblems(plan: Given, privacy: Extract<Input, { mode: 'local' }>, refuse: Refuse): void {
  localMechanismProblems({ ...plan, privacy }, { ...localAmounts(privacy), histograms: privacy.histograms }, refuse);
  histogramProblems({ ...plan, privacy }, localAmounts(privacy), refuse);
  if (privacy.unit !== 'record') return;
  if (plan.model.kind === 'cnn') {
    refuse(
      'model.kind',
      'must be "softmax-regression" or "mlp" with unit "record", as the gradients of single examples are clipped (nearest: privacy.unit = "client"): current value is "cnn"',
    );
  }
  if (plan.training.momentum > 0) {
    refuse(
      'training.momentum',
      `must be 0 with unit "record" (nearest: 0): current value is ${plan.training.momentum}`,
    );
  }
}

/** The privacy section with every default that follows from others, and the pipeline that goes with it. */
export function resolvePrivacy(plan: Given): { readonly privacy: Privacy; readonly pipeline: Pipeline } {
  const { privacy } = plan;
  const pipeline = plan.aggregation.pipeline ?? defaultPipeline(plan);
  if (privacy.mode === 'off') return { privacy, pipeline };
  const amounts = resolvedBudget(privacy);
  if (privacy.mode === 'local') {
    const { histograms, ...rest } = privacy;
    const settled = histograms === undefined ? {} : { histograms: resolveHistograms(histograms, plan) };
    return { privacy: { ...rest, ...settled, ...localAmounts(privacy) }, pipeline };
  }
  const bound = boundedAggregator(pipeline, expectedContributions(plan));
  if (!bound.ok) throw new Error(`Cannot resolve the plan as its pipeline must be bounded: ${bound.reason}`);
  const isFtrl = privacy.mechanism === 'dp-ftrl';
  const { ftrl: given, ...rest } = privacy;
  const central: CentralPrivacy = {
    ...rest,
    ...amounts,
    clipNorm: bound.value.radius,
    reference: privacy.reference ?? (isFtrl ? 'zero' : 'last-release'),
    replanEvery: privacy.replanEvery ?? (isFtrl ? 0 : replanEveryDefault),
    ...(isFtrl ? { ftrl: resolveFtrl(plan, given) } : {}),
  };
  return { privacy: central, pipeline: bound.value.pipeline };
}

function resolvedBudget({ preset, epsilon, delta }: Exclude<Input, { mode: 'off' }>) {
  const named = privacyPresets[preset ?? presetDefault];
  return { epsilon: epsilon ?? named.epsilon, delta: delta ?? named.delta };
}

function localAmounts(privacy: Extract<Input, { mode: 'local' }>) {
  return { ...resolvedBudget(privacy), clipNorm: privacy.clipNorm ?? clipNormDefault };
}

/** What a plan promises, in one sentence: never a name without (ε, δ), unit and rounds. */
export function privacyStatement(privacy: Privacy, rounds: number): string {
  if (privacy.mode === 'off') return 'off: nothing bounds what the models reveal';
  const { mode, unit, epsilon, delta, preset } = privacy;
  const name = preset === undefined ? '' : `${preset}: `;
  const { sampleRate: rates, rounds: counts } = mode === 'central' ? (privacy.replan ?? {}) : {};
  const rate = mode === 'central' ? (rates ?? [privacy.sampleRate]).join(' to ') : '1';
  const sampled = rate === '1' ? '' : `, each taking part with chance ${rate}`;
  const limited =
    mode === 'central' && privacy.ftrl !== undefined
      ? `, each taking part at most ${privacy.ftrl.participations} times with ${privacy.ftrl.separation} rounds between; that it takes part is not hidden`
      : '';
  const drawn = mode === 'local' && privacy.mechanism === 'priv-unit' ? ', updates by PrivUnit' : '';
  return `${mode}, ${name}(ε = ${epsilon}, δ = ${delta}) for each ${unit} over ${(counts ?? [rounds]).join(' to ')} rounds${drawn}${sampled}${limited}`;
}
