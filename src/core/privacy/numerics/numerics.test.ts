// The numbers under the accountants, against integers of any size and sums that are written out: no code is shared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompleteBeta } from './beta.ts';
import { erfc, logNormalUpper, normalUpper, normalUpperQuantile } from './erfc.ts';
import { multiplyByPower, realSpectrum, signalOf, unitSpectrum } from './fft.ts';
import { logAbsDifference, logAdd, logBinomial, logGamma } from './log-space.ts';

const near = (actual: number, expected: number, relative: number, name: string) =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${name}: ${actual} instead of ${expected}`);

/** Numbers with 1,400 binary places: enough for erfc(26), which is 1e-295, from the series of erf. */
const places = 1400n;
const one = 1n << places;
const arctanOfInverse = (n: bigint) => {
  let sum = 0n;
  for (let power = one / n, k = 1n; power !== 0n; power /= -n * n, k += 2n) sum += power / k;
  return sum;
};
const pi = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
function rootOf(value: bigint): bigint {
  let root = 1n << BigInt(value.toString(2).length / 2 + 1);
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root;
}
/** A double as an exact fraction of `one`. */
const exact = (x: number) => (BigInt(x * 2 ** 60) * one) >> 60n;
/** 1 − erf(x) by Maclaurin's series, in units of 1 ÷ `one`. */
function exactErfc(x: number): bigint {
  const square = (exact(x) * exact(x)) >> places;
  let [sum, term] = [0n, exact(x)];
  for (let n = 0n; term !== 0n; n++) {
    sum += (n % 2n === 0n ? term : -term) / (2n * n + 1n);
    term = ((term * square) >> places) / (n + 1n);
  }
  return one - (2n * sum * one) / rootOf(pi * one);
}
/** The logarithm of a fraction of `one`, from its leading bits. */
function logOf(value: bigint): number {
  const extra = BigInt(Math.max(0, value.toString(2).length - 60));
  return Math.log(Number(value >> extra)) + (Number(extra) - Number(places)) * Math.LN2;
}
const toNumber = (value: bigint) => Number(value >> (places - 1100n)) * 2 ** -550 * 2 ** -550;

test('erfc() equals the series of 1,400 places to 2e-15, on all of its branches and at their edges', () => {
  const points = [0, 0.03125, 0.25, 0.5, 0.75, 0.84375, 0.875, 1, 1.125, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 2.875];
  points.push(3, 3.5, 4, 4.75, 5.5, 6, 6.5, 8, 11.0625, 15.34375, 19.9, 20, 23.7, 26);
  for (const x of points) near(erfc(x), toNumber(exactErfc(x)), 2e-15, `erfc(${x})`);
  for (const x of [0.03125, 0.5, 0.84375, 1, 1.125, 1.25, 2, 3.5, 5.5, 6, 6.5])
    near(erfc(-x), 2 - toNumber(exactErfc(x)), 2e-15, `erfc(−${x})`);
  assert.deepEqual([erfc(28.5), erfc(Infinity), erfc(-40), erfc(-Infinity)], [0, 0, 2, 2]);
});

test('normal tails: table values, logarithms beyond the smallest double, and the quantile inverts them', () => {
  near(normalUpper(1.959963984540054), 0.025, 1e-13, 'the 97.5 % quantile');
  assert.equal(normalUpper(0), 0.5);
  for (const x of [-3, 0.5, 10, 19.5, 20.5, 25]) {
    const tail = x < 0 ? 2n * one - exactErfc(-x) : exactErfc(x);
    const wanted = logOf(tail) - Math.LN2;
    const error = Math.abs(logNormalUpper(x * Math.SQRT2) - wanted);
    assert.ok(error <= 4e-15 + 1e-14 * Math.abs(wanted) * Number(x > 0), `ln tail at ${x}√2: ${error}`);
  }
  // The tail's series: ln P ≈ −z²/2 − ln(z√2π) + ln(1 − 1/z² + 3/z⁴).
  const z = 1000;
  const series = (-z * z) / 2 - Math.log(z * Math.sqrt(2 * Math.PI)) + Math.log1p(-(z ** -2) + 3 * z ** -4);
  near(logNormalUpper(z), series, 1e-15, 'z = 1000');
  near(normalUpperQuantile(0.025), 1.959963984540054, 1e-13, 'quantile of 0.025');
  near(normalUpperQuantile(0.975), -1.959963984540054, 1e-13, 'quantile of 0.975');
  assert.ok(Math.abs(normalUpperQuantile(0.5)) < 1e-12);
  for (const tail of [1e-300, 1e-12, 0.3, 0.999]) near(normalUpper(normalUpperQuantile(tail)), tail, 1e-11, `${tail}`);
  for (const tail of [0, 1, -0.1, 1.1, Number.NaN]) assert.throws(() => normalUpperQuantile(tail), RangeError);
});

const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1));

test('logGamma() and logBinomial() equal factorials, on both sides of 12', () => {
  for (let n = 3; n <= 40; n++) near(logGamma(n + 1), logOf(factorial(n) << places), 2e-14, `${n}!`);
  near(logGamma(171), logOf(factorial(170) << places), 1e-15, '170!');
  assert.ok(Math.abs(logGamma(1)) < 1e-14 && Math.abs(logGamma(2)) < 1e-14);
  // Γ(n + ½) = (2n)! √π ÷ (4ⁿ n!)
  for (const n of [0, 1, 2, 5, 11, 12, 20]) {
    const half = (factorial(2 * n) << places) / (4n ** BigInt(n) * factorial(n));
    const wanted = logOf(half) + Math.log(Math.PI) / 2;
    assert.ok(Math.abs(logGamma(n + 0.5) - wanted) < 4e-14 * Math.max(1, Math.abs(wanted)), `Γ(${n} + ½)`);
  }
  const choose = (n: number, k: number) => factorial(n) / (factorial(k) * factorial(n - k));
  for (const [n, k] of [
    [2, 1],
    [5, 2],
    [10, 3],
    [52, 5],
    [100, 50],
    [100, 99],
  ] as const)
    near(logBinomial(n, k), logOf(choose(n, k) << places), 1e-13, `${n} over ${k}`);
  assert.deepEqual([logBinomial(7, 0), logBinomial(7, 7), logBinomial(0, 0)], [0, 0, 0]);
  assert.deepEqual([logBinomial(7, 8), logBinomial(7, -1)], [-Infinity, -Infinity]);
});

test('logAdd() and logAbsDifference() are sums and differences, also far outside the doubles', () => {
  near(logAdd(Math.log(3), Math.log(4)), Math.log(7), 1e-15, '3 + 4');
  near(logAdd(-2000, -2000), -2000 + Math.LN2, 1e-15, 'tiny');
  near(logAdd(5000, 4000), 5000, 1e-15, 'huge');
  assert.deepEqual([logAdd(-Infinity, -Infinity), logAdd(-Infinity, 3), logAdd(3, -Infinity)], [-Infinity, 3, 3]);
  near(logAbsDifference(Math.log(7), Math.log(4)), Math.log(3), 1e-15, '7 − 4');
  near(logAbsDifference(Math.log(4), Math.log(7)), Math.log(3), 1e-15, '4 − 7');
  near(logAbsDifference(3000 + Math.LN2, 3000), 3000, 1e-12, 'huge');
  assert.deepEqual([logAbsDifference(2, 2), logAbsDifference(-Infinity, 2)], [-Infinity, 2]);
});

test('incompleteBeta() equals its closed forms and sums of binomial probabilities', () => {
  for (const x of [0.01, 0.2, 0.5, 0.77, 0.99]) {
    near(incompleteBeta(x, 1, 3.5), 1 - (1 - x) ** 3.5, 1e-12, `I_${x}(1, 3.5)`);
    near(incompleteBeta(x, 2.5, 1), x ** 2.5, 1e-12, `I_${x}(2.5, 1)`);
    // P[Bin(n, x) ≥ k] = I_x(k, n − k + 1)
    for (const [n, k] of [
      [4, 2],
      [10, 9],
      [30, 3],
      [60, 30],
    ] as const) {
      let tail = 0;
      for (let j = k; j <= n; j++) {
        const choose = Number(factorial(n) / (factorial(j) * factorial(n - j)));
        tail += choose * x ** j * (1 - x) ** (n - j);
      }
      near(incompleteBeta(x, k, n - k + 1), tail, 1e-11, `P[Bin(${n}, ${x}) ≥ ${k}]`);
    }
  }
  near(incompleteBeta(0.5, 1000, 1000), 0.5, 1e-11, 'the middle of a narrow one');
  near(incompleteBeta(0.5, 0.5, 0.5), 0.5, 1e-13, 'arcsine law');
  near(incompleteBeta(0.25, 0.5, 0.5), 1 / 3, 1e-13, 'arcsine law at ¼');
  assert.deepEqual(
    [-1, 0, 1, 2].map((x) => incompleteBeta(x, 2, 3)),
    [0, 0, 1, 1],
  );
});

/** Bin k of a plain discrete Fourier transform. */
function bin(signal: Float64Array, k: number): readonly [re: number, im: number] {
  let [re, im] = [0, 0];
  signal.forEach((value, t) => {
    re += value * Math.cos((2 * Math.PI * k * t) / signal.length);
    im -= value * Math.sin((2 * Math.PI * k * t) / signal.length);
  });
  return [re, im];
}
const reversed = (j: number, half: number) =>
  Number.parseInt(j.toString(2).padStart(Math.log2(half), '0').split('').toReversed().join(''), 2) || 0;
const signalOfLength = (n: number) => Float64Array.from({ length: n }, (_, i) => ((i * 7919 + 13) % 31) / 31 - 0.3);

test('realSpectrum() gives the bins of a plain transform in bit-reversed order, and signalOf() takes them back', () => {
  for (const n of [4, 8, 16, 64, 256]) {
    const signal = signalOfLength(n);
    const { re, im } = realSpectrum(signal);
    const scale = n * 1e-14;
    for (let j = 1; j < n / 2; j++) {
      const [wantedRe, wantedIm] = bin(signal, reversed(j, n / 2));
      assert.ok(Math.abs(re[j]! - wantedRe) < scale && Math.abs(im[j]! - wantedIm) < scale, `bin at ${j} of ${n}`);
    }
    assert.ok(Math.abs(re[0]! - bin(signal, 0)[0]) < scale && Math.abs(im[0]! - bin(signal, n / 2)[0]) < scale);
    const back = signalOf({ re, im });
    assert.equal(back.length, n);
    for (let i = 0; i < n; i++) assert.ok(Math.abs(back[i]! - signal[i]!) < 1e-14 * n, `sample ${i} of ${n}`);
  }
});

test('multiplyByPower() is convolution, again and again', () => {
  const n = 32;
  const factor = signalOfLength(n);
  const other = signalOfLength(n).toReversed();
  const convolve = (a: Float64Array, b: Float64Array) =>
    a.map((_, k) => a.reduce((sum, value, i) => sum + value * b[(k - i + n) % n]!, 0));
  const product = unitSpectrum(n);
  multiplyByPower(product, realSpectrum(factor), 3);
  multiplyByPower(product, realSpectrum(other), 1);
  const wanted = convolve(convolve(convolve(factor, factor), factor), other);
  signalOf(product).forEach((value, i) => assert.ok(Math.abs(value - wanted[i]!) < 1e-12 * 400, `${i}: ${value}`));
  // The unit impulse is what nothing has been multiplied with.
  signalOf(unitSpectrum(8)).forEach((value, i) => assert.ok(Math.abs(value - (i === 0 ? 1 : 0)) < 1e-15));
});

test('multiplyByPower() gives 0 where a power is below e^−90, and keeps what is just above', () => {
  const at = (size: number) => {
    const product = unitSpectrum(4);
    const factor = { re: Float64Array.of(1, size * 0.6), im: Float64Array.of(1, size * 0.8) };
    multiplyByPower(product, factor, 10);
    return Math.hypot(product.re[1]!, product.im[1]!);
  };
  assert.equal(at(Math.exp(-9.01)), 0);
  near(at(Math.exp(-8.99)), Math.exp(-89.9), 1e-10, 'just above');
  const product = { re: Float64Array.of(2, 0), im: Float64Array.of(3, 0) };
  multiplyByPower(product, { re: Float64Array.of(2, 1), im: Float64Array.of(-1, 1) }, 2);
  assert.deepEqual([...product.re, ...product.im], [8, 0, 3, 0]);
});
