import { logAdd } from '../numerics/log-space.ts';

/** Step of the sum over z: its error falls like e^(−π²/h²) for such an integrand. */
const STEP = 0.25;
/** Terms so many nats below the largest are left out. */
const CUT = 45;

/**
 * ln E[(L − 1)^k] under N(0, σ²), L the density of N(1, σ²) over it, for even k.
 *
 * Formula: Σ_z h φ(z) (e^{z/σ − 1/2σ²} − 1)^k over a grid around its two peaks. Every term is positive, so no digit is
 *          lost; the alternating sum Σ (−1)^i C(k, i) e^{i(i−1)/2σ²} loses all of them where σ is large.
 * Needs:   k even, k ≥ 2; σ > 0.
 * Promises: 1e-12 of the moment for logarithms up to a thousand, 1e-15 of the logarithm beyond.
 * Cost:    some hundred exponentials.
 */
export function logCentralMoment(sigma: number, k: number): number {
  const middle = 0.5 / sigma;
  // ln|e^u − 1|, of which both sides of u = 0 keep their digits.
  const logTerm = (z: number) => {
    const u = (z - middle) / sigma;
    const size = u > 0 ? u + Math.log(-Math.expm1(-u)) : Math.log(-Math.expm1(u));
    return k * size - 0.5 * z * z;
  };
  const slope = (z: number) => -k / (sigma * Math.expm1((middle - z) / sigma)) - z;
  const root = Math.sqrt(k);
  const above = peakSum(logTerm, zeroOf(slope, middle, middle + k / sigma + root), middle, Infinity);
  const below = peakSum(logTerm, zeroOf(slope, -root, middle), -Infinity, middle);
  return logAdd(above, below) + Math.log(STEP) - 0.5 * Math.log(2 * Math.PI);
}

/** Where a falling slope changes its sign, near enough to start from. */
function zeroOf(slope: (z: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < 40; i++) {
    const at = (low + high) / 2;
    if (slope(at) > 0) low = at;
    else high = at;
  }
  return high;
}

/** ln of the sum over the grid points between two ends, from the peak outwards. */
function peakSum(logTerm: (z: number) => number, peak: number, from: number, to: number): number {
  const start = Math.round(peak / STEP);
  const top = logTerm(peak);
  let sum = 0;
  for (const [first, by] of [
    [start, 1],
    [start - 1, -1],
  ] as const) {
    for (let i = first; ; i += by) {
      const z = i * STEP;
      const isInside = z > from && z <= to;
      const term = isInside ? logTerm(z) - top : -Infinity;
      sum += Math.exp(term);
      if (isInside ? term < -CUT : by > 0 === z > peak || z === peak) break;
    }
  }
  return top + Math.log(sum);
}
