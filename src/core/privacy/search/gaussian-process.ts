import type { Rng } from '../../random/rng.ts';

/** Points in the unit cube and what was seen there. */
export type Observation = { readonly at: readonly number[]; readonly value: number };

/** What a process expects at a point. */
export type Prediction = { readonly mean: number; readonly deviation: number };

export type GaussianProcess = { predict(at: readonly number[]): Prediction };

/** Lengths of the kernel by coordinate, and the noise's share of the variance. */
type Kernel = { readonly lengths: readonly number[]; readonly noise: number };

const tries = 120;
const jitter = 1e-9;

/**
 * A Gaussian process through noisy observations.
 *
 * Formula:  Matérn 5/2 with a length for each coordinate; mean and variance as they are likeliest, in closed form; lengths
 *           (0.05 to 3, uniform in the logarithm) and noise (1e-4 to 0.5) the likeliest of 120 seeded draws.
 * Needs:    one observation at least; coordinates in [0, 1].
 * Promises: a function of observations, their order and the generator.
 * Cost:     O(120 n³).
 * Source:   Rasmussen and Williams 2006, chapters 2 and 5.
 */
export function gaussianProcess(seen: readonly Observation[], rng: Rng): GaussianProcess {
  const dimension = seen[0]!.at.length;
  let best: Fit | undefined;
  for (let i = 0; i < tries; i++) {
    const lengths = Array.from({ length: dimension }, () => 0.05 * 60 ** rng.float());
    const fit = fitWith(seen, { lengths, noise: 1e-4 * 5000 ** rng.float() });
    if (fit !== undefined && (best === undefined || fit.logLikelihood > best.logLikelihood)) best = fit;
  }
  if (best === undefined) throw new Error('Cannot fit a Gaussian process as its kernel must be positive definite');
  const { kernel, factor, weights, mean, variance } = best;
  return {
    predict(at) {
      const near = Float64Array.from(seen, (one) => matern(at, one.at, kernel.lengths));
      const solved = solveLower(factor, near);
      const explained = solved.reduce((sum, x) => sum + x * x, 0);
      const lift = near.reduce((sum, k, i) => sum + k * weights[i]!, 0);
      return { mean: mean + lift, deviation: Math.sqrt(variance * Math.max(0, 1 - explained)) };
    },
  };
}

type Fit = {
  readonly kernel: Kernel;
  readonly factor: readonly Float64Array[];
  readonly weights: Float64Array;
  readonly mean: number;
  readonly variance: number;
  readonly logLikelihood: number;
};

function fitWith(seen: readonly Observation[], kernel: Kernel): Fit | undefined {
  const n = seen.length;
  const matrix = seen.map((row, i) =>
    Float64Array.from(seen, (column, j) => {
      return matern(row.at, column.at, kernel.lengths) + (i === j ? kernel.noise + jitter : 0);
    }),
  );
  const factor = cholesky(matrix);
  if (factor === undefined) return undefined;
  const solvedOnes = solveLower(factor, new Float64Array(n).fill(1));
  const solvedValues = solveLower(
    factor,
    Float64Array.from(seen, ({ value }) => value),
  );
  const mean = dot(solvedOnes, solvedValues) / dot(solvedOnes, solvedOnes);
  const rest = solvedValues.map((value, i) => value - mean * solvedOnes[i]!);
  const variance = Math.max(dot(rest, rest) / n, 1e-12);
  const logDeterminant = factor.reduce((sum, row, i) => sum + Math.log(row[i]!), 0);
  return {
    kernel,
    factor,
    weights: solveUpper(factor, rest),
    mean,
    variance,
    logLikelihood: -(n / 2) * Math.log(variance) - logDeterminant,
  };
}

function matern(a: readonly number[], b: readonly number[], lengths: readonly number[]): number {
  let square = 0;
  for (let i = 0; i < lengths.length; i++) square += ((a[i]! - b[i]!) / lengths[i]!) ** 2;
  const r = Math.sqrt(5 * square);
  return (1 + r + (5 * square) / 3) * Math.exp(-r);
}

/** The lower factor of a positive definite matrix; undefined where it is not. */
function cholesky(matrix: readonly Float64Array[]): readonly Float64Array[] | undefined {
  const factor = matrix.map((row) => new Float64Array(row.length));
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!;
      for (let k = 0; k < j; k++) sum -= factor[i]![k]! * factor[j]![k]!;
      if (i === j && !(sum > 0)) return undefined;
      factor[i]![j] = i === j ? Math.sqrt(sum) : sum / factor[j]![j]!;
    }
  }
  return factor;
}

function solveLower(factor: readonly Float64Array[], right: Float64Array): Float64Array {
  const x = new Float64Array(right.length);
  for (let i = 0; i < x.length; i++) {
    let sum = right[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i]![k]! * x[k]!;
    x[i] = sum / factor[i]![i]!;
  }
  return x;
}

function solveUpper(factor: readonly Float64Array[], right: Float64Array): Float64Array {
  const x = new Float64Array(right.length);
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = right[i]!;
    for (let k = i + 1; k < x.length; k++) sum -= factor[k]![i]! * x[k]!;
    x[i] = sum / factor[i]![i]!;
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
