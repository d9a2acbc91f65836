import { checkNumber } from '../check.ts';
import { logBinomial } from '../numerics/log-space.ts';
import type { DominatingPair } from '../pld/dominating-pair.ts';
import {
  approximatePair,
  discreteGaussianPair,
  discreteLaplacePair,
  randomizedResponsePair,
} from '../pld/atomic-pairs.ts';
import { gaussianMixturePair, replacedGaussianPair, subsampledGaussianPair } from '../pld/gaussian-pair.ts';
import { replacedLaplacePair, subsampledLaplacePair } from '../pld/laplace-pair.ts';
import { treeSensitivitySquare } from './tree-participation.ts';
import { exponentialRdp, laplaceRdp, randomizedResponseRdp, subsampledGaussianRdp, type RdpCurve } from './rdp.ts';

/** Which two data sets are neighbours: one record (or client) more or less, or one exchanged for another. */
export type Adjacency = 'add-or-remove-one' | 'replace-one';

/** What each mechanism needs to be told; σ and b are in units of the sensitivity. */
export type MechanismOptions = {
  /** Gaussian noise on a Poisson sample. */
  readonly gaussian: { readonly noiseMultiplier: number; readonly sampleRate: number };
  /** Laplace noise on a Poisson sample. */
  readonly laplace: { readonly noiseMultiplier: number; readonly sampleRate?: number };
  /** Integer noise with P[x] ∝ e^{−parameter·|x|}. */
  readonly 'discrete-laplace': { readonly parameter: number; readonly sensitivity: number };
  /** Integer noise with P[x] ∝ e^{−x²/2σ²} on one integer. */
  readonly 'discrete-gaussian': { readonly sigma: number; readonly sensitivity: number };
  /** With probability `noiseParameter` the answer is uniform over the buckets. */
  readonly 'randomized-response': { readonly noiseParameter: number; readonly bucketCount: number };
  readonly exponential: { readonly epsilon: number };
  readonly 'permute-and-flip': { readonly epsilon: number };
  /** Anything that is known to be (ε, δ)-private. */
  readonly approximate: { readonly epsilon: number; readonly deltaPerStep: number };
  /** Gaussian noise whose sensitivity is random: several participations, unequal groups. */
  readonly 'gaussian-mixture': {
    readonly standardDeviation: number;
    readonly sensitivities: readonly number[];
    readonly probabilities: readonly number[];
  };
  /** Gaussian noise on a Poisson sample, protecting `groupSize` records at once. */
  readonly 'gaussian-group': {
    readonly noiseMultiplier: number;
    readonly sampleRate: number;
    readonly groupSize: number;
  };
  /**
   * Binary-tree prefix sums (DP-FTRL) over `treeSteps` releases. A client is in at most `participations` leaves (1 unless
   * said), `separation` others at least between two of them (0 unless said). A step is a tree: restarts are steps.
   */
  readonly 'tree-aggregation': {
    readonly noiseMultiplier: number;
    readonly treeSteps: number;
    readonly participations?: number;
    readonly separation?: number;
  };
};

export type MechanismId = keyof MechanismOptions;

/** What a mechanism contributes to an accountant. Sampling and sensitivity are already in it. */
export type Contribution = {
  /** No noise: ε is infinite. */
  readonly isUnbounded?: boolean;
  /** Of a record's being in a step's sample, where a record outside leaves no trace: 1 unless said. */
  readonly chance?: number;
  /** μ where the mechanism is a Gaussian without sampling: those compose exactly. */
  readonly mu?: number;
  readonly pair?: DominatingPair;
  readonly rdp?: RdpCurve;
};

type Mechanism<Id extends MechanismId> = {
  readonly adjacencies: readonly Adjacency[];
  readonly contribution: (options: MechanismOptions[Id], adjacency: Adjacency) => Contribution;
};

const BOTH = ['add-or-remove-one', 'replace-one'] as const;
const ADD_OR_REMOVE = ['add-or-remove-one'] as const;
const REPLACE = ['replace-one'] as const;
const ACTION = 'account for the mechanism';
const NO_NOISE: Contribution = { isUnbounded: true };
const NO_LOSS: Contribution = { rdp: () => 0, chance: 0 };

