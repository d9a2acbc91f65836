import { type Participation, treeSensitivitySquare } from '../accounting/tree-participation.ts';
import type { Strategy, SumNode } from './strategy.ts';

/**
 * Binary-tree aggregation: the values are the sums over complete aligned blocks of 1, 2, 4, … leaves.
 *
 * Formula:  est(leaf) = g + z; est(node) = w (Σ + z) + (1 − w)(est(left) + est(right)), w by inverse variances: the best
 *           linear estimate from what lies at and below a node (Honaker). A prefix is the sum over its binary digits.
 *           Price of leaf t after c_ν earlier leaves below each node ν ∋ t that will be complete: Σ_ν (2 c_ν + 1), so that
 *           a client's prices add up to Σ_ν c_ν².
 * Needs:    `restartEvery` a power of two, or 0.
 * Promises: each value is an integer with fresh integer noise; estimates are functions of those values. Leaves may depend
 *           on earlier releases: a client moves each value by at most its leaves below it, whatever came before.
 * Cost:     a step: d × values; memory: 2 d log₂(steps).
 * Source:   Kairouz et al. 2021, arXiv:2103.00039, sections 3 and 4; Honaker 2015.
 */
export function treeStrategy({
  steps,
  restartEvery,
  ...participation
}: Participation & { readonly steps: number; readonly restartEvery: number }): Strategy {
  const size = restartEvery === 0 ? steps : restartEvery;
  const variance = nodeVariances(size);
  const valuesAt = (leaf: number) => 1 + trailingOnes(leaf % size);
  return {
    valuesAt,
    price(leaf, earlier) {
      const start = leaf - (leaf % size);
      const end = Math.min(start + size, steps);
      let price = 0;
      for (let width = 1; ; width *= 2) {
        const from = leaf - ((leaf - start) % width);
        if (from + width > end) return price;
        price += 2 * earlier.filter((one) => one >= from && one < from + width).length + 1;
      }
    },
    sensitivitySquare: () => treeSensitivitySquare(steps, participation, restartEvery),
    step({ leaves, nodes }, leaf, noise) {
      const rest = leaves % size === 0 ? [] : [...nodes];
      let node: SumNode = { level: 0, sum: leaf, estimate: leaf.map((value, k) => value + noise[0]![k]!) };
      const gone = new Float64Array(leaf.length);
      for (let i = 1; i < valuesAt(leaves); i++) {
        const left = rest.pop()!;
        for (let k = 0; k < gone.length; k++) gone[k]! += left.estimate[k]!;
        node = joined(left, node, { noise: noise[i]!, weight: variance[node.level + 1]! });
      }
      const increment = node.estimate.map((value, k) => value - gone[k]!);
      return { increment, state: { leaves: leaves + 1, nodes: [...rest, node] } };
    },
    variancesAt(leaf) {
      const before = leaf % size;
      let prefix = 0;
      for (let level = 0; 2 ** level <= before + 1; level++) {
        if (Math.floor((before + 1) / 2 ** level) % 2 === 1) prefix += variance[level]!;
      }
      return { increment: changeVariance(valuesAt(leaf) - 1, variance), prefix };
    },
  };
}

/** Of the estimate of a node by its height, in units of one value's noise; it is also the weight of its own value. */
function nodeVariances(size: number): readonly number[] {
  const variances = [1];
  for (let width = 2; width <= size; width *= 2) {
    const below = 2 * variances.at(-1)!;
    variances.push(below / (1 + below));
  }
  return variances;
}

function joined(left: SumNode, right: SumNode, own: { readonly noise: Int32Array; readonly weight: number }): SumNode {
  const { noise, weight } = own;
  const sum = left.sum.map((value, k) => value + right.sum[k]!);
  const estimate = sum.map(
    (value, k) => weight * (value + noise[k]!) + (1 - weight) * (left.estimate[k]! + right.estimate[k]!),
  );
  return { level: left.level + 1, sum, estimate };
}

/** Of what is added to the prefix by a leaf that completes `height` nodes above it, less the estimates that they replace. */
function changeVariance(height: number, variance: readonly number[]): number {
  /** The share with which the estimate at a height enters the topmost one. */
  const share = (level: number) => {
    let product = 1;
    for (let above = level + 1; above <= height; above++) product *= 1 - variance[above]!;
    return product;
  };
  let total = share(0) ** 2;
  for (let level = 0; level < height; level++) {
    total += (share(level) - 1) ** 2 * variance[level]! + (share(level + 1) * variance[level + 1]!) ** 2;
  }
  return total;
}

function trailingOnes(value: number): number {
  let ones = 0;
  for (let rest = value; rest % 2 === 1; rest = (rest - 1) / 2) ones++;
  return ones;
}
