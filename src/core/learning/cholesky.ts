/** A = L·Lᵀ, or where the decomposition met a pivot that is none. */
export type Factor = {
  readonly lower: Float64Array;
  readonly pivot: { readonly index: number; readonly value: number } | null;
};

/** Below this share of its diagonal a pivot is rounding. */
const pivotShareMin = 1e-12;

/**
 * Cholesky's decomposition of a symmetric matrix.
 *
 * Formula:  L_jj = √(A_jj − Σ_k L_jk²);  L_ij = (A_ij − Σ_k L_ik L_jk) ÷ L_jj.
 * Shapes:   A [n, n] row-major, its lower triangle read → L [n, n], of which the lower triangle is meant.
 * Promises: `pivot` is null exactly when each pivot is above 10⁻¹² of its diagonal: A is positive definite.
 * Cost:     n³ ÷ 3.
 */
export function choleskyFactor(matrix: Float64Array, n: number): Factor {
  const lower = matrix.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i === j && !(sum > pivotShareMin * Math.abs(matrix[j * n + j]!))) {
        return { lower, pivot: { index: j, value: sum } };
      }
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
  }
  return { lower, pivot: null };
}

/** Solves L·Lᵀ·x = b. */
export function solveFactored(lower: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i * n + k]! * x[k]!;
    x[i]! /= lower[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k * n + i]! * x[k]!;
    x[i]! /= lower[i * n + i]!;
  }
  return x;
}
