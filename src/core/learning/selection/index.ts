import { z } from 'zod';

/** Somebody who could take part in a round. */
export type Candidate = {
  readonly clientId: string;
  /** How long it says that a round takes it: a claim, used for nothing but the choice. */
  readonly secondsExpected?: number;
};

/** A uniform number in [0, 1). */
type Draw = () => number;

type Selection<Options> = {
  readonly schema: z.ZodType;
  /** `count`: how many the round wants, where the way of choosing has a number. */
  select(
    candidates: readonly Candidate[],
    options: Options,
    wanted: { readonly count: number; readonly draw: Draw },
  ): readonly Candidate[];
};

/**
 * The same number of clients in each round, every set of them equally likely. Fewer where there are fewer candidates.
 *
 * Formula: the `count` smallest of n independent uniform keys.
 */
const uniform = {
  schema: z.strictObject({ by: z.literal('uniform') }),
  select: (candidates: readonly Candidate[], _options: object, { count, draw }: { count: number; draw: Draw }) =>
    candidates
      .map((candidate) => ({ candidate, key: draw() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, count)
      .map(({ candidate }) => candidate),
};

/** Each client by a coin of its own, so that cohorts differ in size. */
const poisson = {
  schema: z.strictObject({
    by: z.literal('poisson'),
    rate: z.number().gt(0).max(1).describe('chance of each client to take part in a round'),
  }),
  select: (candidates: readonly Candidate[], options: { rate: number }, { draw }: { draw: Draw }) =>
    candidates.filter(() => draw() < options.rate),
};

/**
 * Uniformly among those that are expected to meet the deadline; where these are too few, the fastest of the others fill
 * up. A client without a measurement is taken to meet it. Slow sites are heard less: the model is biased against them.
 *
 * Source: the deadline rule of FedCS, Nishio and Yonetani 2019, arXiv:1804.08333.
 */
const capability = {
  schema: z.strictObject({
    by: z.literal('capability'),
    seconds: z.number().positive().max(86_400).describe('clients that say a round takes them no longer are preferred'),
  }),
  select(candidates: readonly Candidate[], options: { seconds: number }, wanted: { count: number; draw: Draw }) {
    const isFast = ({ secondsExpected = 0 }: Candidate) => secondsExpected <= options.seconds;
    const chosen = uniform.select(candidates.filter(isFast), {}, wanted);
    const others = candidates
      .filter((candidate) => !isFast(candidate))
      .sort((a, b) => a.secondsExpected! - b.secondsExpected!);
    return [...chosen, ...others.slice(0, wanted.count - chosen.length)];
  },
};

/** Every way to choose the clients of a round, by its id. */
const selections = { uniform, poisson, capability } as const satisfies Record<string, Selection<never>>;

type Schemas = (typeof selections)[keyof typeof selections]['schema'];

export const selectionSchema = z.discriminatedUnion('by', [uniform.schema, poisson.schema, capability.schema]);

type SelectionOptions = z.output<Schemas>;

/** Fewer than this in a draw and it is drawn again; after so many draws everybody takes part. */
const drawsMax = 1000;

/**
 * The clients of a round, in canonical order (by client id). A draw of fewer than `least` is drawn again: without a
 * quorum there is no round.
 *
 * Promises: nobody twice; the same draws give the same clients whatever the order of the candidates.
 * Differs:  drawing again makes coins depend on one another: an accountant of privacy must not rely on this choice.
 */
export function selectClients(
  candidates: readonly Candidate[],
  options: SelectionOptions,
  wanted: { readonly count: number; readonly least: number; readonly draw: Draw },
): string[] {
  const ordered = [...candidates].sort((a, b) => compare(a.clientId, b.clientId));
  const { select } = selections[options.by] as unknown as Selection<SelectionOptions>;
  const idsOf = (chosen: readonly Candidate[]) => chosen.map(({ clientId }) => clientId).sort(compare);
  for (let draws = 0; draws < drawsMax; draws++) {
    const chosen = select(ordered, options, wanted);
    if (chosen.length >= wanted.least || chosen.length === ordered.length) return idsOf(chosen);
  }
  return idsOf(ordered);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
