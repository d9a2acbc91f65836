import { erfc, normalUpperQuantile } from '../numerics/erfc.ts';
import type { DominatingPair, LossCells, LossGrid } from './dominating-pair.ts';

/** Two mixtures of Gaussians with one deviation; the loss must grow with x. */
type MixturePair = {
  readonly sigma: number;
  readonly means: readonly number[];
  readonly upperWeights: readonly number[];
  readonly lowerWeights: readonly number[];
  readonly isSymmetric: boolean;
  readonly lossMin: number;
  /** The x at which the loss is reached; infinite outside the range of losses. */
  readonly invertLoss: (loss: number) => number;
};

/**
 * The Poisson-subsampled Gaussian when one record is added or removed.
 *
 * Formula:  upper = (1 − q) N(0, σ²) + q N(1, σ²), lower = N(0, σ²); loss⁻¹(ε) = σ² ln((e^ε − 1 + q) ÷ q) + ½.
 * Needs:    σ > 0, 0 < q ≤ 1, sensitivity 1.
 * Source:   Koskela et al. 2020; Zhu, Dong and Wang 2022, arXiv:2106.08567 (dominating pair).
 */
export function subsampledGaussianPair(sigma: number, sampleRate: number): DominatingPair {
  return mixturePair({
    sigma,
    means: [0, 1],
    upperWeights: [1 - sampleRate, sampleRate],
    lowerWeights: [1, 0],
    isSymmetric: sampleRate === 1,
    lossMin: Math.log1p(-sampleRate),
    invertLoss: (loss) => sigma * sigma * logShare(loss, sampleRate) + 0.5,
  });
}

/**
 * The Poisson-subsampled Gaussian when one record is replaced by another.
 *
 * Formula:  upper = (1 − q) N(0, σ²) + q N(1, σ²), lower = (1 − q) N(0, σ²) + q N(−1, σ²);
 *           loss⁻¹(ε) = σ² (ε/2 + asinh((1 − q) sinh(ε/2) e^{1/2σ²} ÷ q)).
 * Needs:    σ > 0, 0 < q ≤ 1; one record moves the sum by at most 1.
 */
export function replacedGaussianPair(sigma: number, sampleRate: number): DominatingPair {
  const square = sigma * sigma;
  const logFactor = Math.log((1 - sampleRate) / sampleRate) + 0.5 / square;
  const half = (loss: number) => square * (loss / 2 + asinhOfScaledSinh(loss / 2, logFactor));
  return mixturePair({
    sigma,
    means: [-1, 0, 1],
    upperWeights: [0, 1 - sampleRate, sampleRate],
    lowerWeights: [sampleRate, 1 - sampleRate, 0],
    isSymmetric: true,
    lossMin: -Infinity,
    invertLoss: half,
  });
}

/**
 * A Gaussian whose sensitivity is itself random: groups, and clients that take part several times.
 *
 * Formula:  upper = Σ w_k N(s_k, σ²), lower = N(0, σ²); inverted by Newton from the right, where the loss is convex.
 * Needs:    s_k ≥ 0, weights that sum to 1.
 * Source:   Choquette-Choo et al. 2024, arXiv:2312.13347 (mixture of Gaussians mechanisms).
 */
export function gaussianMixturePair(
  sigma: number,
  sensitivities: readonly number[],
  weights: readonly number[],
): DominatingPair {
  const order = sensitivities.map((_, k) => k).sort((i, j) => sensitivities[i]! - sensitivities[j]!);
  const shifts = order.map((k) => sensitivities[k]!);
  const shares = order.map((k) => weights[k]!);
  const still = shifts.reduce((sum, s, k) => (s === 0 ? sum + shares[k]! : sum), 0);
  const means = shifts[0] === 0 ? shifts : [0, ...shifts];
  const upperWeights = shifts[0] === 0 ? shares : [0, ...shares];
  return mixturePair({
    sigma,
    means,
    upperWeights,
    lowerWeights: means.map((_, k) => (k === 0 ? 1 : 0)),
    isSymmetric: false,
    lossMin: still > 0 ? Math.log(still) : -Infinity,
    invertLoss: (loss) => invertMixtureLoss(loss, sigma * sigma, shifts, shares),
  });
}

/** ln((e^loss − 1 + q) ÷ q), without overflow; −∞ at and below the least loss. */
export function logShare(loss: number, q: number): number {
  if (loss > 1) return loss - Math.log(q) + Math.log1p((q - 1) * Math.exp(-loss));
  const rest = Math.expm1(loss) + q;
  return rest > 0 ? Math.log(rest / q) : -Infinity;
}

/** asinh(e^logFactor · sinh(x)). */
function asinhOfScaledSinh(x: number, logFactor: number): number {
  const size = Math.abs(x);
  if (size === 0 || logFactor === -Infinity) return 0;
  const log = logFactor + (size < 30 ? Math.log(Math.sinh(size)) : size - Math.LN2);
  const value = log > 300 ? log + Math.LN2 : Math.asinh(Math.exp(log));
  return Math.sign(x) * value;
}

