import type { Entropy } from '../../../ports/entropy.ts';
import { checkNumber } from '../check.ts';
import { createIntegerSource, type IntegerSource } from '../mechanisms/random-integers.ts';
import { incompleteBeta } from '../numerics/beta.ts';
import { logGamma } from '../numerics/log-space.ts';

const ACTION = 'report a vector privately';

/** PrivUnit's parameters: report from the cap ⟨u, v⟩ ≥ γ with probability p; the report is scaled by 1/m. */
export type PrivUnit = {
  readonly dimension: number;
  readonly p: number;
  readonly gamma: number;
  /** P[⟨U, v⟩ ≥ γ] for a uniform direction U. */
  readonly capShare: number;
  readonly scale: number;
  readonly variance: number;
};

/** No smaller cap is used: a report is drawn by rejection, with about 1/q tries. It binds above ε = 9. */
const CAP_SHARE_MIN = 2 ** -10;
/** By how much the law of a direction drawn in doubles differs, on any cap, from that of a uniform one: for each coordinate. */
const CAP_ERROR = 2 ** -42;

/**
 * The PrivUnit mechanism of least variance for unit vectors.
 *
 * Formula:  ln(p/(1 − p)) + ln((1 − q)/q) = ε with q = ½ I_{1−γ²}((d − 1)/2, ½);
 *           m = p E₊/q − (1 − p) E₊/(1 − q), E₊ = c (1 − γ²)^{(d−1)/2} ÷ (d − 1); variance 1/m² − 1.
 * Needs:    d ≥ 2, ε > 0.
 * Promises: ε holds for the program that draws, too. The cap's share q under directions in doubles differs from the true
 *           one by at most η = 2⁻⁴² (d + 16): couple each coordinate with the ideal one (apart by less than 2⁻⁴⁰ but with
 *           probability 2⁻⁴³), and add the rounding of the product with v. 4η/q of ε is kept for it.
 * Source:   Bhowmick et al. 2018, arXiv:1812.00984; Asi, Feldman and Talwar 2022, arXiv:2205.02466.
 */
export function privUnit(dimension: number, epsilon: number): PrivUnit {
  checkNumber(ACTION, 'dimension', dimension, 'positiveCount');
  checkNumber(ACTION, 'epsilon', epsilon, 'positive');
  if (dimension < 2)
    throw new RangeError(`Cannot ${ACTION} as dimension must be at least 2: current value is ${dimension}`);
  const tries = Math.min(1 / CAP_SHARE_MIN, 1 + Math.exp(epsilon));
  const exactEpsilon = epsilon - 4 * (dimension + 16) * CAP_ERROR * tries;
  if (exactEpsilon <= 0) {
    throw new RangeError(
      `Cannot ${ACTION} as epsilon must be above ${epsilon - exactEpsilon} in ${dimension} dimensions, what rounding may cost: current value is ${epsilon}`,
    );
  }
  // Golden-section search over the share of ε that the coin takes.
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.max(0.001, 1 - Math.log(1 / CAP_SHARE_MIN - 1) / exactEpsilon);
  let high = 0.999;
  const at = (share: number) => withShare(dimension, exactEpsilon, share);
  for (let step = 0; step < 60; step++) {
    const left = high - ratio * (high - low);
    const right = low + ratio * (high - low);
    if (at(left).variance < at(right).variance) high = right;
    else low = left;
  }
  return at((low + high) / 2);
}

function withShare(dimension: number, epsilon: number, share: number): PrivUnit {
  const p = 1 / (1 + Math.exp(-share * epsilon));
  const capShare = 1 / (1 + Math.exp((1 - share) * epsilon));
  const gamma = capAngle(dimension, capShare);
  const half = (dimension - 1) / 2;
  const logDensity = logGamma(dimension / 2) - logGamma(half) - 0.5 * Math.log(Math.PI);
  const moment = Math.exp(logDensity + half * Math.log1p(-gamma * gamma)) / (dimension - 1);
  const scale = moment * (p / capShare - (1 - p) / (1 - capShare));
  return { dimension, p, gamma, capShare, scale, variance: 1 / (scale * scale) - 1 };
}

/** P[U₁ ≥ γ] for a uniform direction. */
function capMass(dimension: number, gamma: number): number {
  const half = incompleteBeta(1 - gamma * gamma, (dimension - 1) / 2, 0.5) / 2;
  return gamma >= 0 ? half : 1 - half;
}

function capAngle(dimension: number, mass: number): number {
  let low = -1;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (capMass(dimension, middle) > mass) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * A PrivUnit report of a unit vector: unbiased.
 *
 * Formula:  directions are drawn until one lies in the cap around the vector (with probability p) or outside it.
 * Needs:    ‖vector‖ = 1 within 1e-6.
 * Promises: every vector has the same set of possible reports: a direction is drawn before the vector is looked at, and is
 *           kept or not as it is, so no low bit tells anything. How long it takes depends on the coin alone.
 * Cost:     about p/q + 1 directions.
 */
export function privUnitReport(entropy: Entropy, vector: ArrayLike<number>, setting: PrivUnit): Float64Array {
  const { dimension, p, gamma, scale } = setting;
  let square = 0;
  for (let i = 0; i < vector.length; i++) square += vector[i]! ** 2;
  const norm = Math.sqrt(square);
  if (vector.length !== dimension || !(Math.abs(norm - 1) <= 1e-6)) {
    throw new RangeError(
      `Cannot ${ACTION} as the vector must have ${dimension} entries and norm 1: current value is ${vector.length}, ${norm}`,
    );
  }
  const source = createIntegerSource(entropy);
  const isInside = uniform(source) < p;
  const report = new Float64Array(dimension);
  for (;;) {
    drawDirection(source, report);
    let along = 0;
    for (let i = 0; i < dimension; i++) along += report[i]! * vector[i]!;
    if (along >= gamma === isInside) break;
  }
  for (let i = 0; i < dimension; i++) report[i]! /= scale;
  return report;
}

/** A uniform direction: normal numbers (Box and Muller), scaled to norm 1. */
function drawDirection(source: IntegerSource, into: Float64Array): void {
  let square = 0;
  for (let i = 0; i < into.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(source)));
    const angle = 2 * Math.PI * uniform(source);
    into[i] = radius * Math.cos(angle);
    if (i + 1 < into.length) into[i + 1] = radius * Math.sin(angle);
    square += into[i]! ** 2 + (i + 1 < into.length ? into[i + 1]! ** 2 : 0);
  }
  const norm = Math.sqrt(square);
  for (let i = 0; i < into.length; i++) into[i]! /= norm;
}

/** A uniform number in [0, 1) at 53 bits, for the coins of local reports. */
export function uniform(source: IntegerSource): number {
  return source.below(2 ** 53) / 2 ** 53;
}
