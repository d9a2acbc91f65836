// Logarithm and exponential from additions, multiplications and divisions alone. Math.log and Math.exp may differ in
// the last bit between processors (measured: x64 and arm64 differ), which would make another model of the same seed.

const view = new DataView(new ArrayBuffer(8));
const ln2High = 6.9314718036912381649e-1;
const ln2Low = 1.90821492927058770002e-10;

/** The upper 32 bits of a float64: sign, exponent and the first 20 bits of the fraction. */
function highWord(x: number): number {
  view.setFloat64(0, x);
  return view.getInt32(0);
}

function withHighWord(x: number, high: number): number {
  view.setFloat64(0, x);
  view.setInt32(0, high);
  return view.getFloat64(0);
}

/**
 * The natural logarithm, the same bits on every processor.
 *
 * Formula:  x = 2^k · (1 + f), √½ < 1 + f < √2;  s = f ÷ (2 + f);  log(1 + f) = f − f²/2 + s (f²/2 + R(s²)).
 * Promises: within 1 ulp; −∞ at 0, NaN below it.
 * Source:   fdlibm, e_log.c (Sun Microsystems 1993).
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  const isTiny = x < 2 ** -1022;
  const scaled = isTiny ? x * 2 ** 54 : x;
  const high = highWord(scaled);
  const fraction = high & 0xfffff;
  const carry = (fraction + 0x95f64) & 0x100000;
  const k = (high >> 20) - 1023 + (carry >> 20) - (isTiny ? 54 : 0);
  const f = withHighWord(scaled, fraction | (carry ^ 0x3ff00000)) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd =
    z *
    (6.66666666666673513e-1 +
      w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  // Between about 1.38 and 1.42 the halves are taken apart, which keeps the last bit.
  const isMiddle = ((fraction - 0x6147a) | (0x6b851 - fraction)) > 0;
  const half = isMiddle ? 0.5 * f * f : 0;
  const rest = isMiddle ? s * (half + (odd + even)) : -s * (f - (odd + even));
  return k * ln2High - (half - (rest + k * ln2Low) - f);
}

/**
 * e to the power x, the same bits on every processor.
 *
 * Formula:  x = k ln 2 + r, |r| ≤ ½ ln 2;  c = r − r² P(r²);  e^r = 1 + r + r c ÷ (2 − c).
 * Promises: within 1 ulp; 0 and ∞ where float64 ends.
 * Source:   fdlibm, e_exp.c (Sun Microsystems 1993).
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893383973) return Number.POSITIVE_INFINITY;
  if (x < -745.133219101941108) return 0;
  const k = Math.trunc(x * Math.LOG2E + (x < 0 ? -0.5 : 0.5));
  const upper = x - k * ln2High;
  const lower = k * ln2Low;
  const r = upper - lower;
  const t = r * r;
  const c =
    r -
    t *
      (1.66666666666666019037e-1 +
        t *
          (-2.77777777770155933842e-3 +
            t * (6.61375632143793436117e-5 + t * (-1.6533902205465251539e-6 + t * 4.13813679705723846039e-8))));
  const y = 1 - (lower - (r * c) / (2 - c) - upper);
  // 2^k in two factors, so that neither leaves float64 where the product does not.
  const first = Math.trunc(k / 2);
  return y * powerOfTwo(first) * powerOfTwo(k - first);
}

function powerOfTwo(k: number): number {
  return withHighWord(0, (1023 + k) << 20);
}

/** Multiples of it, modulo 1, are spread evenly: a start for an iteration that favours no direction. */
export const goldenRatio = 0.6180339887498949;
