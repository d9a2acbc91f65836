import type { TrainerSums } from '../../ports/trainer.ts';
import { exp, log } from '../numerics/portable.ts';
import type { Dataset } from '../data/dataset.ts';
import { featureCount, sampleCount } from '../data/dataset.ts';
import { choleskyFactor, solveFactored } from './cholesky.ts';

/** What a site sends for one Newton step: sums over its samples, so that the sites' sums are the pooled data's. */
export type NewtonSums = TrainerSums;

/** What is minimised beside the summed loss, and how the unknowns lie: blocks of inputs + 1, one for each class but 0. */
export type NewtonProblem = { readonly inputs: number; readonly penalty: number };

/**
 * A site's sums of a softmax regression at the weights w: for each class but the first its weights and its bias, the
 * first class being 0. With two classes it is the logistic regression.
 *
 * Formula: p_k = e^(w_kᵀx) ÷ Σ_l e^(w_lᵀx), w_0 = 0;  loss Σ −log p_y;  gradient Σ (p_k − [y = k]) x;  Hessian
 *          Σ p_k ([k = l] − p_l) x xᵀ, with x extended by 1.
 * Shapes:  w and gradient [(K − 1)(d + 1)], Hessian their square, row-major.
 * Errors:  RangeError unless w has d + 1 values for each class of the data but the first.
 * Cost:    O(samples · (K d)² ÷ 2).
 */
export function newtonSums(data: Dataset, w: Float64Array): NewtonSums {
  const size = featureCount(data) + 1;
  const blocks = w.length / size;
  if (!Number.isInteger(blocks) || blocks < 1) {
    const wanted = size * Math.max(1, data.classCount - 1);
    throw new RangeError(`Cannot step by Newton as w must have ${wanted} values: current value is ${w.length}`);
  }
  if (data.classCount > blocks + 1) {
    throw new RangeError(
      `Cannot step by Newton as there must be at most ${blocks + 1} classes: current value is ${data.classCount}`,
    );
  }
  const sums = { gradient: new Float64Array(w.length), hessian: new Float64Array(w.length ** 2) };
  const [x, p] = [new Float64Array(size).fill(1), new Float64Array(blocks)];
  let lossSum = 0;
  for (let i = 0; i < sampleCount(data); i++) {
    for (let j = 0; j + 1 < size; j++) x[j] = data.features[i * (size - 1) + j]! * data.scale;
    const label = data.labels[i]!;
    lossSum += probabilitiesInto(p, w, x, label);
    addSampleInto(sums, x, p, label);
  }
  mirrorUpper(sums.hessian, w.length);
  return { examples: sampleCount(data), lossSum, ...sums };
}

/** Fills in the probability of each class but the first, and gives the loss of the label. */
function probabilitiesInto(p: Float64Array, w: Float64Array, x: Float64Array, label: number): number {
  let [largest, own] = [0, 0];
  for (let k = 0; k < p.length; k++) {
    let z = 0;
    for (let j = 0; j < x.length; j++) z += w[k * x.length + j]! * x[j]!;
    p[k] = z;
    largest = Math.max(largest, z);
    if (label === k + 1) own = z;
  }
  let total = exp(-largest);
  for (let k = 0; k < p.length; k++) {
    p[k] = exp(p[k]! - largest);
    total += p[k]!;
  }
  for (let k = 0; k < p.length; k++) p[k]! /= total;
  return log(total) + largest - own;
}

/** Adds one sample to the gradient and to the upper triangle of the Hessian. */
function addSampleInto(
  { gradient, hessian }: Pick<NewtonSums, 'gradient' | 'hessian'>,
  x: Float64Array,
  p: Float64Array,
  label: number,
): void {
  const [size, width] = [x.length, gradient.length];
  for (let k = 0; k < p.length; k++) {
    const slope = p[k]! - (label === k + 1 ? 1 : 0);
    for (let j = 0; j < size; j++) gradient[k * size + j]! += slope * x[j]!;
    for (let l = k; l < p.length; l++) {
      const curvature = p[k]! * ((k === l ? 1 : 0) - p[l]!);
      for (let j = 0; j < size; j++) {
        const factor = curvature * x[j]!;
        const row = (k * size + j) * width + l * size;
        for (let m = k === l ? j : 0; m < size; m++) hessian[row + m]! += factor * x[m]!;
      }
    }
  }
}

function mirrorUpper(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) matrix[j * n + i] = matrix[i * n + j]!;
}

/** The sums of all sites: those of their pooled data, whatever the split. In the order given. */
export function totalSums(sites: readonly NewtonSums[]): NewtonSums {
  const [first] = sites;
  if (first === undefined)
    throw new RangeError('Cannot step by Newton as there must be at least one site: there is none');
  const gradient = new Float64Array(first.gradient.length);
  const hessian = new Float64Array(first.hessian.length);
  let [examples, lossSum] = [0, 0];
  for (const site of sites) {
    site.gradient.forEach((value, j) => (gradient[j]! += value));
    site.hessian.forEach((value, j) => (hessian[j]! += value));
    examples += site.examples;
    lossSum += site.lossSum;
  }
  return { examples, lossSum, gradient, hessian };
}

/** What is minimised: the summed loss and λ ÷ 2 · ‖w‖², biases left out. */
export function penalisedLoss(w: Float64Array, { lossSum }: NewtonSums, problem: NewtonProblem): number {
  let squares = 0;
  for (let j = 0; j < w.length; j++) if (!isBias(j, problem)) squares += w[j]! * w[j]!;
  return lossSum + (problem.penalty / 2) * squares;
}

const isBias = (j: number, { inputs }: NewtonProblem) => (j + 1) % (inputs + 1) === 0;

/**
 * One Newton step from the sums of all sites. Iterated, it reaches the optimum of the pooled data, not a compromise:
 * the sums are exact whatever the split.
 *
 * Formula: w ← w − (Σ H + λI)⁻¹ (Σ g + λ w); biases are not penalised.
 * Errors:  RangeError when the summed Hessian is not positive definite (collinear features need a penalty).
 * Cost:    O(unknowns³).
 * Source:  Hosmer and Lemeshow; summed over sites as in Wu et al. 2012, "Grid binary logistic regression".
 */
export function newtonIterate(w: Float64Array, total: NewtonSums, problem: NewtonProblem): Float64Array {
  const size = w.length;
  const [gradient, hessian] = [total.gradient.slice(), total.hessian.slice()];
  for (let j = 0; j < size; j++) {
    if (isBias(j, problem)) continue;
    gradient[j]! += problem.penalty * w[j]!;
    hessian[j * size + j]! += problem.penalty;
  }
  const factor = choleskyFactor(hessian, size);
  if (factor.pivot !== null) {
    throw new RangeError(
      `Cannot step by Newton as the summed Hessian must be positive definite (a penalty makes it so): ` +
        `current value of pivot ${factor.pivot.index} is ${factor.pivot.value}`,
    );
  }
  const step = solveFactored(factor.lower, gradient);
  return w.map((value, j) => value - step[j]!);
}

/** One Newton step of a logistic regression from the sums of its sites; the bias, which is last, is not penalised. */
export function newtonStep(w: Float64Array, sites: readonly NewtonSums[], penalty = 0): Float64Array {
  return newtonIterate(w, totalSums(sites), { inputs: w.length - 1, penalty });
}
