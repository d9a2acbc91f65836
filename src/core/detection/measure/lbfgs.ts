import { dotOf } from './sketch.ts';

/**
 * B v for the L-BFGS approximation B of a Hessian, in compact form: what a step v of the model does to the gradients.
 *
 * Formula:   B v = σ v − [σS Y] [[σSᵀS, L], [Lᵀ, −D]]⁻¹ [σSᵀ; Yᵀ] v, with σ = ⟨y_m, s_m⟩/⟨s_m, s_m⟩, L the strictly
 *            lower part of SᵀY and D its diagonal. Reads products only, so sketches serve as well as vectors.
 * Shapes:    m steps and m changes of gradient of length d, v of d → d. Null where the pairs hold no curvature.
 * Promises:  B s_m = y_m (secant).
 * Cost:      O(m² d + m³).
 * Source:    Byrd, Nocedal, Schnabel 1994, theorem 2.3; Zhang et al. 2022 (FLDetector), arXiv:2207.09209.
 */
export function lbfgsProduct(
  steps: readonly ArrayLike<number>[],
  changes: readonly ArrayLike<number>[],
  v: ArrayLike<number>,
): Float64Array | null {
  const m = steps.length;
  if (m === 0) return null;
  const last2 = dotOf(steps[m - 1]!, steps[m - 1]!);
  const sigma = dotOf(changes[m - 1]!, steps[m - 1]!) / last2;
  if (!(last2 > 0) || !Number.isFinite(sigma)) return null;
  const middle = Array.from({ length: 2 * m }, () => new Float64Array(2 * m));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      middle[i]![j] = sigma * dotOf(steps[i]!, steps[j]!);
      const product = dotOf(steps[i]!, changes[j]!);
      if (i > j) {
        middle[i]![m + j] = product;
        middle[m + j]![i] = product;
      }
      if (i === j) middle[m + i]![m + i] = -product;
    }
  }
  const right = Float64Array.from({ length: 2 * m }, (_, i) =>
    i < m ? sigma * dotOf(steps[i]!, v) : dotOf(changes[i - m]!, v),
  );
  const solved = solveInPlace(middle, right);
  if (solved === null) return null;
  return Float64Array.from({ length: v.length }, (_, k) => {
    let value = sigma * v[k]!;
    for (let i = 0; i < m; i++) value -= solved[i]! * sigma * steps[i]![k]! + solved[m + i]! * changes[i]![k]!;
    return value;
  });
}

/** Gaussian elimination with partial pivoting; null for a singular matrix. */
function solveInPlace(matrix: Float64Array[], right: Float64Array): Float64Array | null {
  const n = right.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) {
      if (Math.abs(matrix[i]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = i;
    }
    const lead = matrix[pivot]![column]!;
    if (!(Math.abs(lead) > 1e-300)) return null;
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    [right[column], right[pivot]] = [right[pivot]!, right[column]!];
    for (let i = column + 1; i < n; i++) {
      const factor = matrix[i]![column]! / lead;
      if (factor === 0) continue;
      for (let j = column; j < n; j++) matrix[i]![j]! -= factor * matrix[column]![j]!;
      right[i]! -= factor * right[column]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) right[i]! -= matrix[i]![j]! * right[j]!;
    right[i]! /= matrix[i]![i]!;
  }
  return right;
}
