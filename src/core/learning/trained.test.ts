import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensor } from '../model/manifest.ts';
import { checkApplied, checkExamples, checkFinite, evaluationSums } from './trained.ts';

test('checkFinite() names the tensor of the first value that is not finite', () => {
  const manifest = [tensor('a', 2), tensor('b', 1)];
  const good = Float32Array.of(1, 2, 3);
  assert.equal(checkFinite(manifest, good), good);
  assert.throws(() => checkFinite(manifest, Float32Array.of(1, 2, Infinity)), /"b" must be finite: .* Infinity/);
});

test('evaluationSums() turns means into sums and refuses figures out of range', () => {
  assert.deepEqual(evaluationSums({ examples: 3, loss: 2, accuracy: 1 / 3 }), {
    examples: 3,
    lossSum: 6,
    correctCount: 1,
  });
  assert.throws(() => evaluationSums({ examples: 1, loss: Infinity, accuracy: 0 }), /loss must be a finite number/);
  assert.throws(() => evaluationSums({ examples: 1, loss: 0, accuracy: 1.1 }), /from 0 to 1: current value is 1.1/);
  assert.throws(() => checkExamples('train', 1.5), /Cannot train as examples must be an integer ≥ 0: .* 1.5/);
});

test('checkApplied() names what the training code was asked to add and does not say that it added', () => {
  const proximal = { mu: 0.1, anchor: Float32Array.of(1) };
  const correction = Float32Array.of(2);
  checkApplied({});
  checkApplied({}, ['more than was asked']);
  checkApplied({ proximal, correction }, ['correction', 'proximal']);
  assert.throws(() => checkApplied({ proximal }), /"proximal" to every gradient.*current value is \[\]/);
  assert.throws(() => checkApplied({ correction }, ['proximal']), /"correction" .*current value is \[proximal\]/);
});
