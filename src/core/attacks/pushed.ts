import { blend } from './attack.ts';
import { centredGram, deviationOf, dot, lengthOf, meanOf } from './statistics.ts';

/** The direction of the push: against the mean, against its signs, or against the deviations. */
export type Perturbation = 'unit' | 'sign' | 'deviation';

/** mean + γ p, the largest γ at which what is measured of the distances to the honest is no more than for some honest one. */
export function pushed(
  honest: readonly Float32Array[],
  perturbation: Perturbation,
  measure: (distances2: readonly number[]) => number,
): Float32Array {
  const mean = meanOf(honest);
  const direction = directionOf(honest, mean, perturbation);
  const n = honest.length;
  const gram = centredGram(honest, mean);
  const apart = (i: number, j: number) => gram[i * n + i]! + gram[j * n + j]! - 2 * gram[i * n + j]!;
  const limit = Math.max(...honest.map((_, i) => measure(honest.map((__, j) => apart(i, j)))));
  // ‖mean + γ p − x_i‖² = ‖mean − x_i‖² + 2 γ ⟨p, mean − x_i⟩ + γ² ‖p‖²: the data are read once for all γ.
  const rows = honest.map((row, i) => ({
    near: gram[i * n + i]!,
    along: dot(direction, mean) - dot(direction, row),
  }));
  const length2 = dot(direction, direction);
  const isWithin = (gamma: number): boolean =>
    measure(rows.map(({ near, along }) => near + 2 * gamma * along + gamma * gamma * length2)) <= limit;
  return blend([
    [1, mean],
    [largest(isWithin), direction],
  ]);
}

function directionOf(honest: readonly Float32Array[], mean: Float64Array, perturbation: Perturbation): Float64Array {
  if (perturbation === 'sign') return mean.map((value) => -Math.sign(value));
  if (perturbation === 'deviation') return deviationOf(honest, mean).map((value) => -value);
  const length = lengthOf(mean);
  return length === 0 ? mean : mean.map((value) => -value / length);
}

/** The largest γ that is within, by doubling and bisection; 0 where none is, and where all are. */
function largest(isWithin: (gamma: number) => boolean): number {
  let high = 1;
  while (isWithin(high) && high < 1e12) high *= 2;
  if (high >= 1e12) return 0;
  let low = 0;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (isWithin(middle)) low = middle;
    else high = middle;
  }
  return low;
}
