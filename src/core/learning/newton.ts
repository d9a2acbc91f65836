import { exp, log } from '../numerics/portable.ts';
import type { Dataset } from '../data/dataset.ts';
import { featureCount, sampleCount } from '../data/dataset.ts';

/** What a site sends for one Newton step: sums over its samples, so that the sites' sums are the pooled data's. */
export type NewtonSums = {
  readonly examples: number;
  readonly lossSum: number;
  /** [d + 1], the bias last. */
  readonly gradient: Float64Array;
  /** [d + 1, d + 1], row-major. */
  readonly hessian: Float64Array;
};

/**
 * A site's sums of a binary logistic regression at the weights w (the bias last).
 *
 * Formula: p = 1 ÷ (1 + e^−wᵀx);  gradient Σ (p − y) x;  Hessian Σ p (1 − p) x xᵀ, with x extended by 1.
 * Errors:  RangeError unless the data has two classes and w has d + 1 values.
 * Cost:    O(samples · d²).
 */
export function newtonSums(data: Dataset, w: Float64Array): NewtonSums {
  const size = featureCount(data) + 1;
  if (data.classCount !== 2) {
    throw new RangeError(`Cannot step by Newton as there must be 2 classes: current value is ${data.classCount}`);
  }
  if (w.length !== size) {
    throw new RangeError(`Cannot step by Newton as w must have ${size} values: current value is ${w.length}`);
  }
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  let lossSum = 0;
  for (let i = 0; i < sampleCount(data); i++) {
    const x = sampleWithOne(data, i, size);
    const z = x.reduce((sum, value, j) => sum + value * w[j]!, 0);
    const margin = data.labels[i] === 1 ? z : -z;
    lossSum += Math.max(0, -margin) + log(1 + exp(-Math.abs(z)));
    const p = 1 / (1 + exp(-z));
    addSample({ gradient, hessian }, x, { slope: p - data.labels[i]!, curvature: p * (1 - p) });
  }
  return { examples: sampleCount(data), lossSum, gradient, hessian };
}

function addSample(
  { gradient, hessian }: Pick<NewtonSums, 'gradient' | 'hessian'>,
  x: Float64Array,
  { slope, curvature }: { readonly slope: number; readonly curvature: number },
): void {
  for (let j = 0; j < x.length; j++) {
    gradient[j]! += slope * x[j]!;
    for (let k = 0; k < x.length; k++) hessian[j * x.length + k]! += curvature * x[j]! * x[k]!;
  }
}

function sampleWithOne(data: Dataset, i: number, size: number): Float64Array {
  const start = i * (size - 1);
  return Float64Array.from({ length: size }, (_, j) => (j + 1 < size ? data.features[start + j]! * data.scale : 1));
}

/**
 * One Newton step from the sums of all sites. Iterated, it reaches the optimum of the pooled data, not a compromise:
 * the sums are exact whatever the split.
 *
 * Formula: w ← w − (Σ H + λI)⁻¹ (Σ g + λ w); the bias is not penalised.
 * Errors:  RangeError when the summed Hessian is not positive definite (collinear features need a penalty).
 * Source:  Hosmer and Lemeshow; summed over sites as in Wu et al. 2012, "Grid binary logistic regression".
 */
export function newtonStep(w: Float64Array, sites: readonly NewtonSums[], penalty = 0): Float64Array {
  const size = w.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  for (const site of sites) {
    site.gradient.forEach((value, j) => (gradient[j]! += value));
    site.hessian.forEach((value, j) => (hessian[j]! += value));
  }
  for (let j = 0; j + 1 < size; j++) {
    gradient[j]! += penalty * w[j]!;
    hessian[j * size + j]! += penalty;
  }
  const step = solvePositive(hessian, gradient);
  return w.map((value, j) => value - step[j]!);
}

/** Solves A·x = b for a positive definite A by Cholesky's decomposition. */
function solvePositive(matrix: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const lower = matrix.slice();
  const at = (i: number, j: number) => lower[i * n + j]!;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      if (i === j && !(sum > 1e-12 * Math.abs(matrix[j * n + j]!))) {
        throw new RangeError(
          `Cannot step by Newton as the summed Hessian must be positive definite (a penalty makes it so): ` +
            `current value of pivot ${j} is ${sum}`,
        );
      }
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  }
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= at(i, k) * x[k]!;
    x[i]! /= at(i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= at(k, i) * x[k]!;
    x[i]! /= at(i, i);
  }
  return x;
}
