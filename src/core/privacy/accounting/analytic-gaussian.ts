import { checkNumber } from '../check.ts';
import { logNormalUpper, normalUpper } from '../numerics/erfc.ts';

/**
 * δ of the Gaussian mechanism: exact.
 *
 * Formula: δ(ε) = Φ̄(ε/μ − μ/2) − e^ε Φ̄(ε/μ + μ/2), μ = sensitivity ÷ σ.
 * Source:  Balle and Wang 2018, arXiv:1805.06530, theorem 8.
 */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0) return 0;
  const upper = epsilon / mu + mu / 2;
  return Math.max(0, normalUpper(epsilon / mu - mu / 2) - Math.exp(epsilon + logNormalUpper(upper)));
}

/** δ with what rounding may have taken from it: two nearly equal terms are subtracted where μ or ε is small. */
function deltaAtMost(mu: number, epsilon: number): number {
  const upper = epsilon / mu + mu / 2;
  const logTail = logNormalUpper(upper);
  const first = normalUpper(epsilon / mu - mu / 2);
  const rounding = 2e-15 * (4 + epsilon + Math.abs(logTail) / 8);
  return gaussianDelta(mu, epsilon) + rounding * Math.min(first, 1);
}

/**
 * ε of μ-Gaussian differential privacy at δ: exact for Gaussians without sampling, and how GDP is read.
 *
 * Formula:  the ε ≥ 0 with δ(ε) = δ, bisected to the last bits; the safe end is returned.
 * Needs:    μ ≥ 0, 0 < δ < 1.
 */
export function gaussianEpsilon(mu: number, delta: number): number {
  checkNumber('convert μ to ε', 'μ', mu, 'notNegative');
  checkNumber('convert μ to ε', 'delta', delta, 'positiveDelta');
  if (mu === 0 || deltaAtMost(mu, 0) <= delta) return 0;
  let low = 0;
  let high = (mu * mu) / 2 + mu * Math.sqrt(-2 * Math.log(delta)) + 1;
  while (deltaAtMost(mu, high) > delta) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-14 * high; step++) {
    const middle = (low + high) / 2;
    if (deltaAtMost(mu, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The least σ ÷ sensitivity with which one Gaussian release is (ε, δ)-private.
 *
 * Needs: ε ≥ 0, 0 < δ < 1.
 */
export function analyticGaussianSigma(epsilon: number, delta: number): number {
  checkNumber('calibrate a Gaussian', 'epsilon', epsilon, 'notNegative');
  checkNumber('calibrate a Gaussian', 'delta', delta, 'positiveDelta');
  let low = 1e-12;
  let high = 1;
  while (deltaAtMost(1 / high, epsilon) > delta) high *= 2;
  for (let step = 0; step < 300 && high - low > 1e-15 * high; step++) {
    const middle = low > high / 2 ? (low + high) / 2 : Math.sqrt(low * high);
    if (deltaAtMost(1 / middle, epsilon) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * μ of many subsampled Gaussians by the central limit theorem: an estimate that can lie below the truth, for comparison
 * with published figures only.
 *
 * Formula: μ = q √(T (e^{1/σ²} − 1)).
 * Source:  Bu, Dong, Long and Su 2020, arXiv:1911.11607.
 */
export function gdpCentralLimitMu(noiseMultiplier: number, sampleRate: number, steps: number): number {
  return sampleRate * Math.sqrt(steps * Math.expm1(noiseMultiplier ** -2));
}

/**
 * ε of ρ-zCDP.
 *
 * Formula: ε = ρ + 2 √(ρ ln(1/δ)).
 * Source:  Bun and Steinke 2016, arXiv:1605.02065, proposition 1.3.
 */
export function zcdpEpsilon(rho: number, delta: number): number {
  checkNumber('convert ρ to ε', 'ρ', rho, 'notNegative');
  checkNumber('convert ρ to ε', 'delta', delta, 'positiveDelta');
  return rho + 2 * Math.sqrt(-rho * Math.log(delta));
}
