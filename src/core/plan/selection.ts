import type { z } from 'zod';
import { selectionSchema } from '../learning/selection/index.ts';

/** The cohort's setting of who takes part in a round. */
export const cohortSelectionSchema = selectionSchema
  .prefault({ by: 'uniform' })
  .describe('how the participants of a round are chosen among the clients that are there; seeded, not secret');

type Selection = z.output<typeof cohortSelectionSchema>;

type Cohort = {
  readonly expected: number;
  readonly size?: number | undefined;
  readonly quorum?: number | undefined;
  readonly overSelection: number;
  readonly selection: Selection;
};

/** The contributions wanted in a round where the plan does not say: all that are expected, or their expected number. */
export function defaultSize({ expected, selection }: Pick<Cohort, 'expected' | 'selection'>): number {
  return selection.by === 'poisson' ? Math.max(1, Math.round(selection.rate * expected)) : expected;
}

/** A draw that seldom reaches the quorum would be drawn again and again. */
const reachMin = 0.1;

/** What keeps a plan's choice of participants from working, each with the nearest plan that works. */
export function selectionProblems(
  cohort: Cohort,
  privacy: { readonly mode: string },
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const { selection, expected, overSelection, size, quorum } = cohort;
  const problems: { path: string[]; message: string }[] = [];
  const refuse = (path: string, message: string) => problems.push({ path: ['cohort', ...path.split('.')], message });
  if (privacy.mode === 'central' && selection.by !== 'uniform') {
    refuse(
      'selection.by',
      `must be "uniform" under central privacy, as its bound rests on secret coins with one chance for all who have budget left (nearest: "uniform", and privacy.sampleRate; privacy.mechanism = "dp-ftrl" prefers clients that have spent less): current value is "${selection.by}"`,
    );
  }
  if (selection.by !== 'poisson') return problems;
  const wanted = defaultSize(cohort);
  if (size !== undefined && size !== wanted) {
    refuse('size', `must be rate × expected, which is ${wanted}, where coins choose: current value is ${size}`);
  }
  if (overSelection > 0) {
    refuse(
      'overSelection',
      `must be 0 where coins choose (nearest: 0, and a larger rate): current value is ${overSelection}`,
    );
  }
  const reach = quorum === undefined ? 1 : binomialTail(expected, selection.rate, quorum);
  if (reach < reachMin) {
    refuse(
      'quorum',
      `must be reached by at least one draw in ten, and at rate ${selection.rate} of ${expected} clients it is by one in ${Math.round(1 / reach)} (nearest: ${Math.floor(selection.rate * expected)}): current value is ${quorum}`,
    );
  }
  return problems;
}

/** P[X ≥ k] of X ~ Binomial(n, p). */
function binomialTail(n: number, p: number, k: number): number {
  if (p >= 1) return k <= n ? 1 : 0;
  let [probability, below] = [(1 - p) ** n, 0];
  for (let i = 0; i < k; i++) {
    below += probability;
    probability *= ((n - i) * p) / ((i + 1) * (1 - p));
  }
  return Math.max(0, 1 - below);
}
