import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../core/random/rng.ts';
import type { Trainer } from '../ports/trainer.ts';
import { createHostileTrainer } from './hostile-trainer.ts';

/** Moves every parameter by the same step. */
const moves = (step: number): Trainer => ({
  train: async ({ parameters }) => ({ parameters: parameters.map((value) => value + step), examples: 7 }),
  evaluate: async () => ({ examples: 3, lossSum: 1, correctCount: 2 }),
});
const task = { parameters: Float32Array.of(1, 2), round: 4, seed: 9 };
const sentBy = async (trainer: Trainer) => {
  const { parameters } = await trainer.train(task);
  return [...parameters].map((value, i) => value - task.parameters[i]!);
};

test('a lone attacker turns its own update around, claims its examples and evaluates honestly', async () => {
  const lone = createHostileTrainer(moves(0.25), 'sign-flip');
  assert.deepEqual(await sentBy(lone), [-0.25, -0.25]);
  assert.equal((await lone.train(task)).examples, 7);
  assert.equal((await lone.evaluate(task)).correctCount, 2);
});

test('accomplices send one vector, made of what all of them would have sent honestly', async () => {
  const trainers = [moves(1), moves(3)];
  const together = { trainers, seed: 5, clientCount: 10 };
  const sent = await Promise.all(trainers.map((own) => sentBy(createHostileTrainer(own, 'mean-sign-flip', together))));
  assert.deepEqual(sent, [
    [-2, -2],
    [-2, -2],
  ]);
});

test('accomplices draw from one stream, attackers on their own from one each', async () => {
  const drawing = (seed: number, together: boolean) => {
    const own = moves(1);
    const accomplices = together ? { trainers: [own, moves(2)], seed: 5, clientCount: 10 } : undefined;
    const trainer = createHostileTrainer(own, 'random', accomplices);
    return trainer.train({ ...task, seed }).then(({ parameters }) => [...parameters]);
  };
  const [one, other] = [createRng(1).uint32(), createRng(2).uint32()];
  assert.deepEqual(await drawing(one, true), await drawing(other, true));
  assert.notDeepEqual(await drawing(one, false), await drawing(other, false));
});
