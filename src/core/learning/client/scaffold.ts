import { z } from 'zod';
import type { TrainerResult } from '../../../ports/trainer.ts';
import { defineClientAlgorithm, difference, type LocalRound } from './client-algorithm.ts';

/**
 * The server's control after a round.
 *
 * Formula:  c ← (1 − s) c + s · F, s = participants ÷ clients, F = aggregate of the c + (c_i⁺ − c_i) that were sent,
 *           by the plan's own pipeline.
 * Promises: F estimates the mean gradient of those who took part with the error of the rule, and the old error shrinks by
 *           1 − s: liars cannot let c drift from round to round. See ADR 12.
 * Differs:  the paper adds s · mean(c_i⁺ − c_i), which is the same when F is a mean.
 * Source:   Karimireddy et al. 2020, arXiv:1910.06378, algorithm 1.
 */
export function nextControl(
  control: Float32Array,
  aggregate: Float32Array,
  counts: { readonly participants: number; readonly clients: number },
): Float32Array {
  const share = Math.min(1, counts.participants / counts.clients);
  return control.map((value, i) => (1 - share) * value + share * aggregate[i]!);
}

/**
 * SCAFFOLD: control variates take the drift out of local steps. c is the server's, c_i the client's; all start at 0.
 *
 * Formula: y ← y − η (g_i(y) − c_i + c), K times from x;  c_i⁺ = c_i − c + (x − y) ÷ (K η)  (option II). Sent: y − x, and
 *          c_i⁺ − c_i = (x − y) ÷ (K η) − c.
 * Needs:   a trainer that adds a given vector to every gradient, steps by plain SGD, and says K and η: with momentum
 *          (x − y) ÷ (K η) would not be the mean gradient.
 * Source:  Karimireddy et al. 2020, arXiv:1910.06378, algorithm 1.
 */
export const scaffold = defineClientAlgorithm(z.strictObject({ algorithm: z.literal('scaffold') }), {
  travels: 'control',
  isKeeping: true,
  start: (parameters) => ({ control: new Float32Array(parameters.length) }),
  task(round) {
    const server = serverControl(round);
    return { ...round.task, correction: difference(server, round.state['control']!) };
  },
  update(round, result) {
    return {
      delta: difference(result.parameters, round.task.parameters),
      beside: { control: controlDelta(round, result) },
      accumulation: 1,
      claimedExamples: result.examples,
    };
  },
  async keep(round, result) {
    const change = controlDelta(round, result);
    return { ...round.state, control: round.state['control']!.map((value, i) => value + change[i]!) };
  },
  personal: () => null,
});

function controlDelta(round: LocalRound<unknown>, result: TrainerResult): Float32Array {
  const { steps, learningRate, momentum = 0 } = result;
  if (steps === undefined || learningRate === undefined || !(steps >= 1) || !(learningRate > 0)) {
    throw new RangeError(
      'Cannot send an update as the plan\'s algorithm scaffold takes the mean gradient from it: the trainer must say "steps" ≥ 1 and "learningRate" > 0, ' +
        `and says ${steps ?? 'nothing'} and ${learningRate ?? 'nothing'}`,
    );
  }
  if (momentum !== 0) {
    throw new RangeError(`Cannot train with scaffold as momentum must be 0: current value is ${momentum}`);
  }
  const reach = steps * learningRate;
  const { parameters } = round.task;
  return serverControl(round).map((c, i) => (parameters[i]! - result.parameters[i]!) / reach - c);
}

function serverControl({ server, task }: LocalRound<unknown>): Float32Array {
  return server['control'] ?? new Float32Array(task.parameters.length);
}
