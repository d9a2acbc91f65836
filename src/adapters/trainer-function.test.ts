import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensor } from '../core/model/manifest.ts';
import { createFunctionTrainer } from './trainer-function.ts';

const manifest = [tensor('w', 2, 2), tensor('b', 1)];
const task = { parameters: Float32Array.of(1, 2, 3, 4, 5), round: 3, seed: 9 };

test('a function may change the tensors in place, and the global model stays as it was', async () => {
  const trainer = createFunctionTrainer(manifest, {
    train({ tensors, round, seed }) {
      tensors['b']![0]! += round + seed;
      return { examples: 10 };
    },
  });
  assert.deepEqual(await trainer.train(task), { parameters: Float32Array.of(1, 2, 3, 4, 17), examples: 10 });
  assert.equal(task.parameters[4], 5);
});

test('a function may give new tensors back, and later', async () => {
  const trainer = createFunctionTrainer(manifest, {
    train: async () => ({ examples: 1, tensors: { b: Float32Array.of(9), w: new Float32Array(4) } }),
    evaluate: async () => ({ examples: 8, loss: 0.5, accuracy: 0.75 }),
  });
  assert.deepEqual((await trainer.train(task)).parameters, Float32Array.of(0, 0, 0, 0, 9));
  assert.deepEqual(await trainer.evaluate(task), { examples: 8, lossSum: 4, correctCount: 6 });
});

test('a function gets what an algorithm adds to every gradient by tensor, and must say that it added it', async () => {
  const adds = { proximal: { mu: 2, anchor: task.parameters }, correction: Float32Array.of(1, 1, 1, 1, 3) };
  const trainer = createFunctionTrainer(manifest, {
    train({ tensors, proximal, correction }) {
      tensors['b']![0] = proximal!.mu * proximal!.anchor['b']![0]! + correction!['b']![0]!;
      return { examples: 1, applied: ['proximal', 'correction'], steps: 2, learningRate: 0.5, momentum: 0 };
    },
  });
  const result = await trainer.train({ ...task, ...adds });
  assert.deepEqual(result, {
    parameters: Float32Array.of(1, 2, 3, 4, 13),
    examples: 1,
    steps: 2,
    learningRate: 0.5,
    momentum: 0,
  });
  const silent = createFunctionTrainer(manifest, { train: () => ({ examples: 1, applied: ['proximal'] }) });
  await assert.rejects(silent.train({ ...task, ...adds }), /must say so \(applied: \["correction"\]\)/);
});

test('without an evaluate function a site has nothing to add', async () => {
  const trainer = createFunctionTrainer(manifest, { train: () => ({ examples: 1 }) });
  assert.deepEqual(await trainer.evaluate(task), { examples: 0, lossSum: 0, correctCount: 0 });
});

test('what does not fit the model is refused by name', async () => {
  const refuse = (result: object, message: RegExp) =>
    assert.rejects(
      createFunctionTrainer(manifest, { train: () => result as { examples: number } }).train(task),
      message,
    );
  await refuse({ examples: 1, tensors: { w: new Float32Array(4) } }, /tensor "b" must have 1 values: .* nothing/);
  await refuse({ examples: 1, tensors: { w: new Float32Array(3), b: new Float32Array(1) } }, /"w" must have 4 .* is 3/);
  await refuse(
    { examples: 1, tensors: { w: new Float32Array(4), b: Float32Array.of(NaN) } },
    /"b" must be finite: .*NaN/,
  );
  await refuse({ examples: -1 }, /examples must be an integer ≥ 0: current value is -1/);
  const evaluate = (measured: object, message: RegExp) => {
    const functions = { train: () => ({ examples: 1 }), evaluate: () => measured as never };
    return assert.rejects(createFunctionTrainer(manifest, functions).evaluate(task), message);
  };
  await evaluate({ examples: 1, loss: NaN, accuracy: 1 }, /loss must be a finite number: current value is NaN/);
  await evaluate({ examples: 1, loss: 0, accuracy: 75 }, /accuracy must be from 0 to 1: current value is 75/);
});
