import { exp, log } from '../numerics/portable.ts';

/** Coordinate-wise mean of the honest updates, in float64. */
export function meanOf(rows: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let k = 0; k < mean.length; k++) mean[k]! += row[k]! / rows.length;
  return mean;
}

/** Coordinate-wise standard deviation with n − 1; zero for one row. */
export function deviationOf(rows: readonly ArrayLike<number>[], mean: Float64Array): Float64Array {
  const sums = new Float64Array(mean.length);
  for (const row of rows) {
    for (let k = 0; k < mean.length; k++) {
      const apart = row[k]! - mean[k]!;
      sums[k]! += apart * apart;
    }
  }
  return sums.map((sum) => Math.sqrt(sum / Math.max(1, rows.length - 1)));
}

/** The Euclidean length of a vector. */
export function lengthOf(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += vector[k]! ** 2;
  return Math.sqrt(sum);
}

/** The root of the mean square of a vector's values. */
export function rootMeanSquareOf(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += vector[k]! * vector[k]!;
  return Math.sqrt(sum / Math.max(1, vector.length));
}

/** The inner product of two vectors. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** ⟨x_i − mean, x_j − mean⟩ of all rows, n × n, in float64. */
export function centredGram(rows: readonly ArrayLike<number>[], mean: Float64Array): Float64Array {
  const n = rows.length;
  const centred = rows.map((row) => minus(row, mean));
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = dotOfDoubles(centred[i]!, centred[j]!);
  }
  return gram;
}

function minus(a: ArrayLike<number>, b: Float64Array): Float64Array {
  const result = new Float64Array(b.length);
  for (let k = 0; k < result.length; k++) result[k] = a[k]! - b[k]!;
  return result;
}

/** Four sums at a time: one after the other each addition would wait for the last. */
function dotOfDoubles(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let k = 0; k < whole; k += 4) {
    s0 += a[k]! * b[k]!;
    s1 += a[k + 1]! * b[k + 1]!;
    s2 += a[k + 2]! * b[k + 2]!;
    s3 += a[k + 3]! * b[k + 3]!;
  }
  for (let k = whole; k < a.length; k++) s0 += a[k]! * b[k]!;
  return s0 + s1 + (s2 + s3);
}

/** The squared Euclidean distance of two vectors. */
export function distance2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const apart = a[k]! - b[k]!;
    sum += apart * apart;
  }
  return sum;
}

/**
 * The quantile of the standard normal distribution.
 *
 * Formula:   a rational start (Abramowitz and Stegun 26.2.23), then three Newton steps on Φ: about 1e-15.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1))
    throw new RangeError(`Cannot take a quantile as p must be between 0 and 1: current value is ${p}`);
  let z = roughQuantile(p);
  for (let step = 0; step < 3; step++) {
    const density = exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    z -= (normalDistribution(z) - p) / density;
  }
  return z;
}

/** Good to 5e-4. */
function roughQuantile(p: number): number {
  const t = Math.sqrt(-2 * log(Math.min(p, 1 - p)));
  const value =
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3);
  return p < 0.5 ? -value : value;
}

/** Φ by its series around zero, which converges for every |z| that a quantile can be. */
function normalDistribution(z: number): number {
  if (z > 8) return 1;
  if (z < -8) return 0;
  let term = z;
  let sum = z;
  for (let k = 1; Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + (sum * exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
