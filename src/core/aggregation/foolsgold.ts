import { log } from '../numerics/portable.ts';
import { z } from 'zod';
import { define, promised } from './rule.ts';
import type { Span } from './span.ts';

/**
 * FoolsGold: takes weight from clients whose accumulated updates are alike, as those of Sybils are.
 *
 * Formula:   cosines of the accumulated updates (history plus this round), pardoned by the quotient of the largest
 *            cosines; α_i = logit of 1 − the largest, cut to [0, 1]; Σ α_i x_i. With `normalize` divided by Σ α_i.
 * Shapes:    Gram of the accumulated updates → weights [n].
 * Needs:     data that differ by client. Alike honest clients lose their weight too (in IID data nearly all do).
 * Promises:  none. Against Sybils only.
 * Cost:      a Gram pass over the accumulated updates.
 * Source:    Fung et al. 2020, arXiv:1808.04866, algorithm 1; pardoning reads the cosines before any pardon.
 */
export const foolsgold = define(
  z.strictObject({ rule: z.literal('foolsgold'), ...promised, normalize: z.boolean().default(false) }),
  {
    kind: 'weights',
    needs: () => 'gram',
    readsHistory: true,
    provenMax: () => 0,
    possibleMax: (n) => n,
    range: 'f = 0',
    weigh(span, { normalize }, { history }) {
      const shares = sybilShares(history ?? span);
      const total = shares.reduce((sum, share) => sum + share, 0);
      return { weights: normalize && total > 0 ? shares.map((share) => share / total) : shares, findings: { shares } };
    },
  },
);

const roundingMax = 1e-12;

/** α by row. */
function sybilShares(span: Span): Float64Array {
  const n = span.count;
  const cosine = (i: number, j: number): number => {
    const product = span.norm(i) * span.norm(j);
    return product > 0 ? span.dot(i, j) / product : 0;
  };
  const others = (i: number): number[] => Array.from({ length: n }, (_, j) => j).filter((j) => j !== i);
  const largest = Float64Array.from({ length: n }, (_, i) => Math.max(0, ...others(i).map((j) => cosine(i, j))));
  const open = Float64Array.from({ length: n }, (_, i) => {
    const pardoned = others(i).map((j) => {
      const factor = largest[i]! < largest[j]! ? largest[i]! / largest[j]! : 1;
      return cosine(i, j) * factor;
    });
    const share = 1 - Math.max(0, ...pardoned);
    // Of two that say the same, nothing but rounding keeps the cosine from 1; the quotient below would make it all.
    return share < roundingMax ? 0 : Math.min(1, share);
  });
  const most = open.reduce((max, value) => Math.max(max, value), 0);
  if (most === 0) return open;
  return open.map((value) => {
    const share = value === most ? 0.99 : value / most;
    return share === 0 ? 0 : Math.min(1, Math.max(0, log(share / (1 - share)) + 0.5));
  });
}
