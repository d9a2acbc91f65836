import { checkNumber } from '../check.ts';
import { gaussianEpsilon, gdpCentralLimitMu } from './analytic-gaussian.ts';
import { epsilon, type EpsilonReport, type ScheduleStep } from './epsilon.ts';
import type { Adjacency } from './mechanisms.ts';

export type NoiseInput = {
  readonly epsilon: number;
  readonly sampleRate: number;
  readonly steps: number;
  readonly delta: number;
  readonly adjacency?: Adjacency;
  /** What the same budget has paid already; its parameters were not chosen by looking at the data. */
  readonly spent?: readonly ScheduleStep[];
  /** Whose figure must meet the wish: the better of both unless said. */
  readonly accountant?: 'epsilon' | 'pld' | 'rdp';
};

/** The noise multiplier, and the report of what it costs. */
export type NoiseReport = EpsilonReport & { readonly noiseMultiplier: number };

const ACTION = 'choose the noise';
const WIDTH = 3e-6;
/** Less noise than this is not told from none. */
const NOISE_MIN = 1e-3;

/**
 * The least noise with which subsampled Gaussian steps stay within ε at δ.
 *
 * Formula:  bisection with false-position steps on ln σ, from the central limit theorem's guess.
 * Needs:    ε > 0, 0 < δ < 1. Throws RangeError when what was spent leaves no room.
 * Promises: the report's ε is at most the wanted one; σ is within 3e-6 of the least that the accountant allows.
 *           Where a record is in no sample at all but with a chance of δ, the noise is 1e-3.
 * Cost:     about ten calls of epsilon(); one where no noise is needed.
 */
export function noiseMultiplier(input: NoiseInput, account = epsilon): NoiseReport {
  const target = checkNumber(ACTION, 'epsilon', input.epsilon, 'positive');
  checkNumber(ACTION, 'delta', input.delta, 'positiveDelta');
  const { sampleRate, steps, delta, adjacency, accountant = 'epsilon', spent = [] } = input;
  checkNumber(ACTION, 'sampleRate', sampleRate, 'rate');
  checkNumber(ACTION, 'steps', steps, 'count');
  const at = (sigma: number): NoiseReport => ({
    ...account({
      schedule: [...spent, { noiseMultiplier: sigma, sampleRate, steps }],
      delta,
      ...(adjacency ? { adjacency } : {}),
    }),
    noiseMultiplier: sigma,
  });
  if (sampleRate === 0 || steps === 0) return at(0);
  // Sampled so rarely, a record shows with a chance of at most δ: ε is 0 with any noise.
  const isSeldom = accountant !== 'rdp' && spent.length === 0 && -Math.expm1(steps * Math.log1p(-sampleRate)) <= delta;
  if (isSeldom) return at(NOISE_MIN);
  return leastNoise(at, (report) => Math.log(Math.max(report[accountant], 1e-300) / target), guess(input));
}

/** The σ at which the central limit theorem meets the wish. */
function guess(input: NoiseInput): number {
  let low = 0.05;
  let high = 1e6;
  while (high / low > 1.05) {
    const middle = Math.sqrt(low * high);
    const mu = gdpCentralLimitMu(middle, input.sampleRate, input.steps);
    if (mu > 1e3 || gaussianEpsilon(mu, input.delta) > input.epsilon) low = middle;
    else high = middle;
  }
  return high;
}

/** The least σ with excess(σ) ≤ 0, for an excess that falls with σ. */
function leastNoise(at: (sigma: number) => NoiseReport, excess: (report: NoiseReport) => number, start: number) {
  let { good, goodExcess, low, lowExcess } = bracket(at, excess, start);
  for (let round = 0; round < 60 && good.noiseMultiplier / low - 1 > WIDTH; round++) {
    const high = good.noiseMultiplier;
    const share = lowExcess / (lowExcess - goodExcess);
    // False position finds the place; every third round halves, so that a curved excess cannot stall it.
    const isUsable = round % 3 !== 2 && Number.isFinite(share);
    const inner = Math.min(1 - WIDTH, Math.max(WIDTH, isUsable ? share + (share < 0.5 ? 1e-6 : -1e-6) : 0.5));
    const sigma = Math.max(low * (1 + WIDTH / 4), Math.min(high / (1 + WIDTH / 4), low * (high / low) ** inner));
    const report = at(sigma);
    const value = excess(report);
    if (value > 0) {
      low = sigma;
      lowExcess = value;
    } else {
      good = report;
      goodExcess = value;
    }
  }
  return good;
}

function bracket(at: (sigma: number) => NoiseReport, excess: (report: NoiseReport) => number, start: number) {
  let good = at(start);
  let goodExcess = excess(good);
  let low = start;
  let lowExcess = goodExcess;
  for (let factor = 1.1; goodExcess > 0; factor *= factor) {
    low = good.noiseMultiplier;
    lowExcess = goodExcess;
    if (low > 1e9) throw new RangeError(`Cannot ${ACTION} as epsilon must leave room for more steps: none is left`);
    good = at(low * factor);
    goodExcess = excess(good);
  }
  // Downwards, in steps that grow: the last one ends at the least noise and not below it.
  let least = good;
  for (let factor = 1.1; lowExcess <= 0; factor *= factor) {
    good = least;
    goodExcess = lowExcess;
    if (low <= NOISE_MIN) return { good, goodExcess, low, lowExcess };
    low = Math.max(NOISE_MIN, low / factor);
    least = at(low);
    lowExcess = excess(least);
  }
  return { good, goodExcess, low, lowExcess };
}
