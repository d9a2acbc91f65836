import { checkNumber } from '../check.ts';
import { logBinomial } from '../numerics/log-space.ts';

const ACTION = 'amplify by shuffling';

/**
 * ε of n shuffled ε₀-local reports, in closed form.
 *
 * Formula:  ln(1 + (e^ε₀ − 1)/(e^ε₀ + 1) (8 √(e^ε₀ ln(4/δ)/n) + 8 e^ε₀/n)).
 * Needs:    ε₀ ≤ ln(n ÷ (16 ln(2/δ))); undefined otherwise.
 * Source:   Feldman, McMillan and Talwar 2021, arXiv:2012.12803, theorem III.1.
 */
export function shuffleClosedForm(localEpsilon: number, clients: number, delta: number): number | undefined {
  checkNumber(ACTION, 'the local epsilon', localEpsilon, 'notNegative');
  checkNumber(ACTION, 'clients', clients, 'positiveCount');
  checkNumber(ACTION, 'delta', delta, 'positiveDelta');
  if (localEpsilon > Math.log(clients / (16 * Math.log(2 / delta)))) return undefined;
  const growth = Math.exp(localEpsilon);
  const spread = 8 * Math.sqrt((growth * Math.log(4 / delta)) / clients) + (8 * growth) / clients;
  return Math.log1p(((growth - 1) / (growth + 1)) * spread);
}

/**
 * ε of n shuffled ε₀-local reports by counting clones: three to four times smaller than the closed form.
 *
 * Formula:  C ~ Bin(n − 1, e^{−ε₀}) clones split evenly; the hockey-stick divergence between (A + Δ, C − A + 1 − Δ) and
 *           its mirror, Δ ~ Bernoulli(e^ε₀/(e^ε₀ + 1)), is summed exactly. What is cut is added to δ.
 * Cost:     O(√n · √n) terms a bisection step: a second at n = 10⁵.
 * Source:   Feldman, McMillan and Talwar 2021, theorem III.2.
 */
export function shuffleEpsilon(localEpsilon: number, clients: number, delta: number): number {
  checkNumber(ACTION, 'the local epsilon', localEpsilon, 'notNegative');
  checkNumber(ACTION, 'clients', clients, 'positiveCount');
  checkNumber(ACTION, 'delta', delta, 'positiveDelta');
  let low = 0;
  let high = localEpsilon;
  while (high - low > 1e-6 * (1 + high)) {
    const middle = (low + high) / 2;
    if (clonesDelta(middle, localEpsilon, clients, delta) > delta) low = middle;
    else high = middle;
  }
  return high;
}

function clonesDelta(epsilon: number, localEpsilon: number, clients: number, delta: number): number {
  const n = clients - 1;
  const share = Math.exp(-localEpsilon);
  const reach = Math.sqrt(2 * n * Math.log(1e8 / delta)) / 2 + 1;
  const first = Math.max(0, Math.floor(n * share - reach));
  const last = Math.min(n, Math.ceil(n * share + reach));
  // What lies outside has at most this mass (Hoeffding).
  let total = first === 0 && last === n ? 0 : 2e-8 * delta;
  for (let clones = first; clones <= last; clones++) {
    const logWeight =
      logBinomial(n, clones) +
      (clones > 0 ? -clones * localEpsilon : 0) +
      (n - clones > 0 ? (n - clones) * Math.log1p(-share) : 0);
    const weight = Math.exp(logWeight);
    if (weight > (1e-6 * delta) / (last - first + 1)) total += weight * splitDivergence(epsilon, localEpsilon, clones);
    else total += weight;
  }
  return total;
}

/** Σ_k (P(k) − e^ε Q(k))₊ for k = A + Δ of C clones; the ratio grows with k, so the sum is a tail. */
function splitDivergence(epsilon: number, localEpsilon: number, clones: number): number {
  const p = 1 / (1 + Math.exp(-localEpsilon));
  // e^ε (1 − p) is e^{ε − ε₀} p: neither 1 − p nor e^ε is lost where ε₀ is large.
  const other = p * Math.exp(-localEpsilon);
  const growth = Math.exp(epsilon);
  const slack = 9 * Math.sqrt(clones + 1) + 2;
  const last = Math.min(clones + 1, Math.ceil((clones + 1) / 2 + slack));
  const logHalf = -clones * Math.LN2;
  let sum = 0;
  for (let k = last; k >= 0; k--) {
    const withOne = k > 0 ? Math.exp(logBinomial(clones, k - 1) + logHalf) : 0;
    const without = k <= clones ? Math.exp(logBinomial(clones, k) + logHalf) : 0;
    const against = p * Math.exp(epsilon - localEpsilon) * withOne + (without === 0 ? 0 : growth * p * without);
    const excess = p * withOne + other * without - against;
    if (excess <= 0) break;
    sum += excess;
  }
  return sum;
}
