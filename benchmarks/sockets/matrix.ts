import { createHash } from '../../src/primitives/index.ts';
import { parsePipelineText } from '../../src/core/aggregation/pipeline-text.ts';
import { type Plan, parsePlan } from '../../src/core/plan/plan.ts';
import { canonicalJson, type Json } from '../../src/core/protocol/canonical-json.ts';

/** One federation of processes. */
export type SocketCell = {
  /** SHA-256 of everything that the result depends on, but for the order in which packets arrive. */
  readonly key: string;
  readonly attack: string;
  readonly rule: string;
  readonly seed: number;
  readonly attackers: number;
  readonly alpha: number;
  /** Training images over all sites. */
  readonly samples: number;
  readonly plan: Plan;
};

export type SocketSize = {
  readonly clients: number;
  readonly attackers: number;
  readonly rounds: number;
  readonly samples: number;
  readonly alpha: number;
};

/** What `npm run bench:sockets` runs: every attack on every rule, each seed after the other. */
export const socketAxes = {
  attack: ['none', 'sign-flip', 'scaled-sign-flip', 'gaussian', 'label-flip', 'ipm', 'alie-1.5', 'min-max', 'nan'],
  rule: ['mean', 'trimmed-mean f=2', 'multi-krum f=2', 'nnm f=2 > trimmed-mean f=2', 'watchful f=2'],
  seed: [1, 2, 3],
} as const;

const socketSize: SocketSize = { clients: 10, attackers: 2, rounds: 20, samples: 12_000, alpha: 0.5 };

/** Attacks that need to know more than their own update: the attackers stand together. */
export const together: ReadonlySet<string> = new Set(['ipm', 'alie-1.5', 'min-max']);

/** Every cell of the axes; the seed is the outermost, so that a run that is cut short is whole for some seeds. */
export function socketCells(
  axes: { readonly [axis in keyof typeof socketAxes]: readonly (typeof socketAxes)[axis][number][] } = socketAxes,
  size = socketSize,
): readonly SocketCell[] {
  return axes.seed.flatMap((seed) =>
    axes.attack.flatMap((attack) => axes.rule.map((rule) => socketCell({ attack, rule, seed }, size))),
  );
}

export function socketCell(
  place: { readonly attack: string; readonly rule: string; readonly seed: number },
  { clients, attackers: count, rounds, samples, alpha }: SocketSize,
): SocketCell {
  const plan = parsePlan({
    name: 'sockets',
    seed: place.seed,
    model: { kind: 'softmax-regression', inputs: 784, classes: 10 },
    rounds: { count: rounds },
    cohort: { expected: clients },
    training: { epochs: 1, batchSize: 32, learningRate: 0.05 },
    data: { alpha, test: 'test' },
    aggregation: { pipeline: parsePipelineText(place.rule) as never },
  });
  const cell = { ...place, attackers: place.attack === 'none' ? 0 : count, alpha, samples, plan };
  const key = createHash('sha256')
    .update(canonicalJson(cell as unknown as Json))
    .digest('hex');
  return { key, ...cell };
}
