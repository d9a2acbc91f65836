import { logAdd, logBinomial } from '../numerics/log-space.ts';

/** Rényi divergence as a function of its order. */
export type RdpCurve = (order: number) => number;

/** The orders that dp_accounting and Opacus try, so that figures can be compared. */
export const RDP_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  128,
  256,
  512,
  1024,
];

/**
 * ε of a Rényi curve at δ: the least over the orders.
 *
 * Formula:  ε = r + ln(1 − 1/α) − ln(δα) ÷ (α − 1); 0 where δ² > 1 − e^{−r}.
 * Source:   Canonne, Kamath and Steinke 2020, arXiv:2004.00010, proposition 12.
 */
export function rdpEpsilon(
  curve: RdpCurve,
  delta: number,
  orders: readonly number[] = RDP_ORDERS,
): { readonly epsilon: number; readonly order: number } {
  let best = { epsilon: Infinity, order: 0 };
  for (const order of orders) {
    const r = curve(order);
    const isFree = delta * delta + Math.expm1(-r) > 0;
    const converted = r + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1);
    const epsilon = isFree ? 0 : order > 1.01 ? Math.max(0, converted) : Infinity;
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

/**
 * Rényi divergence of one Poisson-subsampled Gaussian step, exact at every order.
 *
 * Formula:  A_α = E_{z~N(0,σ²)}[(1 + u)^α], u = q (e^{(2z−1)/2σ²} − 1); RDP = ln A_α ÷ (α − 1). As E[u] = 0, what is
 *           summed is the non-negative (1 + u)^α − 1 − αu, so that nothing cancels: by the binomial theorem at integer
 *           orders; otherwise by the trapezoidal rule, which converges exponentially. It equals the signed series of
 *           section 3.3, whose alternating terms lose digits.
 * Source:   Mironov, Talwar and Zhang 2019, arXiv:1908.10530.
 */
export function subsampledGaussianRdp(noiseMultiplier: number, sampleRate: number, order: number): number {
  if (sampleRate === 0) return 0;
  if (noiseMultiplier === 0) return Infinity;
  if (sampleRate === 1) return order / (2 * noiseMultiplier ** 2);
  const logExcess = Number.isInteger(order)
    ? logExcessInteger(noiseMultiplier, sampleRate, order)
    : logExcessFractional(noiseMultiplier, sampleRate, order);
  const logMoment = logExcess > 30 ? logAdd(0, logExcess) : Math.log1p(Math.exp(logExcess));
  return logMoment / (order - 1);
}

/** ln(A_α − 1) = ln Σ_{k≥2} C(α,k)(1−q)^{α−k} q^k (e^{(k²−k)/2σ²} − 1). */
function logExcessInteger(sigma: number, q: number, order: number): number {
  let sum = -Infinity;
  for (let k = 2; k <= order; k++) {
    const exponent = (k * k - k) / (2 * sigma * sigma);
    const logGrowth = exponent > 40 ? exponent : Math.log(Math.expm1(exponent));
    sum = logAdd(sum, logBinomial(order, k) + (order - k) * Math.log1p(-q) + k * Math.log(q) + logGrowth);
  }
  return sum;
}

function logExcessFractional(sigma: number, q: number, order: number): number {
  const square = sigma * sigma;
  // The integrand is analytic within πσ² of the real line; where the poles' weight is nil, only the Gaussian's width counts.
  const step = sigma < 0.055 ? 0.3 * sigma : Math.min(0.3 * sigma, 0.5 * square);
  const low = -12 * sigma;
  const count = Math.ceil((order + 24 * sigma) / step);
  const logs = new Float64Array(count + 1);
  let top = -Infinity;
  for (let i = 0; i <= count; i++) {
    const z = low + i * step;
    logs[i] = logExcessAt((2 * z - 1) / (2 * square), q, order) - (z * z) / (2 * square);
    top = Math.max(top, logs[i]!);
  }
  let sum = 0;
  for (let i = 0; i <= count; i++) sum += Math.exp(logs[i]! - top);
  return top + Math.log((sum * step) / (sigma * Math.sqrt(2 * Math.PI)));
}

/** ln((1 + u)^α − 1 − αu) for u = q (e^exponent − 1). */
function logExcessAt(exponent: number, q: number, order: number): number {
  if (exponent > 600) return order * (exponent + Math.log(q));
  const u = q * Math.expm1(exponent);
  if (Math.abs(u) * order < 1e-2) {
    const a = order;
    const tail = 1 + ((a - 2) / 3) * u * (1 + ((a - 3) / 4) * u * (1 + ((a - 4) / 5) * u * (1 + ((a - 5) / 6) * u)));
    return Math.log((a * (a - 1)) / 2) + 2 * Math.log(Math.abs(u)) + Math.log(tail);
  }
  const power = order * Math.log1p(u);
  if (power > 40) return power;
  return Math.log(Math.expm1(power) - order * u);
}

/**
 * Rényi divergence of the Laplace mechanism of pure loss ε, and of permute-and-flip.
 *
 * Formula: ε + ln(1 + (α−1)(e^{(1−2α)ε} − 1) ÷ (2α−1)) ÷ (α−1).
 * Source:  Mironov 2017, arXiv:1702.07476, proposition 6.
 */
export function laplaceRdp(epsilon: number, order: number): number {
  return epsilon + Math.log1p(((order - 1) * Math.expm1(epsilon * (1 - 2 * order))) / (2 * order - 1)) / (order - 1);
}

/**
 * Rényi divergence of the exponential mechanism: bounded range.
 *
 * Formula: min(ε, ξ + α ε²/8), ξ = ε/(e^ε−1) − 1 − ln(ε/(e^ε−1)) − ε²/8.
 * Source:  Cesar and Rogers 2021, arXiv:2004.07223, section 3.
 */
export function exponentialRdp(epsilon: number, order: number): number {
  if (epsilon === 0) return 0;
  const ratio = epsilon / Math.expm1(epsilon);
  const slack = ratio - 1 - Math.log(ratio) - (epsilon * epsilon) / 8;
  return Math.min(epsilon, slack + ((epsilon * epsilon) / 8) * order);
}

/**
 * Rényi divergence of k-ary randomised response when an answer is replaced.
 *
 * Needs:  noise parameter p in [0, 1]: with probability p the answer is uniform over the k buckets. Order may be ∞.
 */
export function randomizedResponseRdp(noiseParameter: number, bucketCount: number, order: number): number {
  const p = noiseParameter;
  const k = bucketCount;
  if (k === 1 || p === 1) return 0;
  if (p === 0) return Infinity;
  const loss = Math.log1p((k * (1 - p)) / p);
  if (order === Infinity) return loss;
  const terms = [order * loss + Math.log(p / k), -order * loss + Math.log1p(-p + p / k), Math.log((1 - 2 / k) * p)];
  return terms.reduce(logAdd, -Infinity) / (order - 1);
}
