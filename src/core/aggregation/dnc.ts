import { z } from 'zod';
import { topEigenpair } from './eigen.ts';
import { ascending, averageOf, byzantine, define, minority } from './rule.ts';
import { centredProducts } from './scatter.ts';
import type { Span } from './span.ts';

/**
 * Divide and conquer: drops the c·f rows that lie farthest out along the cohort's top direction.
 *
 * Formula:   s_i = ⟨x_i − x̄, v⟩², v the top right singular vector of the centred rows; the n − c·f lowest scores are kept.
 *            With `subsample` b that is done on b random coordinates, `iterations` times, each time on others; the mean of
 *            the rows that every look has kept (of those that most have kept, where there are none).
 * Shapes:    Gram [n, n] → weights [n]; with `subsample` a Gram of [n, b] for each look.
 * Needs:     n ≥ 2f + 1.
 * Promises:  the paper's bound for a large colluding shift; blind to small ones.
 * Cost:      one eigenpair of an n × n matrix after the Gram pass, for each look one pass of reading more.
 * Differs:   the paper looks at 10,000 random coordinates to save work; the Gram matrix holds all coordinates at no more
 *            cost, so without `subsample` one look at all of them is made and nothing is drawn. Coordinates are drawn from
 *            `seed`, or from the seed of the context.
 * Source:    Shejwalkar and Houmansadr 2021 (NDSS), algorithm 2.
 */
export const dnc = define(
  z.strictObject({
    rule: z.literal('dnc'),
    ...byzantine,
    factor: z.number().positive().default(1),
    subsample: z.int().min(1).optional(),
    iterations: z.int().min(1).max(100).optional(),
    seed: z.int().optional(),
  }),
  {
    kind: 'weights',
    needs: () => 'gram',
    provenMax: minority,
    range: 'n ≥ 2f + 1',
    looks: ({ subsample, iterations = 1, seed }) =>
      subsample === undefined ? null : { count: iterations, width: subsample, seed },
    weigh(span, { factor }, { f, looks }) {
      const n = span.count;
      const keep = n - Math.min(n - 1, Math.floor(factor * f + 1e-9));
      const scores = (looks ?? [span]).map(outlierScores);
      const kept = new Float64Array(n);
      for (const one of scores) for (const i of ascending(n, (row) => one[row]!).slice(0, keep)) kept[i]! += 1;
      const most = Math.max(...kept);
      const selected = [...kept.keys()].filter((i) => kept[i] === most);
      return {
        weights: averageOf(selected, n),
        findings: { scores: scores.length === 1 ? scores[0] : scores, selected },
      };
    },
  },
);

/** The squared projection of each centred row on the top direction. */
function outlierScores(span: Span): Float64Array {
  const n = span.count;
  const rows = Array.from({ length: n }, (_, i) => i);
  const { value, vector } = topEigenpair(centredProducts(span, rows, new Float64Array(n).fill(1)), n);
  return vector.map((entry) => value * entry * entry);
}
