import { z } from 'zod';
import { clipScale } from './centered-clipping.ts';
import { define, medianOf, promised } from './rule.ts';
import type { Span } from './span.ts';

/**
 * FLAME: keeps the densest majority by direction, and clips it to the median length.
 *
 * Formula:   single linkage on 1 − cos(x_i, x_j): the first component with more than n/2 rows (what HDBSCAN with that
 *            least size finds). Σ over it of x_i min(1, S/‖x_i‖) ÷ its size, S the median norm of all rows.
 * Shapes:    Gram [n, n] → weights [n].
 * Needs:     an honest majority that points one way. Drops up to half of the honest where data differ.
 * Promises:  no longer than the median norm; nothing beyond.
 * Cost:      O(n² log n) after the Gram pass.
 * Differs:   without the noise that the paper adds at the end: a rule here is deterministic, and noise has its own place.
 * Source:    Nguyen et al. 2022, arXiv:2101.02281.
 */
export const flame = define(z.strictObject({ rule: z.literal('flame'), ...promised }), {
  kind: 'weights',
  needs: () => 'gram',
  provenMax: () => 0,
  range: 'f = 0',
  weigh(span) {
    const n = span.count;
    const norms = Array.from({ length: n }, (_, i) => span.norm(i));
    const limit = medianOf(norms);
    const selected = majorityByDirection(span);
    const weights = new Float64Array(n);
    for (const i of selected) weights[i] = clipScale(norms[i]!, limit) / selected.length;
    return { weights, findings: { selected, clipNorm: limit } };
  },
});

/** Joins rows along the shortest links until a component holds a majority. */
function majorityByDirection(span: Span): number[] {
  const n = span.count;
  const links: { i: number; j: number; length: number }[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const product = span.norm(i) * span.norm(j);
      links.push({ i, j, length: product > 0 ? rounded(1 - span.dot(i, j) / product) : 1 });
    }
  }
  links.sort((a, b) => a.length - b.length || a.i - b.i || a.j - b.j);
  const component = Array.from({ length: n }, (_, i) => i);
  const members = component.map((i) => [i]);
  for (const { i, j } of links) {
    const [a, b] = [component[i]!, component[j]!];
    if (a === b) continue;
    for (const k of members[b]!) component[k] = a;
    members[a]!.push(...members[b]!);
    if (members[a]!.length > n / 2) return members[a]!.toSorted((x, y) => x - y);
  }
  return Array.from({ length: n }, (_, i) => i);
}

/** To twelve digits, so that links of one length are equal, and the lowest rows come first. */
function rounded(length: number): number {
  return Math.round(length * 1e12) / 1e12;
}
