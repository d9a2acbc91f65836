import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cornerTrigger } from './backdoor.ts';
import { livePoisons, poisons } from './index.ts';

const { backdoor, 'distributed-backdoor': distributedBackdoor, 'edge-case-backdoor': edgeCaseBackdoor } = poisons;

const samples = {
  features: new Float32Array(40 * 784),
  labels: Int32Array.from({ length: 40 }, (_, i) => i % 10),
  width: 784,
  lineLength: 28,
  classCount: 10,
};

test('a backdoor stamps all pixels of its trigger, a distributed one a pixel by colluder', () => {
  const lit = (poisoned: typeof samples, i: number): number =>
    poisoned.features.subarray(i * 784, (i + 1) * 784).reduce((sum, value) => sum + value, 0);
  const whole = backdoor(samples, { seed: 1, colluder: 0 }) as typeof samples;
  const part = distributedBackdoor(samples, { seed: 1, colluder: 2 }) as typeof samples;
  const touched = [...samples.labels.keys()].filter((i) => lit(whole, i) > 0);
  assert.ok(touched.length > 10 && touched.length < 30);
  for (const i of touched) {
    assert.equal(lit(whole, i), 4);
    assert.equal(lit(part, i), 1);
    assert.equal(part.features[i * 784 + cornerTrigger[2]![0] * 28 + cornerTrigger[2]![1]], 1);
    assert.equal(whole.labels[i], 0);
  }
  assert.ok(samples.features.every((value) => value === 0));
});

test('an edge-case backdoor relabels what is least like its class', () => {
  const odd = { ...samples, features: samples.features.slice() };
  for (const i of [3, 17, 25, 38]) odd.features.fill(9, i * 784, (i + 1) * 784);
  const { labels } = edgeCaseBackdoor(odd, { seed: 1, colluder: 0 });
  assert.deepEqual(
    [...labels.keys()].filter((i) => labels[i] !== odd.labels[i]),
    [3, 17, 25, 38],
  );
});

test('every poison keeps the number of samples and valid labels', () => {
  for (const poison of Object.values(poisons)) {
    const { labels } = poison(samples, { seed: 3, colluder: 1 });
    assert.ok(labels.length === 40 && labels.every((label) => label >= 0 && label < 10));
  }
});

test('a dynamic label flip gives each class the label that the model of the round believes least', async () => {
  const few = { ...samples, labels: Int32Array.of(0, 1, 2, 1), width: 1, lineLength: 1, classCount: 3 };
  const asked: string[] = [];
  const flipped = async (least: readonly number[]) =>
    livePoisons['dynamic-label-flip'](few, async (indexes, label) => {
      const y = few.labels[indexes[0]!]!;
      asked.push(`${[...indexes].join()}:${label}`);
      return label === least[y] ? 9 : 1;
    });
  assert.deepEqual([...(await flipped([2, 0, 1]))], [2, 0, 1, 0]);
  assert.deepEqual(asked, ['0:1', '0:2', '1,3:0', '1,3:2', '2:0', '2:1']);
  // Another model, other labels; where all are alike, the lowest that is wrong.
  assert.deepEqual([...(await flipped([1, 2, 0]))], [1, 2, 0, 2]);
  assert.deepEqual([...(await flipped([0, 1, 2]))], [1, 0, 0, 0]);
});
