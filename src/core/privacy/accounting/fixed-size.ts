import { checkNumber } from '../check.ts';
import { logCentralMoment } from '../numerics/central-moment.ts';
import { logAdd, logBinomial } from '../numerics/log-space.ts';
import { rdpEpsilon } from './rdp.ts';

/** A fixed number of records drawn without replacement: what most federated servers do. */
export type FixedSizeInput = {
  readonly population: number;
  readonly sample: number;
  /** σ ÷ the largest change that replacing one record can make. */
  readonly noiseMultiplier: number;
  readonly steps: number;
  readonly delta: number;
};

/**
 * ε for Gaussian releases on samples of fixed size without replacement, when one record is replaced.
 *
 * Formula:  Rényi bound of theorem 27 at integer orders, interpolated between them; its differences are the central
 *           moments E[(L − 1)^k], summed without subtraction, so that large σ keeps its digits.
 * Needs:    1 ≤ sample ≤ population. The Poisson formula must not be used for such samples.
 * Source:   Wang, Balle and Kasiviswanathan 2019, arXiv:1808.00087.
 */
export function fixedSizeEpsilon(input: FixedSizeInput): { readonly epsilon: number; readonly order: number } {
  const action = 'account for samples of fixed size';
  checkNumber(action, 'population', input.population, 'positiveCount');
  checkNumber(action, 'sample', input.sample, 'positiveCount');
  checkNumber(action, 'noiseMultiplier', input.noiseMultiplier, 'positive');
  checkNumber(action, 'steps', input.steps, 'count');
  checkNumber(action, 'delta', input.delta, 'positiveDelta');
  if (input.sample > input.population) {
    throw new RangeError(
      `Cannot ${action} as sample must be at most the population of ${input.population}: current value is ${input.sample}`,
    );
  }
  const q = input.sample / input.population;
  const curve = (order: number) => input.steps * fixedSizeRdp(input.noiseMultiplier, q, order);
  return rdpEpsilon(curve, input.delta);
}

/** Rényi divergence of one step at sampling ratio q. */
function fixedSizeRdp(noiseMultiplier: number, q: number, order: number): number {
  if (q === 1) return order / (2 * noiseMultiplier ** 2);
  const low = Math.floor(order);
  const share = order - low;
  const atLow = logMomentInteger(noiseMultiplier, q, low);
  const atHigh = share > 0 ? logMomentInteger(noiseMultiplier, q, low + 1) : 0;
  return ((1 - share) * atLow + share * atHigh) / (order - 1);
}

const cache = new Map<string, number>();

function logMomentInteger(sigma: number, q: number, order: number): number {
  if (order <= 1) return 0;
  const key = `${sigma}/${q}/${order}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = fixedSizeLogMoment(sigma, q, order);
  if (cache.size > 5000) cache.clear();
  cache.set(key, value);
  return value;
}

/** What rounding may have taken from the sum of an order, as a share of it. */
const ROUNDING = 1e-11;

/**
 * (α − 1) times the Rényi divergence of one step at an integer order α ≥ 2: theorem 27, or that of no sampling where it is
 * less (a mixture of neighbours loses no more than the worst of them).
 *
 * Promises: never below the bound as mathematics has it, and 2e-11 above it at most.
 */
export function fixedSizeLogMoment(sigma: number, q: number, order: number): number {
  const cgf = (x: number) => (x * (x + 1)) / (2 * sigma * sigma);
  const second = 1 / (sigma * sigma);
  const logSecondMinusOne = second > 1 ? second + Math.log1p(-Math.exp(-second)) : Math.log(Math.expm1(second));
  const moment = momentsOf(sigma);
  let sum = 2 * Math.log(q) + logBinomial(order, 2) + Math.min(Math.log(4) + logSecondMinusOne, second + Math.LN2);
  sum = logAdd(0, sum);
  for (let i = 3; i <= order; i++) {
    const simple = Math.LN2 + cgf(i - 1);
    const sharp = Math.log(4) + 0.5 * (moment(2 * Math.floor(i / 2)) + moment(2 * Math.ceil(i / 2)));
    sum = logAdd(sum, Math.min(simple, sharp) + i * Math.log(q) + logBinomial(order, i));
  }
  return Math.min(sum * (1 + ROUNDING), cgf(order - 1));
}

let newest: { readonly sigma: number; readonly known: Map<number, number> } | undefined;

/** ln E[(L − 1)^k], which every order of one σ asks for again. */
function momentsOf(sigma: number): (k: number) => number {
  if (newest?.sigma !== sigma) newest = { sigma, known: new Map() };
  const { known } = newest;
  return (k) => {
    if (!known.has(k)) known.set(k, logCentralMoment(sigma, k));
    return known.get(k)!;
  };
}
