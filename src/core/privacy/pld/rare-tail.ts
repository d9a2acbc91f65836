import { realSpectrum, signalOf, type Spectrum } from '../numerics/fft.ts';
import { upperChernoff } from './chernoff.ts';
import {
  type LossStep,
  tiltedSignal,
  type TiltedLoss,
  UNIT_ROUNDING,
  type Window,
  windowPoints,
} from './composition.ts';
import { cumulant, type LossMass } from './loss-mass.ts';

/** A step's losses in two: the bulk below a cell, and the rare ones from it up. */
type Split = { readonly bulk: LossMass; readonly rare: LossMass };

/**
 * The highest cell from which on losses may be set apart: those below it, summed over all steps, exceed ε with a chance
 * of at most e^logTail. Undefined where no cell does.
 */
export function rarestSplit(step: LossStep, epsilon: number, logTail: number): Split | undefined {
  const { loss, count } = step;
  const holds = (cell: number) => {
    const { bulk } = splitAt(loss, cell);
    return upperChernoff([{ loss: bulk, count }], logTail).loss <= epsilon;
  };
  // A bulk of no more than its share of ε in each step needs no bound.
  let low = Math.min(loss.mass.length, Math.floor((epsilon / count - loss.shift) / loss.meshStep) - loss.first + 1);
  let high = loss.mass.length;
  if (low <= 0 || low >= high) return undefined;
  while (high - low > 1 + low / 200) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return splitAt(loss, low);
}

function splitAt(loss: LossMass, cell: number): Split {
  const part = (keeps: (i: number) => boolean): LossMass => ({
    ...loss,
    mass: loss.mass.map((mass, i) => (keeps(i) ? mass : 0)),
  });
  return { bulk: part((i) => i < cell), rare: part((i) => i >= cell) };
}

/**
 * The losses of a composition in which at least one step was rare; what the bulk alone may add is left out.
 *
 * Formula:  (B + R)^T − B^T = R Σ_{j<T} (B + R)^j B^{T−1−j} in the transform, by doubling: nothing is subtracted.
 * Promises: `noise` is a share of the mass of R, not of everything. With η = u log₂N, M = max(|B + R|, |B|): the spectra of
 *           R and B are off by η‖R‖ and η, so a bin is by η ‖R‖ T ((T − 1) M^{T−2} + 10 M^{T−1}), the 10 for the arithmetic.
 */
export function composeRare(step: LossStep, { bulk, rare }: Split, window: Window): TiltedLoss {
  const { loss, count } = step;
  const { meshStep, infinityMass } = loss;
  const length = windowPoints(window, meshStep);
  const { value } = cumulant(loss, window.tilt);
  const rareSignal = tiltedSignal(rare, window.tilt, value, length);
  const rareMass = rareSignal.reduce((sum, mass) => sum + mass, 0);
  const common = realSpectrum(tiltedSignal(bulk, window.tilt, value, length));
  const { spectrum, meanSize } = differenceOfPowers(realSpectrum(rareSignal), common, count);
  const wrapped = signalOf(spectrum);
  const shift = count * loss.shift;
  const first = Math.ceil((window.low - shift) / meshStep);
  const offset = ((first % length) + length) % length;
  const mass = Float64Array.from({ length }, (_, i) => Math.max(0, wrapped[(i + offset) % length]!));
  const noise = UNIT_ROUNDING * Math.log2(length) * rareMass * count * meanSize;
  const infinity = -Math.expm1(count * Math.log1p(-infinityMass));
  return { meshStep, first, shift, mass, tilt: window.tilt, logScale: count * value, infinityMass: infinity, noise };
}

/** R Σ_{j<T} A^j B^{T−1−j}, A = B + R, in each bin, and the mean of (T − 1) M^{T−2} + 10 M^{T−1}. */
function differenceOfPowers(rare: Spectrum, common: Spectrum, count: number) {
  const half = rare.re.length;
  const spectrum = { re: new Float64Array(half), im: new Float64Array(half) };
  let sum = 0;
  const sized = (are: number, aim: number, bre: number, bim: number) => {
    const most = Math.max(Math.hypot(are, aim), Math.hypot(bre, bim));
    return (count - 1) * most ** (count - 2) + 10 * most ** (count - 1);
  };
  for (const bin of [rare.re, rare.im] as const) {
    // Bins 0 and n/2 are real, and stand at index 0 of the two halves.
    const base = bin === rare.re ? common.re[0]! : common.im[0]!;
    const target = bin === rare.re ? spectrum.re : spectrum.im;
    target[0] = bin[0]! * sumOfPowers(base + bin[0]!, 0, base, 0, count).re;
    sum += sized(base + bin[0]!, 0, base, 0) / 2;
  }
  for (let k = 1; k < half; k++) {
    const [rr, ri, br, bi] = [rare.re[k]!, rare.im[k]!, common.re[k]!, common.im[k]!];
    const { re, im } = sumOfPowers(br + rr, bi + ri, br, bi, count);
    spectrum.re[k] = rr * re - ri * im;
    spectrum.im[k] = rr * im + ri * re;
    sum += sized(br + rr, bi + ri, br, bi);
  }
  return { spectrum, meanSize: sum / half };
}

/** Σ_{j<T} a^j b^{T−1−j} for complex a and b: S_{2t} = S_t (a^t + b^t), S_{t+1} = S_t a + b^t, over the bits of T. */
function sumOfPowers(are: number, aim: number, bre: number, bim: number, count: number) {
  let [sr, si, pr, pi, qr, qi] = [1, 0, are, aim, bre, bim];
  for (let bit = 2 ** (Math.floor(Math.log2(count)) - 1); bit >= 1; bit /= 2) {
    [sr, si] = [sr * (pr + qr) - si * (pi + qi), sr * (pi + qi) + si * (pr + qr)];
    [pr, pi, qr, qi] = [pr * pr - pi * pi, 2 * pr * pi, qr * qr - qi * qi, 2 * qr * qi];
    if (Math.floor(count / bit) % 2 === 1) {
      [sr, si] = [sr * are - si * aim + qr, sr * aim + si * are + qi];
      [pr, pi, qr, qi] = [pr * are - pi * aim, pr * aim + pi * are, qr * bre - qi * bim, qr * bim + qi * bre];
    }
  }
  return { re: sr, im: si };
}
