import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../ports/entropy.ts';
import { createDataset, type Dataset } from '../data/dataset.ts';
import { epsilon } from '../privacy/accounting/epsilon.ts';
import { createRng } from '../random/rng.ts';
import type { ModelSpec } from './model-spec.ts';
import { recordNoise, recordSampling, trainPrivately } from './private-training.ts';
import { referenceEngine } from './reference/engine.ts';

const spec: ModelSpec = { kind: 'mlp', layers: [3, 4, 2] };
const d = 3 * 4 + 4 + 4 * 2 + 2;

function data(n: number, scale = 1): Dataset {
  const rng = createRng(5);
  const labels = Int32Array.from({ length: n }, () => rng.below(2));
  const features = Float32Array.from(
    { length: 3 * n },
    (_, i) => scale * (rng.gaussian() + 2 * labels[Math.floor(i / 3)]!),
  );
  return createDataset({ features, labels, scale: 1, sampleShape: [3], classCount: 2 });
}

/** Equal draws each time, so that two trainings differ by their data alone. */
function entropyOf(seed: number): Entropy {
  const rng = createRng(seed);
  return { purpose: 'secret', fillBytes: (target) => void target.forEach((_, i) => (target[i] = rng.uint32())) };
}

const options = { epochs: 1, batchSize: 40, learningRate: 0.5, weightDecay: 0 };
const parameters = Float32Array.from({ length: d }, (_, i) => Math.sin(i));

test('recordNoise(): the steps of all rounds cost ε, and no more', () => {
  const noise = recordNoise(200, { epochs: 2, batchSize: 20 }, { epsilon: 1, delta: 1e-5, rounds: 5 });
  assert.deepEqual(recordSampling(200, { epochs: 2, batchSize: 20 }), { steps: 20, sampleRate: 0.1 });
  const spent = epsilon({ noiseMultiplier: noise, sampleRate: 0.1, steps: 100, delta: 1e-5 }).epsilon;
  assert.ok(spent <= 1 && spent > 0.98, `${spent}`);
});

test('one record more moves a step by at most η C/B, whatever it holds; the bound is nearly met', () => {
  const clipNorm = 0.01;
  const train = (set: Dataset) =>
    trainPrivately({ spec, parameters, data: set, options, clipNorm, noise: 0.1, entropy: entropyOf(1) });
  const base = data(40, 50);
  for (const value of [1e3, -1e3, 0.5]) {
    // The whole batch is taken at n ≤ B: the coins are the same with one record in the place of another.
    const features = Float32Array.from(base.features as Float32Array);
    features.fill(value, 0, 3);
    const moved = train({ ...base, features });
    const apart = Math.hypot(...moved.map((w, k) => w - train(base)[k]!));
    assert.ok(apart <= (2 * 0.5 * clipNorm) / 40 + 1e-6, `${apart}`);
  }
});

test('with little noise and a wide clip it learns what plain SGD learns', async () => {
  const set = data(400);
  let w: Float32Array = parameters;
  for (let round = 0; round < 8; round++) {
    w = trainPrivately({ spec, parameters: w, data: set, options, clipNorm: 5, noise: 0.1, entropy: entropyOf(round) });
  }
  const { accuracy } = await referenceEngine.evaluate({ spec, parameters: w, data: set });
  assert.ok(accuracy > 0.93, `${accuracy}`);
});

test('weight decay and a proximal term are public: they act without a record', () => {
  const job = { spec, parameters, data: data(1), clipNorm: 1e-9, noise: 0.1, entropy: entropyOf(3) };
  const decayed = trainPrivately({ ...job, options: { ...options, weightDecay: 0.1 } });
  decayed.forEach((w, k) => assert.ok(Math.abs(w - 0.95 * parameters[k]!) < 1e-6));
  const pulled = trainPrivately({ ...job, options, proximal: { mu: 1, anchor: new Float32Array(d) } });
  pulled.forEach((w, k) => assert.ok(Math.abs(w - 0.5 * parameters[k]!) < 1e-6));
});
