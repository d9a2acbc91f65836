import { z } from 'zod';
import { defineServerOptimizer } from './server-optimizer.ts';

const unit = z.number().min(0).lt(1);

/** The options that FedAdagrad, FedAdam and FedYogi share; names as in the paper. */
const adaptiveOptions = {
  learningRate: z.number().positive().max(100).default(0.01).describe('how far a step goes: η'),
  beta1: unit.default(0.9).describe('memory of the direction'),
  tau: z.number().positive().default(0.001).describe('how far a coordinate without history may be stretched'),
};

/** How the second moment v of a coordinate goes on, given the square of its delta. */
type NextVariance<Options> = (v: number, square: number, options: Options) => number;

function define<S extends z.ZodType<{ learningRate: number; beta1: number; tau: number }>>(
  schema: S,
  nextVariance: NextVariance<z.output<S>>,
) {
  return defineServerOptimizer(schema, {
    start: (d, { tau }) => ({ momentum: new Float32Array(d), variance: new Float32Array(d).fill(tau * tau) }),
    step({ aggregate, state, options }) {
      const { learningRate, beta1, tau } = options;
      const momentum = state['momentum']!.map((m, i) => beta1 * m + (1 - beta1) * aggregate[i]!);
      const variance = state['variance']!.map((v, i) => nextVariance(v, aggregate[i]! * aggregate[i]!, options));
      const change = momentum.map((m, i) => (learningRate * m) / (Math.sqrt(variance[i]!) + tau));
      return { change, state: { momentum, variance } };
    },
  });
}

/**
 * FedAdagrad: coordinates that have moved much move less.
 *
 * Formula: m ← β₁ m + (1 − β₁) Δ;  v ← v + Δ²;  x ← x + η m ÷ (√v + τ);  m starts at 0, v at τ².
 * Source:  Reddi et al. 2021, arXiv:2003.00295, algorithm 2: without bias correction.
 */
export const fedAdagrad = define(
  z.strictObject({
    optimizer: z.literal('fed-adagrad'),
    ...adaptiveOptions,
    beta1: unit.default(0).describe('memory of the direction'),
  }),
  (v, square) => v + square,
);

const withBeta2 = { ...adaptiveOptions, beta2: unit.default(0.99).describe('memory of the squares') };

/** FedAdam. Formula: v ← β₂ v + (1 − β₂) Δ²; the rest as `fedAdagrad`. Source: as there. */
export const fedAdam = define(
  z.strictObject({ optimizer: z.literal('fed-adam'), ...withBeta2 }),
  (v, square, { beta2 }) => beta2 * v + (1 - beta2) * square,
);

/** FedYogi. Formula: v ← v − (1 − β₂) Δ² sign(v − Δ²); the rest as `fedAdagrad`. Source: as there. */
export const fedYogi = define(
  z.strictObject({ optimizer: z.literal('fed-yogi'), ...withBeta2 }),
  (v, square, { beta2 }) => v - (1 - beta2) * square * Math.sign(v - square),
);
