import type { Participation } from '../accounting/tree-participation.ts';
import type { Strategy } from './strategy.ts';

/** What 1 is in the coefficients: they are integers, so that the values are. */
const UNIT = 32;

/**
 * The banded square root of the prefix sum: the value at round t is Σ_{j < b} c_j g_{t−j}, and what is released solves
 * for g.
 *
 * Formula:  c_j = C(2j, j) ÷ 4ʲ (the square root of the matrix of ones), rounded to 1/32; ĝ_t = (y_t − Σ_{j ≥ 1} c_j ĝ_{t−j})
 *           ÷ c_0. With b ≤ separation + 1 no value holds two leaves of one client: its distances add up as squares, and
 *           every leaf costs Σ c_j².
 * Needs:    1 ≤ b ≤ separation + 1.
 * Promises: each value is an integer with fresh integer noise; leaves may depend on earlier releases. A leaf whose values
 *           reach beyond the last round is charged for all of them.
 * Cost:     a step: d × b; memory: 2 d (b − 1).
 * Source:   Kalinin and Lampert 2024, arXiv:2405.13763; Choquette-Choo et al. 2023, arXiv:2306.08153 (bands and separation).
 */
export function bandedStrategy({ bands, max }: Participation & { readonly bands: number }): Strategy {
  const coefficients = bandCoefficients(bands);
  const square = coefficients.reduce((sum, c) => sum + c * c, 0);
  return {
    valuesAt: () => 1,
    price: () => square,
    sensitivitySquare: () => max * square,
    step({ leaves, nodes }, leaf, noise) {
      const increment = leaf.map((value, k) => {
        let clean = coefficients[0]! * value;
        for (let j = 1; j <= nodes.length; j++) clean += coefficients[j]! * nodes[j - 1]!.sum[k]!;
        let rest = clean + noise[0]![k]!;
        for (let j = 1; j <= nodes.length; j++) rest -= coefficients[j]! * nodes[j - 1]!.estimate[k]!;
        return rest / coefficients[0]!;
      });
      const kept = [{ level: 0, sum: leaf, estimate: increment }, ...nodes].slice(0, bands - 1);
      return { increment, state: { leaves: leaves + 1, nodes: kept } };
    },
    variancesAt(leaf) {
      // The noise in ĝ_t is Σ_i h_i z_{t−i}, h the inverse of c as a power series.
      const inverse: number[] = [];
      let prefix = 0;
      let sum = 0;
      for (let i = 0; i <= leaf; i++) {
        let rest = i === 0 ? 1 : 0;
        for (let j = 1; j < bands && j <= i; j++) rest -= coefficients[j]! * inverse[i - j]!;
        inverse.push(rest / coefficients[0]!);
        sum += inverse[i]!;
        prefix += sum * sum;
      }
      return { increment: inverse.reduce((total, h) => total + h * h, 0), prefix };
    },
  };
}

function bandCoefficients(bands: number): readonly number[] {
  const exact = [1];
  for (let j = 1; j < bands; j++) exact.push((exact[j - 1]! * (2 * j - 1)) / (2 * j));
  return exact.map((c) => Math.round(UNIT * c));
}
