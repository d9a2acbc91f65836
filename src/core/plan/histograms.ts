import { z } from 'zod';
import { classCountOf, type ModelSpec } from '../learning/model-spec.ts';
import { bestOracle, type Oracle, oracleIds } from '../privacy/local/histogram.ts';
import type { PlanTable } from './table.ts';

const valuesMax = 4096;

/** Histograms over the sites, by local reports. */
export const histogramsSchema = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, at most 41')
        .describe('what the histogram is called'),
      of: z
        .string()
        .default('label')
        .describe(
          'label: the class; or a column of data.table that holds categories. A site reports one of its examples',
        ),
      mechanism: z
        .enum(['auto', ...oracleIds])
        .default('auto')
        .describe(
          'k-rr, rappor, oue (optimised unary encoding), hadamard; auto: least variance for so many values and ε',
        ),
      epsilon: z.number().positive().max(100).describe('ε of each report; it is taken from privacy.epsilon'),
      rounds: z
        .array(z.int().min(1).max(100_000))
        .min(1)
        .max(100)
        .default([1])
        .describe('a new report is asked for from each of these rounds on; a site answers each once, with one draw'),
    }),
  )
  .max(16)
  .describe('what sites report of their data, one ε-private answer each');

type HistogramPlan = z.output<typeof histogramsSchema>[number];

type Given = {
  readonly model: ModelSpec;
  readonly rounds: { readonly count: number };
  readonly data: { readonly table?: PlanTable | undefined };
};

type Asking = { readonly histograms?: readonly HistogramPlan[] | undefined };

/** ε that the histograms of a plan take in all. */
export function histogramEpsilon({ histograms = [] }: Asking): number {
  return histograms.reduce((sum, { epsilon, rounds }) => sum + epsilon * rounds.length, 0);
}

/** A question that is open in a round: asked from round `from` on, until it is asked anew. */
export type Question = Oracle & {
  readonly name: string;
  readonly of: string;
  readonly from: number;
  /** What the values are called, in order. */
  readonly values: readonly string[];
};

/** Name and first round of a question: what a site's stored report and the coordinator's count are kept under. */
export function questionKey({ name, from }: Pick<Question, 'name' | 'from'>): string {
  return `${name}/${from}`;
}

/** The questions that every update of a round answers. */
export function questionsIn(plan: QuestionPlan, round: number): readonly Question[] {
  return allQuestions(plan).filter(
    ({ name, from }) =>
      from <= round && !allQuestions(plan).some((one) => one.name === name && one.from > from && one.from <= round),
  );
}

type QuestionPlan = Given & { readonly privacy: { readonly mode: string } & Asking };

/** Every question of a plan, in order. */
export function allQuestions(plan: QuestionPlan): readonly Question[] {
  return (plan.privacy.histograms ?? []).flatMap((histogram) => {
    const { name, of, epsilon } = histogram;
    const values = valuesOf(of, plan) ?? [];
    const mechanism = resolved(histogram, values.length);
    return histogram.rounds.map((from) => ({ name, of, epsilon, mechanism, from, values, valueCount: values.length }));
  });
}

/** The histograms with `auto` settled. */
export function resolveHistograms(histograms: readonly HistogramPlan[], plan: Given): HistogramPlan[] {
  return histograms.map((one) => ({ ...one, mechanism: resolved(one, valuesOf(one.of, plan)?.length ?? 0) }));
}

function resolved({ mechanism, epsilon }: HistogramPlan, valueCount: number): Oracle['mechanism'] {
  return mechanism === 'auto' ? bestOracle(valueCount, epsilon) : mechanism;
}

function valuesOf(of: string, { model, data: { table } }: Given): readonly string[] | undefined {
  if (of === 'label') {
    return (
      table?.label.classes.map(([first]) => first!) ?? Array.from({ length: classCountOf(model) }, (_, i) => String(i))
    );
  }
  const column = table?.columns[of];
  return column?.kind === 'category' && !table!.drop.includes(of) ? column.categories : undefined;
}

type Refuse = (path: string, message: string) => void;

/**
 * What keeps a plan from its histograms, each with the nearest plan that works. An answer is ε-private whatever data the
 * site holds, so for each of its records, too: both units may ask.
 */
export function histogramProblems(
  plan: Given & { readonly privacy: Asking },
  budget: { readonly epsilon: number },
  refuse: Refuse,
): void {
  const { histograms = [] } = plan.privacy;
  if (histograms.length === 0) return;
  const taken = histogramEpsilon(plan.privacy);
  if (taken >= budget.epsilon) {
    const share = budget.epsilon / 10 / histograms.reduce((sum, { rounds }) => sum + rounds.length, 0);
    refuse(
      'privacy.histograms',
      `must leave ε for the updates: all reports together take ${taken} of ${budget.epsilon} (nearest: epsilon = ${Number(share.toPrecision(2))} for each)`,
    );
  }
  for (const [i, { name, of, rounds }] of histograms.entries()) {
    const path = `privacy.histograms.${i}`;
    const values = valuesOf(of, plan);
    if (histograms.findIndex((one) => one.name === name) !== i) {
      refuse(`${path}.name`, `must be there once: "${name}" is there twice`);
    }
    if (values === undefined) {
      refuse(
        `${path}.of`,
        `must be "label" or a column of data.table that holds categories (nearest: "label"): current value is "${of}"`,
      );
    } else if (values.length < 2 || values.length > valuesMax) {
      refuse(`${path}.of`, `must have 2 to ${valuesMax} values: "${of}" has ${values.length}`);
    }
    if (rounds.some((round, k) => round > plan.rounds.count || (k > 0 && round <= rounds[k - 1]!))) {
      refuse(
        `${path}.rounds`,
        `must rise and lie within the rounds of the plan, 1 to ${plan.rounds.count} (nearest: [1]): current value is ${JSON.stringify(rounds)}`,
      );
    }
  }
}
