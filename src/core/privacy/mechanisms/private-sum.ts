import type { Entropy } from '../../../ports/entropy.ts';
import { checkNumber } from '../check.ts';
import { discreteGaussianNoise } from './integer-noise.ts';

const ACTION = 'release a private sum';
/** σ in grid steps: fine enough for a million coordinates that share one clip norm, coarse enough for exact sums. */
const SIGMA_UNITS = 2 ** 20;
/** Squares of norms up to here are exact in doubles. */
const NORM_UNITS_MAX = 2 ** 26;
/** Deviation, in grid steps, of the kernel that turns continuous noise into discrete noise in the proof. */
const KERNEL_UNITS = 2;

/** The grid on which vectors are summed: everything is an integer number of steps. */
export type NoiseGrid = {
  readonly step: number;
  /** The largest L2 norm of one quantised vector, in steps. */
  readonly normMaxUnits: number;
  readonly sigmaUnits: number;
  /** σ ÷ the sensitivity that the grid enforces; at least the wanted one. */
  readonly noiseMultiplier: number;
  /** The multiplier of the continuous noise that the release is at least as private as. */
  readonly provenMultiplier: number;
};

/**
 * The grid for a clip norm and a noise multiplier.
 *
 * Formula:  σ is 2²⁰ steps (fewer below a noise multiplier of 1/64); the norm bound is the largest number of steps
 *           within σ ÷ noise multiplier.
 * Needs:    0 < noise multiplier ≤ 2²⁰.
 * Promises: a release on this grid is as private as continuous Gaussian noise of `provenMultiplier`, sampled or not, up
 *           to 10⁻³⁰ of ε: discrete noise of deviation σ is what a kernel of deviation s = 2 steps makes of continuous
 *           noise of deviation √(σ² − s²), within a factor e^{±4·10⁻³⁴} a coordinate, and a kernel reveals nothing more.
 * Source:   Peikert 2010, theorem 3.1 (convolution of discrete Gaussians); smoothing by Poisson summation.
 */
export function noiseGrid(clipNormL2: number, noiseMultiplier: number): NoiseGrid {
  checkNumber(ACTION, 'clipNormL2', clipNormL2, 'positive');
  checkNumber(ACTION, 'noiseMultiplier', noiseMultiplier, 'positive');
  const sigmaUnits = Math.min(SIGMA_UNITS, Math.floor(NORM_UNITS_MAX * noiseMultiplier));
  const normMaxUnits = Math.floor(sigmaUnits / noiseMultiplier);
  if (normMaxUnits < 1) {
    throw new RangeError(
      `Cannot ${ACTION} as noiseMultiplier must be from ${1 / NORM_UNITS_MAX} to ${SIGMA_UNITS}: current value is ${noiseMultiplier}`,
    );
  }
  const step = clipNormL2 / normMaxUnits;
  const proven = Math.sqrt(Math.max(0, sigmaUnits * sigmaUnits - KERNEL_UNITS * KERNEL_UNITS));
  return {
    step,
    normMaxUnits,
    sigmaUnits,
    noiseMultiplier: sigmaUnits / normMaxUnits,
    provenMultiplier: proven / normMaxUnits,
  };
}

/**
 * Clips a vector and moves it to the grid.
 *
 * Formula:  nearest grid point of the clipped vector; moved towards zero where rounding made it longer than the bound.
 * Promises: the integers' L2 norm is at most grid.normMaxUnits, in exact arithmetic, whatever the input. Values that are
 *           not finite count as 0.
 */
export function quantiseClipped(vector: ArrayLike<number>, grid: NoiseGrid): Int32Array {
  const units = new Int32Array(vector.length);
  let square = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i]! / grid.step;
    square += Number.isFinite(value) ? value * value : 0;
  }
  const norm = Math.sqrt(square);
  // A norm that overflows has no direction that doubles can tell: it counts as 0.
  const scale = norm <= grid.normMaxUnits ? 1 : Number.isFinite(norm) ? grid.normMaxUnits / norm : 0;
  for (let i = 0; i < vector.length; i++) {
    const value = (vector[i]! / grid.step) * scale;
    units[i] = Number.isFinite(value) ? Math.round(value) : 0;
  }
  shortenInPlace(units, grid.normMaxUnits);
  return units;
}

/** Moves integers towards zero until their exact norm is within the bound. */
function shortenInPlace(units: Int32Array, normMax: number): void {
  const limit = normMax * normMax;
  for (;;) {
    let square = 0;
    for (const unit of units) square += unit * unit;
    if (square <= limit) return;
    const scale = normMax / Math.sqrt(square);
    for (let i = 0; i < units.length; i++) units[i] = Math.trunc(units[i]! * scale);
  }
}

/** A sum under construction. It can be released once; asked again, it answers the same. */
export type PrivateSum = {
  readonly grid: NoiseGrid;
  /**
   * Clips, quantises and adds one client's vector. Gives the share of the squared bound that it takes up, exact on the
   * grid: a figure of that client's data.
   */
  add(vector: ArrayLike<number>): number;
  /** The noisy sum. Later calls return the same numbers: a retry never draws new noise. */
  release(): Float64Array;
};

/**
 * A sum of clipped vectors, released with exact discrete Gaussian noise.
 *
 * Formula:  clip → integers on a grid → exact integer sum → + N_ℤ(0, σ²) on each coordinate → × step.
 * Needs:    fewer than 2³⁰ vectors.
 * Promises: adding or removing one vector moves the integer sum by at most normMaxUnits, so the release is
 *           ½ ÷ noiseMultiplier²-zCDP and at least as private as Gaussian noise of the grid's `provenMultiplier`, by
 *           any accountant. No floating-point noise: the low bits carry nothing.
 * Source:   Canonne, Kamath and Steinke 2020, theorem 14 (discrete Gaussian, multivariate).
 */
export function createPrivateSum(options: {
  readonly dimension: number;
  readonly clipNormL2: number;
  readonly noiseMultiplier: number;
  readonly entropy: Entropy;
}): PrivateSum {
  const dimension = checkNumber(ACTION, 'dimension', options.dimension, 'positiveCount');
  const grid = noiseGrid(options.clipNormL2, options.noiseMultiplier);
  const total = new Float64Array(dimension);
  let released: Float64Array | undefined;
  return {
    grid,
    add: (vector) => {
      if (released) throw new Error(`Cannot ${ACTION} as its vectors must come before the release: it is released`);
      if (vector.length !== dimension) {
        throw new RangeError(
          `Cannot ${ACTION} as each vector must have ${dimension} entries: current value is ${vector.length}`,
        );
      }
      const units = quantiseClipped(vector, grid);
      let square = 0;
      for (let i = 0; i < dimension; i++) {
        const unit = units[i]!;
        total[i]! += unit;
        square += unit * unit;
      }
      return square / grid.normMaxUnits ** 2;
    },
    release: () => {
      released ??= addNoise(total, grid, options.entropy);
      return released.slice();
    },
  };
}

function addNoise(total: Float64Array, grid: NoiseGrid, entropy: Entropy): Float64Array {
  const noise = discreteGaussianNoise(entropy, { n: grid.sigmaUnits ** 2, d: 1 });
  return total.map((value) => (value + noise.next()) * grid.step);
}
