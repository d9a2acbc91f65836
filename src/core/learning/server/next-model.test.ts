import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverOptimizerSchema } from './index.ts';
import { lastAggregate, nextModel } from './next-model.ts';

const fedAvg = serverOptimizerSchema.parse({ optimizer: 'fed-avg', learningRate: 0.5 });
const fedAvgM = serverOptimizerSchema.parse({ optimizer: 'fed-avg-m', learningRate: 1, momentum: 0.5 });

test('nextModel() of FedAvg keeps nothing, and its last aggregate is its last step divided by η', () => {
  const base = Float32Array.of(1, 1);
  const { model, state } = nextModel(fedAvg, { base, aggregate: Float32Array.of(2, -4), state: {} });
  assert.deepEqual([...model], [2, -1]);
  assert.deepEqual(state, {});
  assert.deepEqual([...lastAggregate(fedAvg, { model, parent: base, state })], [2, -4]);
  assert.deepEqual([...lastAggregate(fedAvg, { model: base, parent: null, state })], [0, 0]);
});

test('nextModel() of FedAvgM, two rounds by hand: v = [2], then [1 + 4] = [5]; x = 1 + 2 + 5', () => {
  const first = nextModel(fedAvgM, { base: Float32Array.of(1), aggregate: Float32Array.of(2), state: {} });
  assert.deepEqual([...first.model], [3]);
  const second = nextModel(fedAvgM, { base: first.model, aggregate: Float32Array.of(4), state: first.state });
  assert.deepEqual([...second.model], [8]);
  assert.deepEqual([...second.state['momentum']!], [5]);
  const { model, state } = second;
  assert.deepEqual([...lastAggregate(fedAvgM, { model, parent: first.model, state })], [4]);
  assert.deepEqual([...lastAggregate(fedAvgM, { model: first.model, parent: null, state: {} })], [0]);
});

test('nextModel() refuses a model that would not be finite', () => {
  const huge = Float32Array.of(0, 3e38);
  assert.throws(() => nextModel(fedAvgM, { base: huge, aggregate: huge, state: {} }), /parameter 1 must be finite/);
});
