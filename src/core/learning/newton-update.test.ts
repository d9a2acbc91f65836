import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createDataset, type Dataset } from '../data/dataset.ts';
import { createRng } from '../random/rng.ts';
import { wireVector } from './client/index.ts';
import { newtonIterate, newtonSums, penalisedLoss, totalSums } from './newton.ts';
import {
  modelOf,
  newtonUpdateCount,
  sumsAsUpdate,
  sumsOfUpdate,
  sumsProblem,
  unknownCount,
  unknownsOf,
} from './newton-update.ts';

const threeByTwo = { inputs: 2, classes: 3 };

function samples(count: number, seed: number, classes = 3, inputs = 2): Dataset {
  const rng = createRng(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const features = Float32Array.from({ length: count * inputs }, (_, i) => {
    return rng.gaussian() + labels[Math.floor(i / inputs)]! * (i % inputs === 0 ? 0.8 : -0.5);
  });
  return createDataset({ features, labels, scale: 1, sampleShape: [inputs], classCount: classes });
}

test('unknownsOf() and modelOf(): three classes by hand, as differences to the first', () => {
  const parameters = Float32Array.of(1, 2, 3, 4, 5, 6, 10, 20, 40);
  const w = unknownsOf(parameters, threeByTwo);
  assert.deepEqual([...w], [2, 2, 10, 4, 4, 30]);
  assert.deepEqual([...modelOf(w, threeByTwo).parameters], [0, 0, 2, 2, 4, 4, 0, 10, 30]);
  assert.equal(unknownCount(threeByTwo), 6);
  assert.equal(newtonUpdateCount(threeByTwo), 9 + 6 + 21 + 2);
});

test('modelOf(): the rounding is kept: parameters + low have some 48 bits', () => {
  const w = Float64Array.of(1 / 3, -1e-3 / 7, 2 / 9);
  const { parameters, low } = modelOf(w, { inputs: 2, classes: 2 });
  const places = [2, 3, 5];
  w.forEach((value, u) => {
    assert.equal(parameters[places[u]!], Math.fround(value));
    assert.ok(Math.abs(parameters[places[u]!]! + low[places[u]!]! - value) <= 2 ** -47 * Math.abs(value));
  });
});

test('an update has the length that the plan expects, and gives the sums back', async () => {
  const w = Float64Array.of(0.5, -0.25, 0.1, 0.3, 0, -0.2);
  const sums = newtonSums(samples(50, 1), w);
  const { delta, beside } = sumsAsUpdate(sums, 9);
  const row = wireVector({ delta, beside, accumulation: 1, claimedExamples: 50 });
  assert.equal(row.length, newtonUpdateCount(threeByTwo));
  const spooled = {
    length: row.length,
    read: async (at: number, to: Float32Array) => to.set(row.subarray(at, at + to.length)),
  };
  for (const given of [row, spooled]) {
    const back = await sumsOfUpdate(given, threeByTwo, 50);
    assert.ok(Math.abs(back.lossSum - sums.lossSum) < 1e-12 * sums.lossSum);
    sums.gradient.forEach((value, j) => assert.ok(Math.abs(back.gradient[j]! - value) < 1e-13 * 50));
    sums.hessian.forEach((value, j) => assert.equal(back.hessian[j], Math.fround(value)));
  }
  // The first class moves against the sum of the others: class gradients of a softmax add up to 0.
  for (const j of [0, 1]) assert.ok(Math.abs(delta[j]! + delta[2 + j]! + delta[4 + j]!) < 1e-5);
});

test('law: sums of honest data pass, whatever the data and the weights; the slopes are those of the loss', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 2, max: 4 }),
      (n, seed, classes) => {
        const model = { inputs: 2, classes };
        const data = samples(n, seed, classes);
        const rng = createRng(seed).child('w');
        const w = Float64Array.from({ length: unknownCount(model) }, () => rng.gaussian());
        const sums = newtonSums(data, w);
        assert.equal(sumsProblem(sums, model), undefined);
        const h = 1e-5;
        for (let u = 0; u < w.length; u++) {
          const at = (change: number) =>
            newtonSums(
              data,
              w.map((value, j) => (j === u ? value + change : value)),
            );
          const [up, down] = [at(h), at(-h)];
          const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5 * n, `${a} for ${b}`);
          near((up.lossSum - down.lossSum) / (2 * h), sums.gradient[u]!);
          for (let v = 0; v < w.length; v++) {
            near((up.gradient[v]! - down.gradient[v]!) / (2 * h), sums.hessian[u * w.length + v]!);
          }
        }
      },
    ),
    { seed: 7, numRuns: 20 },
  );
});

test('three classes over unequal sites have the optimum of the pool, penalised, with free biases', () => {
  const pool = samples(90, 3);
  const part = (from: number, to: number) =>
    createDataset({ ...pool, features: pool.features.slice(2 * from, 2 * to), labels: pool.labels.slice(from, to) });
  const sites = [part(0, 4), part(4, 60), part(60, 90)];
  const task = { inputs: 2, penalty: 0.5 };
  const fit = (of: readonly Dataset[]) => {
    let w = new Float64Array(6);
    for (let i = 0; i < 12; i++)
      w = Float64Array.from(newtonIterate(w, totalSums(of.map((one) => newtonSums(one, w))), task));
    return w;
  };
  const w = fit(sites);
  fit([pool]).forEach((value, j) => assert.ok(Math.abs(value - w[j]!) < 1e-10));
  const here = penalisedLoss(w, newtonSums(pool, w), task);
  for (let u = 0; u < 6; u++) {
    for (const step of [-1e-3, 1e-3]) {
      const moved = w.map((value, j) => (j === u ? value + step : value));
      assert.ok(penalisedLoss(moved, newtonSums(pool, moved), task) > here);
    }
  }
});

test('sumsProblem() says what shows sums of no data', () => {
  const model = { inputs: 1, classes: 2 };
  const sums = { examples: 4, lossSum: 1, gradient: Float64Array.of(9, 1), hessian: Float64Array.of(2, 0, 0, 1) };
  const says = (change: Partial<typeof sums>) => sumsProblem({ ...sums, ...change }, model);
  assert.equal(says({}), undefined);
  assert.match(says({ lossSum: -1 })!, /loss must be at least 0: it is -1/);
  assert.match(says({ gradient: Float64Array.of(0, 5) })!, /gradient of at most 4: it is 5/);
  assert.match(says({ hessian: Float64Array.of(2, 0, 0, 1.5) })!, /curvature from 0 to 1: it is 1.5/);
  assert.match(says({ hessian: Float64Array.of(-2, 0, 0, 1) })!, /positive semidefinite/);
  assert.match(says({ hessian: Float64Array.of(0, 1, 1, 0) })!, /positive semidefinite/);
  assert.equal(says({ hessian: new Float64Array(4) }), undefined);
});
