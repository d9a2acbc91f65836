// ε of every mechanism rises or falls with each of its parameters as it must, and composition costs no more than the sum.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epsilonOfEach } from '../local/priv-unit-update.ts';
import { epsilon, type ScheduleStep } from './epsilon.ts';
import type { MECHANISMS } from './mechanisms.ts';

const delta = 1e-5;
const steps = 4;
const of = (step: ScheduleStep, at = delta) => epsilon({ schedule: [step], delta: at }).epsilon;

/** For each mechanism settings that cost more and more: one parameter at a time. */
const rising: { readonly [Id in keyof typeof MECHANISMS]: readonly (readonly ScheduleStep[])[] } = {
  gaussian: [
    [3, 1.7, 1, 0.6].map((noiseMultiplier) => ({ noiseMultiplier, sampleRate: 0.2, steps })),
    [0.01, 0.1, 0.6, 1].map((sampleRate) => ({ noiseMultiplier: 1.3, sampleRate, steps })),
  ],
  laplace: [
    [9, 4, 2, 1].map((noiseMultiplier) => ({ mechanism: 'laplace', noiseMultiplier, steps })),
    [0.05, 0.3, 1].map((sampleRate) => ({ mechanism: 'laplace', noiseMultiplier: 3, sampleRate, steps })),
  ],
  'discrete-laplace': [
    [0.1, 0.4, 1].map((parameter) => ({ mechanism: 'discrete-laplace', parameter, sensitivity: 1, steps })),
    [1, 2, 5].map((sensitivity) => ({ mechanism: 'discrete-laplace', parameter: 0.2, sensitivity, steps })),
  ],
  'discrete-gaussian': [
    [9, 5, 2].map((sigma) => ({ mechanism: 'discrete-gaussian', sigma, sensitivity: 1, steps })),
    [1, 2, 4].map((sensitivity) => ({ mechanism: 'discrete-gaussian', sigma: 6, sensitivity, steps })),
  ],
  'randomized-response': [
    [0.9, 0.6, 0.3].map((noiseParameter) => ({
      mechanism: 'randomized-response',
      noiseParameter,
      bucketCount: 3,
      steps,
    })),
    [2, 4, 20].map((bucketCount) => ({ mechanism: 'randomized-response', noiseParameter: 0.5, bucketCount, steps })),
  ],
  exponential: [[0.1, 0.5, 2].map((one) => ({ mechanism: 'exponential', epsilon: one, steps }))],
  'permute-and-flip': [[0.1, 0.5, 2].map((one) => ({ mechanism: 'permute-and-flip', epsilon: one, steps }))],
  approximate: [
    [0.1, 0.5, 2].map((one) => ({ mechanism: 'approximate', epsilon: one, deltaPerStep: 1e-7, steps })),
    [0, 1e-7, 1e-6].map((deltaPerStep) => ({ mechanism: 'approximate', epsilon: 0.5, deltaPerStep, steps })),
  ],
  'gaussian-mixture': [
    [6, 3, 1.5].map((standardDeviation) => ({
      mechanism: 'gaussian-mixture',
      standardDeviation,
      sensitivities: [0, 1, 2],
      probabilities: [0.5, 0.3, 0.2],
      steps,
    })),
    [0.1, 0.3, 0.8].map((p) => ({
      mechanism: 'gaussian-mixture',
      standardDeviation: 2,
      sensitivities: [0, 2],
      probabilities: [1 - p, p],
      steps,
    })),
  ],
  'gaussian-group': [
    [1, 2, 5].map((groupSize) => ({
      mechanism: 'gaussian-group',
      noiseMultiplier: 4,
      sampleRate: 0.2,
      groupSize,
      steps,
    })),
  ],
  'tree-aggregation': [
    [8, 4, 2].map((noiseMultiplier) => ({ mechanism: 'tree-aggregation', noiseMultiplier, treeSteps: 16, steps })),
    [2, 16, 200].map((treeSteps) => ({ mechanism: 'tree-aggregation', noiseMultiplier: 5, treeSteps, steps })),
    [1, 2, 4].map((participations) => ({
      mechanism: 'tree-aggregation',
      noiseMultiplier: 5,
      treeSteps: 16,
      participations,
      separation: 3,
      steps,
    })),
  ],
};

for (const [id, lists] of Object.entries(rising) as [string, readonly (readonly ScheduleStep[])[]][]) {
  test(`${id}: ε rises with what must cost more, with the number of steps and with a smaller δ; never above the sum`, () => {
    for (const list of lists) {
      const found = list.map((step) => of(step));
      for (let i = 1; i < found.length; i++) {
        assert.ok(found[i]! > found[i - 1]!, `${JSON.stringify(list[i])}: ${found.join(', ')}`);
      }
      const step = list[1]!;
      const [one, more] = [of({ ...step, steps: 1 }), of({ ...step, steps: 9 })];
      assert.ok(more >= of(step) && of(step) >= one, `${id} by steps`);
      assert.ok(of(step, 1e-7) >= of(step) * (1 - 1e-9), `${id} by δ`);
      // Basic composition: four steps at δ/4 each.
      const basic = steps * of({ ...step, steps: 1 }, delta / steps);
      assert.ok(of(step) <= basic * (1 + 1e-6) + 1e-3, `${id}: ${of(step)} above ${basic}`);
    }
  });
}

test('the ε of each local report rises with the budget and falls with the number of reports', () => {
  const each = (total: number, releases: number) => epsilonOfEach({ epsilon: total, delta, releases });
  const [byBudget, byCount] = [[1, 8].map((total) => each(total, 20)), [20, 3, 1].map((releases) => each(8, releases))];
  for (const found of [byBudget, byCount]) {
    assert.deepEqual(
      found,
      [...found].sort((a, b) => a - b),
    );
    assert.equal(new Set(found).size, found.length);
  }
});
