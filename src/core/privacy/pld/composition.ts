import { multiplyByPower, realSpectrum, signalOf, type Spectrum, unitSpectrum } from '../numerics/fft.ts';
import { cumulant, type LossMass } from './loss-mass.ts';

/** One kind of step and how often it happens. All losses of a composition lie on one mesh. */
export type LossStep = { readonly loss: LossMass; readonly count: number };

/** The losses of a whole composition, multiplied by e^{tilt·loss − logScale} so that the FFT keeps relative accuracy. */
export type TiltedLoss = {
  readonly meshStep: number;
  readonly first: number;
  readonly shift: number;
  readonly mass: Float64Array;
  readonly tilt: number;
  readonly logScale: number;
  readonly infinityMass: number;
  /** What a value of `mass` may be off by, either way: the rounding of the transforms. */
  readonly noise: number;
};

export type Window = { readonly tilt: number; readonly low: number; readonly high: number };

export const UNIT_ROUNDING = 2 ** -52;

/** Points of the largest transform: 2²³ doubles are 64 MiB. */
const WINDOW_POINTS_MAX = 2 ** 23;

/** The number of mesh points, a power of two, that holds a window. */
export function windowPoints(window: Window, meshStep: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(64, (window.high - window.low) / meshStep + 2)));
}

/** The smallest mesh step that a window allows. */
export function meshStepMin(window: Window): number {
  return (window.high - window.low) / (WINDOW_POINTS_MAX - 2);
}

/**
 * Adds the losses of all steps by one Fourier transform each.
 *
 * Formula:  p̃ ∝ p e^{λℓ}; spectrum of the sum = Π spectrum_j^{count_j}; the result is read back from `window.low` up.
 * Promises: `noise` bounds what rounding did to a value: u log₂N (4 + T) times the mean size of the spectrum, as a relative
 *           error of one step's spectrum counts T times. One step alone needs no transform and has none.
 *           Losses above the window wrap to its bottom, so the caller must add their Chernoff bound to δ; losses below
 *           it wrap to its top, where they weigh less than they should: an ε below `window.low` is not to be used.
 * Cost:     O(steps · N log N) for N window points.
 * Source:   Koskela et al. 2020, arXiv:1906.03049; tilting as in saddle-point methods.
 */
export function composeLosses(steps: readonly LossStep[], window: Window): TiltedLoss {
  const total = steps.reduce((sum, { count }) => sum + count, 0);
  if (total === 1) return singleLoss(steps.find(({ count }) => count === 1)!.loss, window);
  const meshStep = steps[0]!.loss.meshStep;
  const length = windowPoints(window, meshStep);
  const product = unitSpectrum(length);
  let logScale = 0;
  let shift = 0;
  let logFinite = 0;
  for (const { loss, count } of steps) {
    const { value } = cumulant(loss, window.tilt);
    multiplyByPower(product, realSpectrum(tiltedSignal(loss, window.tilt, value, length)), count);
    logScale += count * value;
    shift += count * loss.shift;
    logFinite += count * Math.log1p(-loss.infinityMass);
  }
  const size = meanSize(product);
  const wrapped = signalOf(product);
  const first = Math.ceil((window.low - shift) / meshStep);
  const mass = new Float64Array(length);
  const offset = ((first % length) + length) % length;
  for (let i = 0; i < length; i++) mass[i] = Math.max(0, wrapped[(i + offset) % length]!);
  const noise = UNIT_ROUNDING * Math.log2(length) * (4 + total) * size;
  return { meshStep, first, shift, mass, tilt: window.tilt, logScale, infinityMass: -Math.expm1(logFinite), noise };
}

/** The losses of one step, tilted and read from the window's low end up: nothing is rounded but single values. */
function singleLoss(loss: LossMass, window: Window): TiltedLoss {
  const { meshStep, shift, infinityMass } = loss;
  const { value } = cumulant(loss, window.tilt);
  const first = Math.ceil((window.low - shift) / meshStep);
  const mass = new Float64Array(windowPoints(window, meshStep));
  for (let i = 0; i < loss.mass.length; i++) {
    const at = loss.first + i - first;
    if (at >= 0 && at < mass.length) mass[at] = tilted(loss, i, window.tilt, value);
  }
  return { meshStep, first, shift, mass, tilt: window.tilt, logScale: value, infinityMass, noise: 0 };
}

