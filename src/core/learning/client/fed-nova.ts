import { z } from 'zod';
import type { TrainerResult } from '../../../ports/trainer.ts';
import { defineClientAlgorithm, difference } from './client-algorithm.ts';

/** How a client stepped in a round. */
export type LocalSteps = { readonly steps: number; readonly momentum?: number };

/**
 * ‖a‖₁, by how much local steps add up.
 *
 * Formula: steps without momentum; Σ_{k=1…τ} (1 − ρᵏ) ÷ (1 − ρ) with momentum ρ.
 */
export function accumulationNorm({ steps, momentum = 0 }: LocalSteps): number {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`Cannot normalise an update as steps must be an integer ≥ 1: current value is ${steps}`);
  }
  const rest = 1 - momentum;
  return (steps - (momentum * (1 - momentum ** steps)) / rest) / rest;
}

/** How many times the median claim a claim may count. */
const claimCap = 4;

/**
 * What the aggregate of normalised updates is multiplied by.
 *
 * Formula:  Σ p_i min(‖a_i‖₁, 4 · median ‖a‖₁), the p_i made to sum to 1.
 * Promises: with more than half of the claims honest, at most 4 times the largest honest claim, whatever the others say.
 * Differs:  the cap is ours: ‖a_i‖₁ is a claim. Without it one client could multiply the step of the whole round.
 * Source:   Wang et al. 2020, arXiv:2007.07481, equation 8.
 */
export function effectiveSteps(norms: readonly number[], weights: readonly number[]): number {
  if (norms.length !== weights.length || norms.length === 0) {
    throw new RangeError(
      `Cannot weigh steps as there must be one weight for each of ${norms.length} clients: current value is ${weights.length}`,
    );
  }
  const cap = claimCap * lowerMedian(norms);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return norms.reduce((sum, norm, i) => sum + (Math.min(norm, cap) * weights[i]!) / total, 0);
}

/** The middle value, the lower one of two: no more than an honest one while fewer than half lie. */
function lowerMedian(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!;
}

/**
 * FedNova: clients that take more steps do not count more. A client sends its delta divided by ‖a‖₁, and the aggregate
 * is multiplied by the effective number of steps.
 *
 * Formula: x ← x + (Σ p_i ‖a_i‖₁) · Σ p_i Δ_i ÷ ‖a_i‖₁. Equal ‖a_i‖₁ make it FedAvg.
 * Needs:   a trainer that says how many steps it took, and with which momentum.
 * Source:  Wang et al. 2020, arXiv:2007.07481, sections 3 and 4.
 */
export const fedNova = defineClientAlgorithm(z.strictObject({ algorithm: z.literal('fed-nova') }), {
  isNormalised: true,
  update({ task }, result) {
    const accumulation = accumulationNorm({ steps: stepsOf(result), momentum: result.momentum ?? 0 });
    const delta = difference(result.parameters, task.parameters);
    for (let i = 0; i < delta.length; i++) delta[i] = delta[i]! / accumulation;
    return { delta, beside: {}, accumulation, claimedExamples: result.examples };
  },
});

function stepsOf({ steps }: TrainerResult): number {
  if (steps !== undefined) return steps;
  throw new RangeError(
    'Cannot send an update as the plan\'s algorithm fed-nova divides it by the local steps: the trainer must say "steps", and says nothing',
  );
}