/** All mechanisms by id. A new one is one entry. */
export const MECHANISMS = {
  gaussian: { adjacencies: BOTH, contribution: gaussian },
  laplace: { adjacencies: BOTH, contribution: laplace },
  'discrete-laplace': { adjacencies: BOTH, contribution: discreteLaplace },
  'discrete-gaussian': { adjacencies: BOTH, contribution: discreteGaussian },
  'randomized-response': { adjacencies: REPLACE, contribution: randomizedResponse },
  exponential: { adjacencies: BOTH, contribution: exponential },
  'permute-and-flip': { adjacencies: ADD_OR_REMOVE, contribution: permuteAndFlip },
  approximate: { adjacencies: BOTH, contribution: approximate },
  'gaussian-mixture': { adjacencies: ADD_OR_REMOVE, contribution: gaussianMixture },
  'gaussian-group': { adjacencies: BOTH, contribution: gaussianGroup },
  'tree-aggregation': { adjacencies: BOTH, contribution: treeAggregation },
} as const satisfies { [Id in MechanismId]: Mechanism<Id> };

function gaussian(options: MechanismOptions['gaussian'], adjacency: Adjacency): Contribution {
  const sigma = checkNumber(ACTION, 'noiseMultiplier', options.noiseMultiplier, 'notNegative');
  const q = checkNumber(ACTION, 'sampleRate', options.sampleRate, 'rate');
  if (q === 0) return NO_LOSS;
  if (sigma === 0) return NO_NOISE;
  const distance = distanceOf(adjacency);
  if (q === 1) return { mu: distance / sigma, rdp: (order) => (order * distance * distance) / (2 * sigma * sigma) };
  if (adjacency === 'replace-one') return { chance: q, pair: replacedGaussianPair(sigma, q) };
  return { chance: q, pair: subsampledGaussianPair(sigma, q), rdp: (order) => subsampledGaussianRdp(sigma, q, order) };
}

/** How far one record moves a sum that it enters or leaves at a distance of 1: out and another in. */
const distanceOf = (adjacency: Adjacency) => (adjacency === 'replace-one' ? 2 : 1);

function laplace(options: MechanismOptions['laplace'], adjacency: Adjacency): Contribution {
  const said = checkNumber(ACTION, 'noiseMultiplier', options.noiseMultiplier, 'notNegative');
  const q = checkNumber(ACTION, 'sampleRate', options.sampleRate ?? 1, 'rate');
  if (q === 0) return NO_LOSS;
  if (said === 0) return NO_NOISE;
  if (adjacency === 'replace-one' && q < 1) return { chance: q, pair: replacedLaplacePair(said, q) };
  const scale = said / distanceOf(adjacency);
  const pair = subsampledLaplacePair(scale, q);
  return q === 1 ? { pair, rdp: (order) => laplaceRdp(1 / scale, order) } : { chance: q, pair };
}

function discreteLaplace(options: MechanismOptions['discrete-laplace'], adjacency: Adjacency): Contribution {
  const parameter = checkNumber(ACTION, 'parameter', options.parameter, 'positive');
  const sensitivity = distanceOf(adjacency) * checkNumber(ACTION, 'sensitivity', options.sensitivity, 'positiveCount');
  return { pair: discreteLaplacePair(parameter, sensitivity) };
}

function discreteGaussian(options: MechanismOptions['discrete-gaussian'], adjacency: Adjacency): Contribution {
  const sigma = checkNumber(ACTION, 'sigma', options.sigma, 'notNegative');
  const sensitivity = distanceOf(adjacency) * checkNumber(ACTION, 'sensitivity', options.sensitivity, 'positiveCount');
  if (sigma === 0) return NO_NOISE;
  const rho = (sensitivity / sigma) ** 2 / 2;
  return { pair: discreteGaussianPair(sigma, sensitivity), rdp: (order) => order * rho };
}

function randomizedResponse(options: MechanismOptions['randomized-response']): Contribution {
  const p = checkNumber(ACTION, 'noiseParameter', options.noiseParameter, 'rate');
  const k = checkNumber(ACTION, 'bucketCount', options.bucketCount, 'positiveCount');
  if (k === 1 || p === 1) return NO_LOSS;
  if (p === 0) return NO_NOISE;
  return { pair: randomizedResponsePair(p, k), rdp: (order) => randomizedResponseRdp(p, k, order) };
}

