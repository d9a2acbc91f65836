import { logShare } from './gaussian-pair.ts';
import { addAtom, emptyCells, type DominatingPair, type LossCells, type LossGrid } from './dominating-pair.ts';

/**
 * Poisson-subsampled Laplace noise of scale b on a sum of sensitivity 1.
 *
 * Formula: upper = (1 − q) Lap(0, b) + q Lap(1, b), lower = Lap(0, b). The loss is constant left of 0 and right of 1.
 * Needs:   b > 0, 0 < q ≤ 1.
 */
export function subsampledLaplacePair(scale: number, sampleRate: number): DominatingPair {
  const loss = (exponent: number) =>
    exponent > 30
      ? exponent + Math.log(sampleRate + (1 - sampleRate) * Math.exp(-exponent))
      : Math.log1p(sampleRate * Math.expm1(exponent));
  const low = sampleRate === 1 ? -1 / scale : loss(-1 / scale);
  const high = loss(1 / scale);
  return {
    isSymmetric: sampleRate === 1,
    lossMax: { remove: high, add: -low },
    lossRange: () => ({ low, high }),
    cells: (grid) => fillCells(grid, { scale, sampleRate, low, high }),
  };
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
