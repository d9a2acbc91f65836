import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Dataset } from '../../src/core/data/dataset.ts';
import { createDataset, subset } from '../../src/core/data/dataset.ts';
import { parameterCount } from '../../src/core/model/manifest.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { trainOptionsSchema } from '../../src/core/learning/engine.ts';
import type { TrainingEngine, TrainJob } from '../../src/core/learning/engine.ts';
import type { ModelSpec } from '../../src/core/learning/model-spec.ts';
import { classCountOf, initialParameters, inputCountOf, manifestOf } from '../../src/core/learning/model-spec.ts';
import { referenceEngine } from '../../src/core/learning/reference/engine.ts';

// Odd widths on purpose: they reach the padding of every kernel.
export const specs: Record<string, ModelSpec> = {
  'softmax regression': { kind: 'softmax-regression', inputs: 13, classes: 2 },
  'one hidden layer': { kind: 'mlp', layers: [11, 9, 5] },
  'two hidden layers': { kind: 'mlp', layers: [6, 17, 3, 4] },
  'one convolution': { kind: 'cnn', height: 4, width: 6, inputChannels: 1, channels: [3], classes: 2 },
  'two convolutions': { kind: 'cnn', height: 4, width: 8, inputChannels: 2, channels: [3, 9], classes: 3 },
};

function randomData(spec: ModelSpec, count: number, kind: 'bytes' | 'floats' = 'floats'): Dataset {
  const rng = createRng(99);
  const [width, classCount] = [inputCountOf(spec), classCountOf(spec)];
  const features =
    kind === 'bytes'
      ? Uint8Array.from({ length: count * width }, () => rng.below(256))
      : Float32Array.from({ length: count * width }, () => rng.gaussian());
  const labels = Int32Array.from({ length: count }, () => rng.below(classCount));
  const scale = kind === 'bytes' ? 1 / 255 : 0.5;
  return createDataset({ features, scale, labels, sampleShape: [width], classCount });
}

export function jobOf(
  spec: ModelSpec,
  options: Record<string, number> = {},
  kind: 'bytes' | 'floats' = 'floats',
): TrainJob {
  const rng = createRng(5);
  const parameters = initialParameters(spec, rng.child('init')).map((value) => value + 0.1 * rng.gaussian());
  const data = randomData(spec, 37, kind);
  return {
    spec,
    parameters,
    data,
    options: trainOptionsSchema.parse({ batchSize: 8, ...options }),
    rng: rng.child('t'),
  };
}

export const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);

/** The engine under test, or undefined where it cannot run here and the test was skipped. */
export type EngineOf = (t: TestContext) => TrainingEngine | undefined;

/** Registers the tests that an engine passes beside the reference: the same steps, the same evaluation. */
export function testAgainstReference(label: string, engineOf: EngineOf): void {
  for (const [name, spec] of Object.entries(specs)) {
    for (const kind of ['bytes', 'floats'] as const) {
      test(`${label} trains ${name} on ${kind} as the reference does`, async (t) => {
        const engine = engineOf(t);
        if (engine === undefined) return;
        const options = { epochs: 2, learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, proximalMu: 0.3 };
        const gradientCorrection = Float32Array.from(jobOf(spec).parameters, (_, i) => 0.01 * Math.sin(i));
        const proximalAnchor = gradientCorrection.map((value) => 10 * value);
        const job = () => ({ ...jobOf(spec, options, kind), gradientCorrection, proximalAnchor });
        const slow = await referenceEngine.train(job());
        const fast = await engine.train(job());
        assert.ok(largest(slow.parameters, fast.parameters) < 1e-5, String(largest(slow.parameters, fast.parameters)));
        assert.equal(fast.steps, 10);
        assert.equal(fast.examples, 37);
        assert.ok(Math.abs(slow.metrics.loss - fast.metrics.loss) < 1e-5);
        assert.equal(slow.metrics.accuracy, fast.metrics.accuracy);
      });
    }
  }

  for (const momentum of [0, 0.9]) {
    test(`${label} takes many small steps with momentum ${momentum} as the reference does`, async (t) => {
      const engine = engineOf(t);
      if (engine === undefined) return;
      const job = () => jobOf({ kind: 'mlp', layers: [11, 9, 5] }, { batchSize: 2, epochs: 2, momentum });
      const slow = await referenceEngine.train(job());
      const fast = await engine.train(job());
      assert.ok(largest(slow.parameters, fast.parameters) < 1e-5, String(largest(slow.parameters, fast.parameters)));
      assert.equal(fast.steps, 38);
      assert.ok(Math.abs(slow.metrics.loss - fast.metrics.loss) < 1e-5);
    });
  }

  test(`${label} and the reference agree on evaluation, ties included`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    const { spec, data } = jobOf({ kind: 'mlp', layers: [11, 9, 5] });
    for (const parameters of [jobOf(spec).parameters, new Float32Array(parameterCount(manifestOf(spec)))]) {
      const slow = await referenceEngine.evaluate({ spec, parameters, data });
      const fast = await engine.evaluate({ spec, parameters, data });
      assert.equal(fast.correctCount, slow.correctCount);
      assert.ok(Math.abs(fast.lossSum - slow.lossSum) < 1e-5 * slow.lossSum);
    }
  });
}

