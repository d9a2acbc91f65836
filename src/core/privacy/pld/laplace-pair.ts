import { logShare } from './gaussian-pair.ts';
import { addAtom, emptyCells, type DominatingPair, type LossCells, type LossGrid } from './dominating-pair.ts';

/**
 * Poisson-subsampled Laplace noise of scale b on a sum of sensitivity 1.
 *
 * Formula: upper = (1 − q) Lap(0, b) + q Lap(1, b), lower = Lap(0, b). The loss is constant left of 0 and right of 1.
 * Needs:   b > 0, 0 < q ≤ 1.
 */
export function subsampledLaplacePair(scale: number, sampleRate: number): DominatingPair {
  const low = sampleRate === 1 ? -1 / scale : logMixed(-1 / scale, sampleRate);
  const high = logMixed(1 / scale, sampleRate);
  return {
    isSymmetric: sampleRate === 1,
    lossMax: { remove: high, add: -low },
    lossRange: () => ({ low, high }),
    cells: (grid) => fillCells(grid, { scale, sampleRate, low, high }),
  };
}

/** ln(1 − q + q e^exponent). */
function logMixed(exponent: number, q: number): number {
  return exponent > 30 ? exponent + Math.log(q + (1 - q) * Math.exp(-exponent)) : Math.log1p(q * Math.expm1(exponent));
}

/**
 * Poisson-subsampled Laplace noise of scale b on one number, when a record that moves it by at most 1 is replaced by another.
 *
 * Formula:  upper = (1 − q) Lap(0, b) + q Lap(1, b), lower = (1 − q) Lap(0, b) + q Lap(−1, b). The loss is odd, and constant
 *           beyond ±1.
 * Needs:    b > 0, 0 < q < 1.
 * Promises: it dominates the pair of any two records x, x′ in [−1, 1]. For t ≥ 1 let S = {P_x > t Q_x′}. Where S is a
 *           half-line to the right, P_x(S) grows with x and Q_x′(S) with x′, so 1 and −1 are worst. With Lap(x) ÷ Lap(0)
 *           and Lap(x′) ÷ Lap(0) one sees that it is, for x > x′, unless x′ < x < 0: there S may be an interval left of 0.
 *           Its mirror image has P_|x| as large and Q_−1 no larger, which leads back to the half-line. Other x, x′ and
 *           smaller t follow by mirroring. Tried on a grid of records in a test.
 */
export function replacedLaplacePair(scale: number, sampleRate: number): DominatingPair {
  const high = logMixed(1 / scale, sampleRate) - logMixed(-1 / scale, sampleRate);
  return {
    isSymmetric: true,
    lossMax: { remove: high, add: high },
    lossRange: () => ({ low: -high, high }),
    cells: (grid) => fillReplaced(grid, { scale, sampleRate, low: -high, high }),
  };
}

function fillReplaced(grid: LossGrid, { scale, sampleRate: q, high }: Laplace): LossCells {
  const cells = emptyCells(grid);
  const fade = Math.exp(-1 / scale);
  const near = ((1 - q) * fade + q) / 2;
  const far = (fade * (1 - q + q * fade)) / 2;
  addAtom(cells, { loss: -high, upper: far, lower: near });
  addAtom(cells, { loss: high, upper: near, lower: far });
  const logRest = logMixed(-1 / scale, q);
  // Right of 0: e^loss = (1 − q + q e^{(2y−1)/b}) ÷ (1 − q + q e^{−1/b}).
  const right = (loss: number) => {
    const growth = (Math.expm1(loss) * Math.exp(logRest)) / (q * fade);
    if (growth < 1e300) return (scale / 2) * Math.log1p(growth);
    return (1 + scale * (loss + logRest - Math.log(q) + Math.log1p(-(1 - q) * Math.exp(-loss - logRest)))) / 2;
  };
  const place = (loss: number) => {
    if (Math.abs(loss) >= high) return Math.sign(loss);
    return Math.sign(loss) * Math.min(1, Math.max(0, right(Math.abs(loss))));
  };
  const add = (cell: number, from: number, to: number) => {
    if (!(to > from)) return;
    const share = -Math.expm1((from - to) / scale) / 2;
    const still = share * Math.exp((from >= 0 ? -from : to) / scale);
    cells.upper[cell]! += (1 - q) * still + q * share * Math.exp((to - 1) / scale);
    cells.lower[cell]! += (1 - q) * still + q * share * Math.exp((-from - 1) / scale);
  };
  let y = place(grid.first * grid.meshStep + (grid.nudge?.[0] ?? 0));
  for (let i = 0; i < grid.count; i++) {
    const next = place((grid.first + i + 1) * grid.meshStep + (grid.nudge?.[i + 1] ?? 0));
    // What spans 0 has two parts: the density of Lap(0) turns there.
    add(i, y, Math.min(next, Math.max(y, 0)));
    add(i, Math.max(y, 0), next);
    y = next;
  }
  return cells;
}

type Laplace = { readonly scale: number; readonly sampleRate: number; readonly low: number; readonly high: number };

function fillCells(grid: LossGrid, laplace: Laplace): LossCells {
  const { scale, sampleRate: q, low, high } = laplace;
  const cells = emptyCells(grid);
  const fade = Math.exp(-1 / scale);
  addAtom(cells, { loss: low, upper: (1 - q + q * fade) / 2, lower: 0.5 });
  addAtom(cells, { loss: high, upper: ((1 - q) * fade + q) / 2, lower: fade / 2 });
  const place = (loss: number) => {
    if (loss <= low) return 0;
    if (loss >= high) return 1;
    return Math.min(1, Math.max(0, (1 + scale * logShare(loss, q)) / 2));
  };
  let x = place(grid.first * grid.meshStep + (grid.nudge?.[0] ?? 0));
  for (let i = 0; i < grid.count; i++) {
    const next = place((grid.first + i + 1) * grid.meshStep + (grid.nudge?.[i + 1] ?? 0));
    const still = (Math.exp(-x / scale) * -Math.expm1((x - next) / scale)) / 2;
    const moved = (Math.exp((next - 1) / scale) * -Math.expm1((x - next) / scale)) / 2;
    cells.upper[i]! += (1 - q) * still + q * moved;
    cells.lower[i]! += still;
    x = next;
  }
  return cells;
}
