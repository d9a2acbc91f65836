import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../core/plan/plan.ts';
import { simulatePlan } from './index.ts';

const plan = parsePlan({
  name: 'live',
  model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
  rounds: { count: 4 },
  cohort: { expected: 5 },
  training: { learningRate: 0.1 },
  data: { holdoutShare: 0.2, alpha: 10 },
  aggregation: { pipeline: [{ rule: 'mean' }] },
});

function lossUnder(attack: 'dynamic-label-flip' | 'label-flip' | null, extra: object = {}): Promise<number> {
  const hostile = attack === null ? {} : { attackers: 2, attack: [attack] };
  return simulatePlan({ plan, seed: 3, path: 'fast', ...hostile, ...extra }).then(({ rounds }) => rounds.at(-1)!.loss!);
}

test('a dynamic label flip runs on every path of training, and hurts a mean', async () => {
  const calm = await lossUnder(null);
  const attacked = await lossUnder('dynamic-label-flip');
  assert.ok(attacked > 1.2 * calm, `${calm} → ${attacked}`);
  assert.equal(await lossUnder('dynamic-label-flip', { threads: 1 }), attacked);
  const momentum = await lossUnder('dynamic-label-flip', { workerMomentum: 0.5 });
  assert.notEqual(momentum, await lossUnder('label-flip', { workerMomentum: 0.5 }));
});