function exponential(options: MechanismOptions['exponential']): Contribution {
  const epsilon = checkNumber(ACTION, 'epsilon', options.epsilon, 'notNegative');
  if (epsilon === 0) return NO_LOSS;
  return { pair: approximatePair(epsilon, 0), rdp: (order) => exponentialRdp(epsilon, order) };
}

function permuteAndFlip(options: MechanismOptions['permute-and-flip']): Contribution {
  const epsilon = checkNumber(ACTION, 'epsilon', options.epsilon, 'notNegative');
  if (epsilon === 0) return NO_LOSS;
  return { pair: subsampledLaplacePair(1 / epsilon, 1), rdp: (order) => laplaceRdp(epsilon, order) };
}

function approximate(options: MechanismOptions['approximate']): Contribution {
  const epsilon = checkNumber(ACTION, 'epsilon', options.epsilon, 'notNegative');
  const delta = checkNumber(ACTION, 'deltaPerStep', options.deltaPerStep, 'delta');
  if (epsilon === 0 && delta === 0) return NO_LOSS;
  return { pair: approximatePair(epsilon, delta) };
}

function gaussianMixture(options: MechanismOptions['gaussian-mixture']): Contribution {
  const sigma = checkNumber(ACTION, 'standardDeviation', options.standardDeviation, 'notNegative');
  const { sensitivities, probabilities } = options;
  for (const s of sensitivities) checkNumber(ACTION, 'each sensitivity', s, 'notNegative');
  for (const p of probabilities) checkNumber(ACTION, 'each probability', p, 'rate');
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  if (sensitivities.length !== probabilities.length || Math.abs(total - 1) > 1e-9) {
    throw new RangeError(
      `Cannot ${ACTION} as probabilities must be one for each sensitivity and sum to 1: current value is ${probabilities.length} for ${sensitivities.length} that sum to ${total}`,
    );
  }
  const kept = probabilities.flatMap((p, k) => (p > 0 ? [k] : []));
  if (kept.every((k) => sensitivities[k] === 0)) return NO_LOSS;
  if (sigma === 0) return NO_NOISE;
  return {
    pair: gaussianMixturePair(
      sigma,
      kept.map((k) => sensitivities[k]!),
      kept.map((k) => probabilities[k]! / total),
    ),
  };
}

function gaussianGroup(options: MechanismOptions['gaussian-group'], adjacency: Adjacency): Contribution {
  const sigma = checkNumber(ACTION, 'noiseMultiplier', options.noiseMultiplier, 'notNegative');
  const q = checkNumber(ACTION, 'sampleRate', options.sampleRate, 'rate');
  const size = checkNumber(ACTION, 'groupSize', options.groupSize, 'positiveCount');
  if (q === 0) return NO_LOSS;
  if (sigma === 0) return NO_NOISE;
  if (q === 1) {
    const distance = distanceOf(adjacency) * size;
    return { mu: distance / sigma, rdp: (order) => (order * distance * distance) / (2 * sigma * sigma) };
  }
  if (adjacency === 'replace-one') {
    throw new RangeError(
      `Cannot ${ACTION} as sampleRate of gaussian-group must be 1 under replace-one, as no pair is proven to dominate samples of a replaced group (nearest: sampleRate 1, or adjacency add-or-remove-one): current value is ${q}`,
    );
  }
  const counts = Array.from({ length: size + 1 }, (_, k) => k);
  const weights = counts.map((k) => Math.exp(logBinomial(size, k) + k * Math.log(q) + (size - k) * Math.log1p(-q)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    pair: gaussianMixturePair(
      sigma,
      counts,
      weights.map((weight) => weight / total),
    ),
  };
}

function treeAggregation(options: MechanismOptions['tree-aggregation'], adjacency: Adjacency): Contribution {
  const sigma = checkNumber(ACTION, 'noiseMultiplier', options.noiseMultiplier, 'notNegative');
  const steps = checkNumber(ACTION, 'treeSteps', options.treeSteps, 'positiveCount');
  if (sigma === 0) return NO_NOISE;
  const { participations: max = 1, separation = 0 } = options;
  const square = distanceOf(adjacency) ** 2 * treeSensitivitySquare(steps, { max, separation });
  return { mu: Math.sqrt(square) / sigma, rdp: (order) => (order * square) / (2 * sigma * sigma) };
}
