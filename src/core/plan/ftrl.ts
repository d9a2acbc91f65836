import { z } from 'zod';
import { strategyIds } from '../privacy/ftrl/index.ts';

/** How the noise of DP-FTRL cancels over rounds, and how often a client takes part. */
export const ftrlSchema = z.strictObject({
  noise: z
    .enum(strategyIds)
    .default('tree')
    .describe(
      'tree: binary-tree sums over rounds. banded: a banded square root of the prefix sum, less noise where many rounds lie between two of a client',
    ),
  separation: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe(
      'rounds at least between two of one client, enforced when participants are chosen (default: as many as cohort.expected and size allow)',
    ),
  participations: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('rounds at most of one client, enforced too (default: as many as rounds and separation allow)'),
  restartEvery: z
    .int()
    .min(0)
    .max(65_536)
    .default(0)
    .describe('releases after which a new tree begins, a power of two; 0: never'),
  bands: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('rounds over which banded noise reaches: at most separation + 1 (default: that)'),
});

export type Ftrl = {
  readonly noise: z.output<typeof ftrlSchema>['noise'];
  readonly separation: number;
  readonly participations: number;
  readonly restartEvery: number;
  readonly bands: number;
};

type Given = {
  readonly rounds: { readonly count: number };
  readonly cohort: { readonly expected: number; readonly size?: number | undefined };
};

type Central = {
  readonly mechanism: string;
  readonly ftrl?: z.output<typeof ftrlSchema> | undefined;
  readonly sampleRate: number;
  readonly reference?: string | undefined;
  readonly replanEvery?: number | undefined;
  readonly adaptiveClip?: object | undefined;
};

/** The settings with every default that follows from others. */
export function resolveFtrl({ rounds, cohort }: Given, input: z.input<typeof ftrlSchema> = {}): Ftrl {
  const given = ftrlSchema.parse(input);
  const { noise, restartEvery } = given;
  const separation = given.separation ?? separationMax(cohort);
  const participations = given.participations ?? Math.ceil(rounds.count / (separation + 1));
  return {
    noise,
    separation,
    participations,
    restartEvery,
    bands: given.bands ?? Math.min(separation + 1, rounds.count),
  };
}

/** What keeps a plan from having DP-FTRL, each with the nearest plan that has it. */
export function ftrlProblems(plan: Given, privacy: Central, refuse: (path: string, message: string) => void): void {
  if (privacy.mechanism !== 'dp-ftrl') {
    if (privacy.ftrl !== undefined) {
      refuse(
        'privacy.ftrl',
        `must be left out unless mechanism is "dp-ftrl" (nearest: mechanism = "dp-ftrl"): current value is ${JSON.stringify(privacy.ftrl)}`,
      );
    }
    return;
  }
  if (privacy.sampleRate !== 1) {
    refuse(
      'privacy.sampleRate',
      `must be 1 with dp-ftrl, as its bound rests on how often clients take part and on no coin (nearest: 1, and cohort.size): current value is ${privacy.sampleRate}`,
    );
  }
  if (privacy.reference === 'last-release') {
    refuse(
      'privacy.reference',
      'must be "zero" with dp-ftrl, as noise that cancels in later rounds would be clipped around (nearest: "zero"): current value is "last-release"',
    );
  }
  if (privacy.adaptiveClip !== undefined) {
    refuse(
      'privacy.adaptiveClip',
      'must be left out with dp-ftrl, as one value sums rounds of one clip norm (nearest: privacy.clipNorm)',
    );
  }
  if ((privacy.replanEvery ?? 0) > 0) {
    refuse(
      'privacy.replanEvery',
      `must be 0 with dp-ftrl, as one value sums rounds of one noise (nearest: 0, and fewer rounds): current value is ${privacy.replanEvery}`,
    );
  }
  participationProblems(plan, resolveFtrl(plan, privacy.ftrl), refuse);
}

function participationProblems(
  { rounds, cohort }: Given,
  { noise, separation, participations, restartEvery, bands }: Ftrl,
  refuse: (path: string, message: string) => void,
): void {
  const { expected, size = expected } = cohort;
  const most = separationMax(cohort);
  if (separation > most) {
    refuse(
      'privacy.ftrl.separation',
      `must leave a cohort of ${size} among ${expected} clients in every round (nearest: ${most}): current value is ${separation}`,
    );
  }
  const least = Math.ceil((rounds.count * size) / expected);
  if (participations < least) {
    refuse(
      'privacy.ftrl.participations',
      `must be enough for ${rounds.count} rounds of ${size} among ${expected} clients (nearest: ${least}): current value is ${participations}`,
    );
  }
  if (restartEvery > 0 && !Number.isInteger(Math.log2(restartEvery))) {
    refuse(
      'privacy.ftrl.restartEvery',
      `must be 0 or a power of two, as a tree ends with a whole root (nearest: ${2 ** Math.round(Math.log2(restartEvery))}): current value is ${restartEvery}`,
    );
  }
  if (restartEvery > 0 && noise !== 'tree') {
    refuse('privacy.ftrl.restartEvery', `must be 0 with ${noise} noise (nearest: 0): current value is ${restartEvery}`);
  }
  if (noise === 'banded' && bands > separation + 1) {
    refuse(
      'privacy.ftrl.bands',
      `must be at most separation + 1, as no value may hold two rounds of a client (nearest: ${separation + 1}): current value is ${bands}`,
    );
  }
}

function separationMax({ expected, size = expected }: Given['cohort']): number {
  return Math.max(0, Math.floor(expected / Math.min(size, expected)) - 1);
}
