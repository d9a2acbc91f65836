import { goldenRatio } from '../numerics/portable.ts';

/** The largest eigenvalue of a symmetric positive semidefinite matrix and a unit eigenvector. */
export type TopEigenpair = { readonly value: number; readonly vector: Float64Array };

const jacobiRowsMax = 48;
const powerStepsMax = 5000;

/**
 * The top eigenpair, deterministically: Jacobi rotations for small matrices, power steps from a fixed start for large.
 * The sign of the vector is such that its largest entry (the first among equals) is positive.
 */
export function topEigenpair(matrix: Float64Array, n: number): TopEigenpair {
  let scale = 0;
  for (const value of matrix) scale = Math.max(scale, Math.abs(value));
  if (scale === 0) return { value: 0, vector: Float64Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0)) };
  const scaled = matrix.map((value) => value / scale);
  const { value, vector } = n <= jacobiRowsMax ? jacobi(scaled, n) : power(scaled, n);
  let lead = 0;
  for (let i = 1; i < n; i++) if (Math.abs(vector[i]!) > Math.abs(vector[lead]!) * (1 + 1e-9)) lead = i;
  const sign = vector[lead]! < 0 ? -1 : 1;
  return { value: Math.max(0, value * scale), vector: vector.map((entry) => entry * sign) };
}

/** Cyclic Jacobi: rotates each pair of rows until what is off the diagonal has gone. */
function jacobi(matrix: Float64Array, n: number): TopEigenpair {
  const a = matrix.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off += a[i * n + j]! ** 2;
    if (off < 1e-32) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  let top = 0;
  for (let i = 1; i < n; i++) if (a[i * n + i]! > a[top * n + top]!) top = i;
  return { value: a[top * n + top]!, vector: Float64Array.from({ length: n }, (_, i) => v[i * n + top]!) };
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (Math.abs(apq) < 1e-300) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = Math.abs(theta) > 1e150 ? 1 / (2 * theta) : (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[p * n + k]!, a[q * n + k]!];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const [x, y] = [v[k * n + p]!, v[k * n + q]!];
    v[k * n + p] = c * x - s * y;
    v[k * n + q] = s * x + c * y;
  }
}

/** Power steps until the Rayleigh quotient stands still; it is a lower bound of the eigenvalue at any time. */
function power(matrix: Float64Array, n: number): TopEigenpair {
  const vector = Float64Array.from({ length: n }, (_, i) => 1 + (((i + 1) * goldenRatio) % 1));
  const next = new Float64Array(n);
  divideInto(vector, vector, Math.sqrt(dot(vector, vector)));
  let value = 0;
  for (let step = 0; step < powerStepsMax; step++) {
    timesInto(next, matrix, vector);
    const quotient = dot(next, vector);
    divideInto(vector, next, Math.sqrt(dot(next, next)));
    if (Math.abs(quotient - value) <= 1e-15 * quotient) break;
    value = quotient;
  }
  return { value, vector };
}

function timesInto(target: Float64Array, matrix: Float64Array, vector: Float64Array): void {
  const n = vector.length;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += matrix[i * n + j]! * vector[j]!;
    target[i] = sum;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Divides by a length; a vector without one stays as it is. */
function divideInto(target: Float64Array, source: Float64Array, length: number): void {
  for (let i = 0; i < source.length; i++) target[i] = length === 0 ? source[i]! : source[i]! / length;
}
