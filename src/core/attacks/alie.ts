import type { Attack } from './attack.ts';
import { blend, counts, seen } from './attack.ts';
import { deviationOf, meanOf, normalQuantile } from './statistics.ts';

/**
 * A little is enough: all attackers send the honest mean shifted by a few deviations, few enough to stay among the honest.
 *
 * Formula:   mean − z · sd (n − 1 in the deviation); z = Φ⁻¹((n − f − s)/(n − f)), s = ⌊n/2 + 1⌋ − f, unless given.
 * Differs:   ByzFL adds instead of subtracting; a negative z does that.
 * Source:    Baruch et al. 2019, arXiv:1902.06156.
 */
export function alie(z?: number): Attack {
  return (input) => shifted(seen(input), -(z ?? alieZMax(counts(input).n, counts(input).f)));
}

/** The largest z at which enough honest clients are still farther out than the attackers. */
export function alieZMax(n: number, f: number): number {
  const supporters = Math.floor(n / 2 + 1) - f;
  return normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, (n - f - supporters) / (n - f))));
}

/** mean + strength · sd. */
export function shifted(honest: readonly Float32Array[], strength: number): Float32Array {
  const mean = meanOf(honest);
  return blend([
    [1, mean],
    [strength, deviationOf(honest, mean)],
  ]);
}