/** The masses of a step times e^{tilt·loss − logTotal}, wrapped around a transform's length. */
export function tiltedSignal(loss: LossMass, tilt: number, logTotal: number, length: number): Float64Array {
  const signal = new Float64Array(length);
  const offset = ((loss.first % length) + length) % length;
  for (let i = 0; i < loss.mass.length; i++) {
    if (loss.mass[i] !== 0) signal[(i + offset) % length]! += tilted(loss, i, tilt, logTotal);
  }
  return signal;
}

function tilted({ first, meshStep, shift, mass }: LossMass, i: number, tilt: number, logTotal: number): number {
  const exponent = tilt * ((first + i) * meshStep + shift) - logTotal;
  return exponent < 700 ? mass[i]! * Math.exp(exponent) : Math.exp(Math.log(mass[i]!) + exponent);
}

/** The mean size of a spectrum's bins: no value of its signal is larger. */
function meanSize({ re, im }: Spectrum): number {
  let sum = (Math.abs(re[0]!) + Math.abs(im[0]!)) / 2;
  for (let k = 1; k < re.length; k++) sum += Math.sqrt(re[k]! ** 2 + im[k]! ** 2);
  return sum / re.length;
}

/** ε at δ, the slope −d ln δ / dε there, the noise's share of δ there, and whether the window reached down to it. */
export type EpsilonPoint = {
  readonly epsilon: number;
  readonly slope: number;
  readonly noiseShare: number;
  readonly isInside: boolean;
};

/**
 * The ε at which a composition has the wanted δ.
 *
 * Formula:  δ(ε) = m_∞ + Σ_{ℓ>ε} p(ℓ)(1 − e^{ε−ℓ}), summed from the top with running sums
 *           A = Σ p̃ e^{−λ(ℓ−ℓ_j)}, B = Σ p̃ e^{−(λ+1)(ℓ−ℓ_j)}, C = A − B (without the cancellation).
 * Promises: an upper bound of that ε, with what noise may have taken from every value added; a lower one with
 *           `rounding` "optimistic", with what it may have given taken away.
 */
export function epsilonAtDelta(
  total: TiltedLoss,
  delta: number,
  extraMass: number,
  rounding: 'pessimistic' | 'optimistic' = 'pessimistic',
): EpsilonPoint {
  const { meshStep, tilt, mass } = total;
  const target = delta - total.infinityMass - extraMass;
  if (!(target > 0)) return { epsilon: Infinity, slope: 0, noiseShare: 0, isInside: true };
  const fadeA = Math.exp(-tilt * meshStep);
  const fadeB = fadeA * Math.exp(-meshStep);
  const gap = -Math.expm1(-meshStep);
  // The noise of all values above, each at its worst: Σ_k (e^{−λkh} − e^{−(λ+1)kh}).
  const perValue = fadeA / -Math.expm1(-tilt * meshStep) - fadeB / -Math.expm1(-(tilt + 1) * meshStep);
  const signed = (rounding === 'pessimistic' ? 1 : -1) * total.noise;
  const noise = signed * Math.min(mass.length, perValue);
  const noiseB = signed * Math.min(mass.length, 1 / -Math.expm1(-(tilt + 1) * meshStep));
  let b = 0;
  let c = 0;
  for (let i = mass.length - 1; i >= 0; i--) {
    const nextC = fadeA * (c + gap * b);
    const nextB = mass[i]! + fadeB * b;
    const at = (total.first + i) * meshStep + total.shift;
    const wanted = target * Math.exp(tilt * at - total.logScale);
    if (nextC + noise > wanted) {
      const above = wanted * Math.exp(tilt * meshStep);
      const epsilon = at + meshStep + within((c + noise - above) / Math.max(0, b + noiseB), gap, rounding);
      return { epsilon, slope: (b + c - above) / above, noiseShare: noise / above, isInside: true };
    }
    b = nextB;
    c = nextC;
  }
  return { epsilon: total.first * meshStep + total.shift, slope: tilt, noiseShare: 0, isInside: false };
}

/** How far below the upper end of a mesh step δ is met; the end on the safe side where noise hides it. */
function within(share: number, gap: number, rounding: 'pessimistic' | 'optimistic'): number {
  if (share >= -gap * (1 + 1e-9)) return Math.log1p(Math.min(0, Math.max(share, -gap)));
  return rounding === 'pessimistic' ? 0 : Math.log1p(-gap);
}