function invertMixtureLoss(loss: number, square: number, shifts: readonly number[], shares: readonly number[]) {
  const last = shifts.length - 1;
  const top = shifts[last]!;
  if (top === 0) return loss >= 0 ? Infinity : -Infinity;
  let x = (square * (loss - Math.log(shares[last]!)) + (top * top) / 2) / top;
  for (let step = 0; step < 60; step++) {
    const { value, slope } = mixtureLoss(x, square, shifts, shares);
    const excess = value - loss;
    if (!(slope > 0)) return -Infinity;
    const next = x - excess / slope;
    if (!(Math.abs(next - x) > 1e-14 * (1 + Math.abs(x)))) return next;
    x = next;
    if (x < -1e9) return -Infinity;
  }
  return mixtureLoss(x, square, shifts, shares).value > loss + 1e-9 ? -Infinity : x;
}

function mixtureLoss(x: number, square: number, shifts: readonly number[], shares: readonly number[]) {
  let top = -Infinity;
  for (let k = 0; k < shifts.length; k++) {
    const s = shifts[k]!;
    if (shares[k]! > 0) top = Math.max(top, (s * x - (s * s) / 2) / square);
  }
  let sum = 0;
  let slope = 0;
  for (let k = 0; k < shifts.length; k++) {
    const s = shifts[k]!;
    const term = shares[k]! * Math.exp((s * x - (s * s) / 2) / square - top);
    sum += term;
    slope += (term * s) / square;
  }
  return { value: top + Math.log(sum), slope: slope / sum };
}

function mixturePair(mixture: MixturePair): DominatingPair {
  const { sigma, means, upperWeights, lowerWeights, isSymmetric, lossMin } = mixture;
  const lossAt = (x: number) => logDensity(x, mixture, upperWeights) - logDensity(x, mixture, lowerWeights);
  const isFlat = lowerWeights.every((weight, k) => weight === upperWeights[k]);
  return {
    isSymmetric,
    lossMax: { remove: isFlat ? 0 : Infinity, add: -lossMin },
    lossRange: (tailMass) => {
      const reach = sigma * normalUpperQuantile(Math.min(0.25, Math.max(tailMass, 1e-300)));
      return { low: lossAt(Math.min(...means) - reach), high: lossAt(Math.max(...means) + reach) };
    },
    cells: (grid) => fillCells(grid, mixture),
  };
}

function logDensity(x: number, mixture: MixturePair, weights: readonly number[]): number {
  const square = mixture.sigma * mixture.sigma;
  const present = mixture.means.filter((_, k) => weights[k]! > 0);
  const shares = weights.filter((weight) => weight > 0);
  return mixtureLoss(x, square, present, shares).value;
}

function fillCells(grid: LossGrid, mixture: MixturePair): LossCells {
  const { means, upperWeights, lowerWeights } = mixture;
  const edges = new Float64Array(grid.count + 1);
  for (let i = 0; i <= grid.count; i++) {
    edges[i] = mixture.invertLoss((grid.first + i) * grid.meshStep + (grid.nudge?.[i] ?? 0));
  }
  const upper = new Float64Array(grid.count);
  const lower = new Float64Array(grid.count);
  const outside = { upperBelow: 0, lowerBelow: 0, upperAbove: 0, lowerAbove: 0 };
  for (let k = 0; k < means.length; k++) {
    const component = {
      mean: means[k]!,
      sigma: mixture.sigma,
      upperWeight: upperWeights[k]!,
      lowerWeight: lowerWeights[k]!,
    };
    const { below, above } = addComponent(edges, upper, lower, component);
    outside.upperBelow += component.upperWeight * below;
    outside.lowerBelow += component.lowerWeight * below;
    outside.upperAbove += component.upperWeight * above;
    outside.lowerAbove += component.lowerWeight * above;
  }
  return { grid, upper, lower, ...outside };
}

type Component = {
  readonly mean: number;
  readonly sigma: number;
  readonly upperWeight: number;
  readonly lowerWeight: number;
};

/** Adds one Gaussian's masses between the edges; differences are taken in the tail that keeps the digits. */
function addComponent(edges: Float64Array, upper: Float64Array, lower: Float64Array, component: Component) {
  const { mean, upperWeight, lowerWeight } = component;
  const scale = Math.SQRT1_2 / component.sigma;
  let u = (edges[0]! - mean) * scale;
  let tail = 0.5 * erfc(Math.abs(u));
  const below = u < 0 ? tail : 1 - tail;
  for (let i = 0; i < upper.length; i++) {
    const next = (edges[i + 1]! - mean) * scale;
    const nextTail = 0.5 * erfc(Math.abs(next));
    const mass = u >= 0 ? tail - nextTail : next <= 0 ? nextTail - tail : 1 - tail - nextTail;
    if (mass > 0) {
      upper[i]! += upperWeight * mass;
      lower[i]! += lowerWeight * mass;
    }
    u = next;
    tail = nextTail;
  }
  return { below, above: u > 0 ? tail : 1 - tail };
}
