import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDataset, type Dataset } from '../data/dataset.ts';
import { wireVector } from '../learning/client/index.ts';
import { newtonSums } from '../learning/newton.ts';
import { sumsAsUpdate, unknownsOf } from '../learning/newton-update.ts';
import { newtonRound } from './newton-step.ts';

const model = { inputs: 1, classes: 2 };

function site(features: readonly number[], labels: readonly number[]): Dataset {
  const parts = { features: Float32Array.from(features), labels: Int32Array.from(labels) };
  return createDataset({ ...parts, scale: 1, sampleShape: [1], classCount: 2 });
}

const sentBy = (data: Dataset, parameters: Float32Array) => {
  const sums = newtonSums(data, unknownsOf(parameters, model));
  const update = { ...sumsAsUpdate(sums, parameters.length), accumulation: 1, claimedExamples: sums.examples };
  return { clientId: 'client-01', row: wireVector(update), claimedExamples: sums.examples };
};

test('newtonRound(): one step by hand, from two sites', async () => {
  // As in newton.test.ts: g = [−2, 0], H = [1, 0, 0, 1] at 0: w = [2, 0], the weight of class 1.
  const start = new Float32Array(4);
  const sent = [sentBy(site([1, 1, -1], [1, 1, 0]), start), sentBy(site([-1], [0]), start)];
  const { parameters, optimizer } = await newtonRound(model, 0, { parameters: start, optimizer: {} }, sent);
  assert.deepEqual([...parameters], [0, 2, 0, 0]);
  assert.deepEqual([...optimizer['low']!], [0, 0, 0, 0]);
  assert.deepEqual([...optimizer['from']!], [0, 0]);
  assert.deepEqual([...optimizer['from-examples']!], [4, 0]);
});

test('newtonRound(): a step that raised the loss is halved until it falls, where plain steps run away', async () => {
  // Far out the curvature is nearly 0, and an undamped step goes beyond every number.
  const data = site([1, 1, 1, -1, -1, -1, 0.5, -0.5], [1, 1, 0, 0, 0, 1, 1, 0]);
  let [parameters, optimizer, halved] = [Float32Array.of(0, 6, 0, 0), {}, 0] as [
    Float32Array,
    Record<string, Float32Array>,
    number,
  ];
  for (let round = 0; round < 60; round++) {
    const before = optimizer['from'];
    const next = await newtonRound(model, 0, { parameters, optimizer }, [sentBy(data, parameters)]);
    if (before !== undefined && next.optimizer['from']!.every((value, j) => value === before[j])) halved += 1;
    [parameters, optimizer] = [next.parameters, next.optimizer];
  }
  const rest = unknownsOf(optimizer['low']!, model);
  const w = unknownsOf(parameters, model).map((value, j) => value + rest[j]!);
  const { gradient } = newtonSums(data, w);
  assert.ok(halved > 2, `${halved} halvings`);
  assert.ok(Math.max(...gradient.map(Math.abs)) < 1e-9, String(gradient));
});

test('newtonRound(): other examples than before are no reason to halve', async () => {
  const start = new Float32Array(4);
  const good = await newtonRound(model, 1, { parameters: start, optimizer: {} }, [
    sentBy(site([1, -1], [1, 0]), start),
  ]);
  const worse = site([1, -1, 1], [0, 1, 0]);
  const next = await newtonRound(model, 1, good, [sentBy(worse, good.parameters)]);
  assert.deepEqual(next.optimizer['from'], Float32Array.from(unknownsOf(good.parameters, model)));
});

test('newtonRound() names the client whose sums are of no data, and refuses what cannot be solved', async () => {
  const start = new Float32Array(4);
  const sent = sentBy(site([1, -1], [1, 0]), start);
  const liar = { ...sent, clientId: 'client-07', row: sent.row.map((value, i) => (i === 4 + 2 ? -value : value)) };
  const round = (sends: Parameters<typeof newtonRound>[3], penalty = 0) =>
    newtonRound(model, penalty, { parameters: start, optimizer: {} }, sends);
  await assert.rejects(round([sent, liar]), /sums of client-07, as its Hessian must be positive semidefinite/);
  await assert.rejects(round([]), /at least one site/);
  const constant = [sentBy(site([2, 2], [1, 0]), start)];
  await assert.rejects(round(constant), /positive definite \(a penalty makes it so\)/);
  assert.deepEqual([...(await round(constant, 1)).parameters], [0, 0, 0, 0]);
});
