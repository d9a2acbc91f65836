import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainerResult, TrainerTask } from '../../../ports/trainer.ts';
import { createDataset } from '../../data/dataset.ts';
import { createRng } from '../../random/rng.ts';
import { trainOptionsSchema, type TrainingEngine } from '../engine.ts';
import { tensor } from '../../model/manifest.ts';
import { manifestOf } from '../model-spec.ts';
import { newtonSums } from '../newton.ts';
import { referenceEngine } from '../reference/engine.ts';
import type { Vectors } from '../vectors.ts';
import { createWasmEngine } from '../wasm/engine.ts';
import type { Train } from './client-algorithm.ts';
import { accumulationNorm, effectiveSteps } from './fed-nova.ts';
import {
  type ClientAlgorithmOptions,
  clientAlgorithms,
  clientAlgorithmSchema,
  localTask,
  localUpdate,
  personalModel,
  runClientRound,
  traitsOf,
} from './index.ts';
import { nextControl } from './scaffold.ts';

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(
      Math.abs(actual[i]! - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${i}: ${actual[i]} for ${value}`,
    );
  });
}

const optionsOf = (input: object): ClientAlgorithmOptions => clientAlgorithmSchema.parse(input);
const taskOf = (...weights: number[]): TrainerTask => ({
  parameters: Float32Array.of(...weights, 0, 0),
  round: 1,
  seed: 1,
});

/**
 * A trainer on one sample of zeros: only the biases have a gradient, and the two weights move by what the task adds to
 * every gradient, and by `drift` that this site's data would add.
 */
function biasTrainer(engine: TrainingEngine, options: object, drift: readonly number[] = [0, 0]): Train {
  const zeros = { features: new Float32Array(1), labels: new Int32Array(1) };
  const data = createDataset({ ...zeros, scale: 1, sampleShape: [1], classCount: 2 });
  const parsed = trainOptionsSchema.parse(options);
  return async ({ parameters, seed, proximal, wants, correction = new Float32Array(4) }): Promise<TrainerResult> => {
    if (wants === 'sums') return { parameters, examples: 1, sums: newtonSums(data, new Float64Array(2)) };
    const result = await engine.train({
      spec: { kind: 'softmax-regression', inputs: 1, classes: 2 },
      parameters,
      data,
      options: { ...parsed, proximalMu: proximal?.mu ?? 0 },
      ...(proximal === undefined ? {} : { proximalAnchor: proximal.anchor }),
      gradientCorrection: correction.map((value, i) => value + (drift[i] ?? 0)),
      rng: createRng(seed),
    });
    const { learningRate, momentum } = parsed;
    return { parameters: result.parameters, examples: 7, steps: result.steps, learningRate, momentum };
  };
}

const manifest = manifestOf({ kind: 'softmax-regression', inputs: 1, classes: 2 });
const twoSteps = { learningRate: 0.5, epochs: 2 };
const weightsOf = (vector: Float32Array) => vector.subarray(0, 2);
const control = (value: number) => Float32Array.of(value, value, 0, 0);

test('FedNova: ‖a‖₁ counts steps, and with momentum sums (1 − ρᵏ) ÷ (1 − ρ)', () => {
  assert.equal(accumulationNorm({ steps: 4 }), 4);
  near([accumulationNorm({ steps: 3, momentum: 0.5 })], [1 + 1.5 + 1.75]);
  assert.throws(() => accumulationNorm({ steps: 0 }), /integer ≥ 1: current value is 0/);
});

test('FedNova: two rounds by hand; equal steps make it FedAvg', () => {
  // Clients took 1 and 3 steps with deltas [2] and [12]: directions 2 and 4, mean 3, effective steps 2: the change is 6.
  const options = optionsOf({ algorithm: 'fed-nova' });
  const round = (deltas: number[], steps: number[]) => {
    const task = { parameters: Float32Array.of(0), round: 1, seed: 1 };
    const manifest = [tensor('w', 1)];
    const sent = deltas.map((delta, i) =>
      localUpdate(
        options,
        { manifest, task, server: {} },
        { parameters: Float32Array.of(delta), examples: 1, steps: steps[i]! },
      ),
    );
    const norms = sent.map(({ accumulation }) => accumulation);
    return effectiveSteps(norms, [1, 1]) * ((sent[0]!.delta[0]! + sent[1]!.delta[0]!) / 2);
  };
  near([round([2, 12], [1, 3]), round([4, 6], [5, 5])], [6, 5]);
});

test('effectiveSteps() takes no more than 4 times the median from a claim, and weighs by the shares of the rule', () => {
  near([effectiveSteps([2, 2, 1e12], [1, 1, 1])], [(2 + 2 + 8) / 3]);
  near([effectiveSteps([2, 2, 1e12], [0.5, 0.5, 0])], [2]);
  near([effectiveSteps([1e12, 3], [1, 1])], [(12 + 3) / 2]);
  assert.throws(() => effectiveSteps([1], [1, 2]), /one weight for each of 1 clients: current value is 2/);
});

test('FedNova refuses a trainer that does not say its steps', () => {
  const result = { parameters: taskOf(0, 0).parameters, examples: 1 };
  const options = optionsOf({ algorithm: 'fed-nova' });
  assert.throws(
    () => localUpdate(options, { manifest, task: taskOf(0, 0), server: {} }, result),
    /fed-nova .* says nothing/,
  );
});

for (const engine of [referenceEngine, createWasmEngine()]) {
  /** A client's round whose weights have the constant gradient 1. */
  const roundOf = (input: object, given: { task?: TrainerTask; state?: Vectors; server?: Vectors } = {}) =>
    runClientRound(
      optionsOf(input),
      { manifest, task: taskOf(1, 1), state: undefined, server: {}, ...given },
      biasTrainer(engine, twoSteps, [1, 1]),
    );

  test(`${engine.name}: sgd sends what changed, two steps by hand`, async () => {
    const { update, state } = await roundOf({ algorithm: 'sgd' });
    near(weightsOf(update.delta), [-1, -1]);
    assert.deepEqual([update.beside, update.accumulation, update.claimedExamples, state], [{}, 1, 7, {}]);
  });

  test(`${engine.name}: FedProx pulls back towards the start, two steps by hand`, async () => {
    // w₀ = 1: w₁ = 0.5; then the pull is 2 · (−0.5): w₂ = 0.5 − 0.5 · (1 − 1) = 0.5.
    const { update } = await roundOf({ algorithm: 'fed-prox', mu: 2 });
    near(weightsOf(update.delta), [-0.5, -0.5]);
  });

  test(`${engine.name}: FedNova sends the mean step and says how many it took`, async () => {
    const { update } = await roundOf({ algorithm: 'fed-nova' });
    near(weightsOf(update.delta), [-0.5, -0.5]);
    assert.equal(update.accumulation, 2);
  });

  test(`${engine.name}: SCAFFOLD, two rounds by hand`, async () => {
    // This site's gradient is 1. Round 1: c = 3, c_i = 1: y = 0 − 2 · 0.5 · (1 + 3 − 1) = −3.
    // c_i⁺ = 1 − 3 + (0 + 3) ÷ (2 · 0.5) = 1: its gradient; sent 0. Half of the clients took part, the aggregate of
    // c + 0 is 3: c = 0.5 · 3 + 0.5 · 3 = 3.
    const first = await roundOf(
      { algorithm: 'scaffold' },
      { task: taskOf(0, 0), state: { control: control(1) }, server: { control: control(3) } },
    );
    near(weightsOf(first.update.delta), [-3, -3]);
    near(weightsOf(first.update.beside['control']!), [0, 0]);
    near(weightsOf(first.state['control']!), [1, 1]);
    // Round 2 from −3 with c_i = 4 on purpose: y = −3 − 2 · 0.5 · (1 + 3 − 4) = −3; c_i⁺ = 4 − 3 + 0 = 1, sent −3.
    const second = await roundOf(
      { algorithm: 'scaffold' },
      { task: taskOf(-3, -3), state: { control: control(4) }, server: { control: control(3) } },
    );
    near(weightsOf(second.update.delta), [0, 0]);
    near(weightsOf(second.update.beside['control']!), [-3, -3]);
    near(weightsOf(second.state['control']!), [1, 1]);
  });

  test(`${engine.name}: Ditto pulls the personal model towards the global one, two steps by hand`, async () => {
    // v = 4, x = 0, λ = 0.5, η = 0.5, no drift: v ← v − 0.25 v, twice: 4 · 0.75² = 2.25. The global model stays.
    const task = taskOf(0, 0);
    const state = { personal: Float32Array.of(4, -4, 0, 0) };
    const options = optionsOf({ algorithm: 'ditto', lambda: 0.5 });
    const train = biasTrainer(engine, twoSteps);
    const round = await runClientRound(options, { manifest, task, state, server: {} }, train);
    near(weightsOf(round.update.delta), [0, 0]);
    near(weightsOf(round.state['personal']!), [2.25, -2.25]);
    const own = await personalModel(options, { manifest, task, state: round.state, server: {} }, train);
    assert.equal(own, round.state['personal']);
  });

  test(`${engine.name}: fine-tuning trains the newest model once more, and sends what FedAvg sends`, async () => {
    const options = optionsOf({ algorithm: 'fine-tuning' });
    const round = { manifest, task: taskOf(1, 1), state: undefined, server: {} };
    near(weightsOf((await roundOf({ algorithm: 'fine-tuning' })).update.delta), [-1, -1]);
    const own = await personalModel(options, round, biasTrainer(engine, twoSteps, [1, 1]));
    near(weightsOf(own!), [0, 0]);
  });
}

test('SCAFFOLD: a client alone keeps the mean of its gradients as its control', async () => {
  const options = optionsOf({ algorithm: 'scaffold' });
  const round = { manifest, task: taskOf(0, 0), state: undefined, server: {} };
  const { state } = await runClientRound(options, round, biasTrainer(referenceEngine, { learningRate: 0.1 }));
  // Softmax of [0, 0] against label 0: the gradient of the biases is [−½, ½].
  near(state['control']!, [0, 0, -0.5, 0.5]);
});

test('nextControl() by hand: a quarter of the clients brings a quarter of the way; never beyond', () => {
  near(nextControl(Float32Array.of(4), Float32Array.of(8), { participants: 1, clients: 4 }), [5]);
  near(nextControl(Float32Array.of(4), Float32Array.of(8), { participants: 9, clients: 4 }), [8]);
});

test('SCAFFOLD refuses momentum, and a trainer that does not say steps and learning rate', () => {
  const options = optionsOf({ algorithm: 'scaffold' });
  const send = (says: Partial<TrainerResult>) =>
    localUpdate(
      options,
      { manifest, task: taskOf(0, 0), server: {} },
      { parameters: taskOf(0, 0).parameters, examples: 1, ...says },
    );
  assert.throws(() => send({ steps: 1, learningRate: 1, momentum: 0.9 }), /momentum must be 0: current value is 0.9/);
  assert.throws(() => send({ steps: 1 }), /says 1 and nothing/);
  assert.throws(() => send({ steps: 0, learningRate: 1 }), /says 0 and 1/);
});

test('newton: what is sent is minus the summed gradient, by hand; a trainer without sums is refused', async () => {
  const options = optionsOf({ algorithm: 'newton' });
  const round = { manifest, task: taskOf(0, 0), state: undefined, server: {} };
  const { update, state } = await runClientRound(options, round, biasTrainer(referenceEngine, twoSteps));
  // One sample of zeros with label 0 at w = 0: p = ½, the gradient of class 1's bias ½, its curvature ¼, the loss log 2.
  assert.deepEqual([...update.delta], [0, 0, 0.5, -0.5]);
  assert.deepEqual([...update.beside['hessian']!], [0, 0, 0.25]);
  near([update.beside['loss']![0]!], [Math.LN2]);
  assert.deepEqual([update.claimedExamples, state], [1, {}]);
  const plain = { parameters: new Float32Array(4), examples: 1 };
  assert.throws(() => localUpdate(options, round, plain), /newton needs sums .*must give "sums".*gives none/);
});

for (const algorithm of Object.keys(clientAlgorithms) as (keyof typeof clientAlgorithms)[]) {
  test(`${algorithm}: what is sent needs nothing of what is kept, and no input is changed`, async () => {
    const options = optionsOf({ algorithm });
    const server: Vectors = traitsOf(options).travels === null ? {} : { control: control(0.25) };
    const round = { manifest, task: taskOf(1, -1), state: undefined, server };
    const train = biasTrainer(referenceEngine, twoSteps, [0.5, 0.25]);
    const before = structuredClone(round);
    const { update } = await runClientRound(options, round, train);
    assert.deepEqual(round, before);
    const result = await train(localTask(options, round));
    assert.deepEqual(localUpdate(options, round, result), update);
    assert.equal(update.delta.length, 4);
    const { travels, isSummed } = traitsOf(options);
    assert.deepEqual(
      Object.keys(update.beside),
      isSummed ? ['low', 'hessian', 'loss'] : travels === null ? [] : ['control'],
    );
  });
}

test('an update of another length is refused', () => {
  const round = { manifest, task: taskOf(0, 0), server: {} };
  const result = { parameters: new Float32Array(3), examples: 1 };
  assert.throws(() => localUpdate(optionsOf({ algorithm: 'sgd' }), round, result), /must be 4: current value is 3/);
});

test('clientAlgorithmSchema refuses an unknown algorithm and a negative pull', () => {
  assert.equal(clientAlgorithmSchema.safeParse({ algorithm: 'feddyn' }).success, false);
  assert.equal(clientAlgorithmSchema.safeParse({ algorithm: 'fed-prox', mu: -1 }).success, false);
});
