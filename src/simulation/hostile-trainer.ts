import { type AttackId, attacks } from '../core/attacks/index.ts';
import { createRng } from '../core/random/rng.ts';
import type { Trainer, TrainerTask } from '../ports/trainer.ts';
import { factsOf } from './world/trainer-facts.ts';

/**
 * Sites that lie together. Over a network an attacker does not see the updates of the honest: what all accomplices
 * would have sent honestly stands for them, as Baruch et al. 2019 (arXiv:1902.06156, section 3) have it.
 */
export type Accomplices = {
  /** All of them, this site too, in an order that they share. */
  readonly trainers: readonly Trainer[];
  /** What they share of randomness. */
  readonly seed: number;
  readonly clientCount: number;
};

/** A site that trains honestly and then sends something else: what it knows is its own update, or its accomplices'. */
export function createHostileTrainer(honest: Trainer, attack: AttackId, accomplices?: Accomplices): Trainer {
  return {
    ...factsOf(honest),
    async train(task) {
      const result = await honest.train(task);
      const own = difference(result.parameters, task.parameters);
      const seed = createRng(task.seed).child('attack').uint32();
      const known = accomplices === undefined ? { seed } : await knownTogether(accomplices, task);
      const sent = await attacks[attack]({ own, round: task.round, ...known });
      return { ...result, parameters: task.parameters.map((value, i) => value + sent[i]!) };
    },
    evaluate: (task) => honest.evaluate(task),
  };
}

/** What accomplices know of a round without a word between them: each computes the same from data that all hold. */
async function knownTogether({ trainers, seed, clientCount }: Accomplices, task: TrainerTask) {
  const rng = createRng(seed).child('accomplices', task.round);
  const honest = await Promise.all(
    trainers.map(async (trainer, i) => {
      const { parameters } = await trainer.train({ ...task, seed: rng.child('training', i).uint32() });
      return difference(parameters, task.parameters);
    }),
  );
  return { honest, attackerCount: trainers.length, clientCount, seed: rng.child('attack').uint32() };
}

function difference(after: Float32Array, before: Float32Array): Float32Array {
  return after.map((value, i) => value - before[i]!);
}