/** Registers the laws of every engine. */
export function testEngineLaws(label: string, engineOf: EngineOf): void {
  test(`${label}: one step from zero on one sample is the one computed by hand`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    // Softmax of [0, 0] is [½, ½]; the label is 1, so dz = [½, −½], and w ← 0 − 0.1 · dz ⊗ [2, 4], b ← −0.1 · dz.
    const spec: ModelSpec = { kind: 'softmax-regression', inputs: 2, classes: 2 };
    const labels = Int32Array.of(1);
    const data = createDataset({ features: Float32Array.of(2, 4), scale: 1, labels, sampleShape: [2], classCount: 2 });
    const options = trainOptionsSchema.parse({ learningRate: 0.1 });
    const job = { spec, parameters: new Float32Array(6), data, options, rng: createRng(1) };
    const { parameters, metrics } = await engine.train(job);
    assert.ok(largest(parameters, [-0.1, -0.2, 0.1, 0.2, -0.05, 0.05]) < 1e-7);
    assert.ok(Math.abs(metrics.loss - Math.log(2)) < 1e-7);
  });

  test(`${label}: momentum is v ← µv + g from v = 0, over two equal steps`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    // The correction 1 on every coordinate dwarfs the gradient of a sample of zeros, which moves the biases only.
    const spec: ModelSpec = { kind: 'softmax-regression', inputs: 1, classes: 2 };
    const zeros = { features: new Float32Array(1), labels: new Int32Array(1) };
    const data = createDataset({ ...zeros, scale: 1, sampleShape: [1], classCount: 2 });
    const options = trainOptionsSchema.parse({ learningRate: 0.1, momentum: 0.5, epochs: 2 });
    const gradientCorrection = Float32Array.of(1, 1, 0, 0);
    const job = { spec, parameters: new Float32Array(4), data, options, gradientCorrection, rng: createRng(1) };
    const { parameters } = await engine.train(job);
    assert.ok(largest(parameters.subarray(0, 2), [-0.25, -0.25]) < 1e-7); // 0.1 · 1 + 0.1 · 1.5
  });

  test(`${label}: the same job gives the same bits, whatever ran before, and leaves its input alone`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    const job = () => jobOf({ kind: 'mlp', layers: [11, 9, 5] }, { epochs: 2 });
    const parameters = job().parameters;
    const first = await engine.train({ ...job(), parameters });
    assert.deepEqual(parameters, job().parameters);
    await engine.train(jobOf({ kind: 'mlp', layers: [40, 30, 5] }, { proximalMu: 1 }));
    assert.deepEqual(await engine.train(job()), first);
    const other = await engine.train({ ...job(), rng: createRng(77) });
    assert.notDeepEqual(other.parameters, first.parameters);
  });

  test(`${label}: evaluation of parts adds up to evaluation of the whole`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    const { spec, parameters } = jobOf({ kind: 'mlp', layers: [11, 9, 5] });
    const data = randomData(spec, 301);
    const whole = await engine.evaluate({ spec, parameters, data });
    const at = (from: number, to: number) =>
      engine.evaluate({
        spec,
        parameters,
        data: subset(
          data,
          Array.from({ length: to - from }, (_, i) => from + i),
        ),
      });
    const [a, b] = [await at(0, 130), await at(130, 301)];
    assert.equal(a.correctCount + b.correctCount, whole.correctCount);
    assert.ok(Math.abs(a.lossSum + b.lossSum - whole.lossSum) < 1e-9 * whole.lossSum);
    assert.equal(whole.examples, 301);
    assert.equal(whole.accuracy, whole.correctCount / 301);
  });

  test(`${label}: what does not fit is refused with wish and value`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    const job = jobOf({ kind: 'mlp', layers: [11, 9, 5] });
    const count = parameterCount(manifestOf(job.spec));
    const short = { ...job, parameters: new Float32Array(3) };
    await assert.rejects(engine.train(short), new RegExp(`${count} parameters: current value is 3`));
    const correction = { ...job, gradientCorrection: new Float32Array(2) };
    await assert.rejects(engine.train(correction), /gradient correction .*current value is 2/);
    const anchor = { ...job, proximalAnchor: new Float32Array(4) };
    await assert.rejects(engine.train(anchor), /proximal anchor .*current value is 4/);
    const narrow = randomData({ kind: 'mlp', layers: [4, 5] }, 3);
    await assert.rejects(engine.train({ ...job, data: narrow }), /11 values: current value is 4/);
    await assert.rejects(engine.evaluate({ ...job, data: subset(job.data, []) }), /at least one sample: .* 0/);
    const many = randomData({ kind: 'mlp', layers: [11, 6] }, 3);
    await assert.rejects(engine.evaluate({ ...job, data: many }), /at most 5 classes: current value is 6/);
  });

  test(`${label}: a diverging run stops with a sentence`, async (t) => {
    const engine = engineOf(t);
    if (engine === undefined) return;
    const job = jobOf({ kind: 'mlp', layers: [11, 9, 5] }, { learningRate: 1e30, epochs: 5 });
    await assert.rejects(engine.train(job), /loss must stay finite .*learningRate than 1e\+30/);
  });
}
