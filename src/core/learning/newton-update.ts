import type { Row } from '../../ports/compute.ts';
import { choleskyFactor } from './cholesky.ts';
import type { NewtonSums } from './newton.ts';
import type { Vectors } from './vectors.ts';

/** A softmax regression: weights [classes, inputs], then biases [classes]. */
export type Regression = { readonly inputs: number; readonly classes: number };

/** The unknowns of a Newton step: the first class is 0, as only differences of classes matter. */
export const unknownCount = ({ inputs, classes }: Regression): number => (classes - 1) * (inputs + 1);

/** The values of an update: a delta like the model, what float32 left of it, the Hessian's upper triangle, the loss twice. */
export function newtonUpdateCount(model: Regression): number {
  const p = unknownCount(model);
  return model.classes * (model.inputs + 1) + p + (p * (p + 1)) / 2 + 2;
}

/** Where an unknown lies in the model. */
function placeOf(unknown: number, { inputs, classes }: Regression): number {
  const [block, j] = [Math.floor(unknown / (inputs + 1)), unknown % (inputs + 1)];
  return j === inputs ? classes * inputs + block + 1 : (block + 1) * inputs + j;
}

/** Where the value of class 0 lies to which an unknown is compared. */
function zeroPlaceOf(unknown: number, { inputs, classes }: Regression): number {
  const j = unknown % (inputs + 1);
  return j === inputs ? classes * inputs : j;
}

/** The unknowns that a model stands for. */
export function unknownsOf(parameters: Float32Array, model: Regression): Float64Array {
  return Float64Array.from(
    { length: unknownCount(model) },
    (_, u) => parameters[placeOf(u, model)]! - parameters[zeroPlaceOf(u, model)]!,
  );
}

/** The model of the unknowns in float32, and what the rounding left of each value: their sum has some 48 bits. */
export function modelOf(
  w: Float64Array,
  model: Regression,
): { readonly parameters: Float32Array; readonly low: Float32Array } {
  const count = model.classes * (model.inputs + 1);
  const [parameters, low] = [new Float32Array(count), new Float32Array(count)];
  for (let u = 0; u < w.length; u++) {
    const place = placeOf(u, model);
    parameters[place] = w[u]!;
    low[place] = w[u]! - parameters[place]!;
  }
  return { parameters, low };
}

/**
 * A site's sums as an update. Its first part lies like the model and is minus the gradient: what detectors look at.
 *
 * Formula:  delta = fl32(−g), class 0 gets the sum of the others' g; low = −g − delta. Hessian in float32: it steers how
 *           fast the optimum is reached, and the gradient alone where it lies.
 */
export function sumsAsUpdate(
  { gradient, hessian, lossSum }: NewtonSums,
  deltaCount: number,
): { readonly delta: Float32Array; readonly beside: Vectors } {
  const p = gradient.length;
  const size = deltaCount - p;
  const model = { inputs: size - 1, classes: deltaCount / size };
  const delta = new Float32Array(deltaCount);
  const zero = new Float64Array(size);
  gradient.forEach((value, u) => {
    delta[placeOf(u, model)] = 0 - value;
    zero[u % size]! += value;
  });
  zero.forEach((value, j) => (delta[zeroPlaceOf(j, model)] = value));
  const low = Float32Array.from(gradient, (value, u) => -value - delta[placeOf(u, model)]!);
  const triangle = new Float32Array((p * (p + 1)) / 2);
  for (let i = 0, at = 0; i < p; i++) for (let j = i; j < p; j++) triangle[at++] = hessian[i * p + j]!;
  return { delta, beside: { low, hessian: triangle, loss: inTwo(lossSum) } };
}

/** A float64 as two float32, the large one first. */
export function inTwo(value: number): Float32Array {
  const high = Math.fround(value);
  return Float32Array.of(high, value - high);
}

/** The sums that an update of `newtonUpdateCount` values stands for. */
export async function sumsOfUpdate(row: Row, model: Regression, examples: number): Promise<NewtonSums> {
  const values = 'read' in row ? new Float32Array(row.length) : Float32Array.from(row);
  if ('read' in row) await row.read(0, values);
  const p = unknownCount(model);
  const deltaCount = model.classes * (model.inputs + 1);
  const gradient = Float64Array.from({ length: p }, (_, u) => -(values[placeOf(u, model)]! + values[deltaCount + u]!));
  const hessian = new Float64Array(p * p);
  let at = deltaCount + p;
  for (let i = 0; i < p; i++) {
    for (let j = i; j < p; j++, at++) {
      hessian[i * p + j] = values[at]!;
      hessian[j * p + i] = values[at]!;
    }
  }
  return { examples, lossSum: values[at]! + values[at + 1]!, gradient, hessian };
}

/** What float32 may take from a matrix, as a share of its trace. */
const roundingShare = 1e-6;

/**
 * What shows that sums are of no data at all; undefined where nothing does. A site that makes sums of data that it does
 * not have is not seen.
 *
 * Formula: for n examples and each bias |g| ≤ n and 0 ≤ H ≤ n ÷ 4; loss ≥ 0; H positive semidefinite, up to rounding.
 */
export function sumsProblem(
  { examples, lossSum, gradient, hessian }: NewtonSums,
  model: Regression,
): string | undefined {
  const p = gradient.length;
  const most = examples * (1 + roundingShare);
  if (!(lossSum >= 0)) return `its loss must be at least 0: it is ${lossSum}`;
  for (let u = model.inputs; u < p; u += model.inputs + 1) {
    if (!(Math.abs(gradient[u]!) <= most))
      return `a bias must have a gradient of at most ${examples}: it is ${gradient[u]}`;
    const curvature = hessian[u * p + u]!;
    if (!(curvature >= 0 && curvature <= most / 4)) {
      return `a bias must have a curvature from 0 to ${examples / 4}: it is ${curvature}`;
    }
  }
  let trace = 0;
  for (let u = 0; u < p; u++) trace += hessian[u * p + u]!;
  if (trace === 0)
    return hessian.some((value) => value !== 0) ? 'its Hessian must be positive semidefinite' : undefined;
  const lifted = hessian.slice();
  for (let u = 0; u < p; u++) lifted[u * p + u]! += roundingShare * trace;
  return choleskyFactor(lifted, p).pivot === null ? undefined : 'its Hessian must be positive semidefinite';
}
