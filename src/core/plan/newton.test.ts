import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStreamable } from '../round/streamed-step.ts';
import { updateShape } from './learning.ts';
import { regressionOf } from './newton.ts';
import { parsePlan, PlanError, type PlanInput } from './plan.ts';

const good: PlanInput = {
  model: { kind: 'softmax-regression', inputs: 13, classes: 2 },
  learning: { client: { algorithm: 'newton' } },
  aggregation: { pipeline: [{ rule: 'mean' }], codec: 'float32' },
};

function problemsOf(change: Partial<PlanInput>): string {
  try {
    parsePlan({ ...good, ...change });
    return '';
  } catch (error) {
    assert.ok(error instanceof PlanError, String(error));
    return error.problems.join('\n');
  }
}

const newton = { algorithm: 'newton' } as const;

test('a plan that cannot learn by Newton is refused with the path, the reason and the nearest plan', () => {
  const cases: readonly [Partial<PlanInput>, RegExp][] = [
    [{ model: { kind: 'mlp', layers: [4, 3, 2] } }, /^model\.kind: must be "softmax-regression".*nearest.*"mlp"$/],
    [
      { model: { kind: 'softmax-regression', inputs: 784, classes: 10 } },
      /^model\.inputs: must give at most 1000 unknowns.*nearest: 110.*is 784$/,
    ],
    [{ privacy: { mode: 'local' } }, /^learning\.client\.algorithm: .*no bound.*nearest: "sgd".*"newton"$/m],
    [{ privacy: { mode: 'central' } }, /^learning\.client\.algorithm: .*no bound/m],
    [
      { aggregation: { pipeline: [{ rule: 'median' }], codec: 'float32' } },
      /^aggregation\.pipeline: must be the mean alone.*no robust rule gives.*withstands no liar/,
    ],
    [
      { aggregation: { pipeline: [{ rule: 'clipping', radius: 1 }, { rule: 'mean' }], codec: 'float32' } },
      /^aggregation\.pipeline: must be the mean alone/,
    ],
    [{ aggregation: { codec: 'float32' } }, /^aggregation\.pipeline: must be the mean alone.*watchful/],
    [{ aggregation: { pipeline: [{ rule: 'mean' }] } }, /^aggregation\.codec: must keep every bit.*"float16-zstd"$/],
    [{ learning: { client: newton, server: { optimizer: 'fed-adam' } } }, /^learning\.server: must be left out/],
    [{ learning: { client: newton, local: ['layers.0.bias'] } }, /^learning\.local: must be empty with newton/],
    [{ training: { adaptive: { roundSeconds: 9 } } }, /^training\.adaptive: must be left out with newton/],
    [{ detection: { reputation: 'weigh' } }, /^detection\.reputation: must leave weights alone with newton/],
    [{ learning: { client: { algorithm: 'newton', penalty: -1 } } }, /^learning\.client\.penalty: /],
  ];
  for (const [change, wish] of cases) assert.match(problemsOf(change), wish);
});

test('a plan of Newton is read again as it was, sends sums, and holds whole vectors', () => {
  const plan = parsePlan(good);
  assert.deepEqual(parsePlan(plan), plan);
  assert.deepEqual(plan.learning.client, { algorithm: 'newton', penalty: 0 });
  // 28 values like the model, 14 of what float32 left, 14 · 15 ÷ 2 of the Hessian, the loss in two.
  assert.deepEqual(updateShape(plan), { count: 28 + 14 + 105 + 2, deltaCount: 28, isNormalised: false });
  assert.equal(isStreamable(plan), false);
  assert.throws(() => regressionOf({ kind: 'mlp', layers: [4, 2] }), /softmax-regression: current value is mlp/);
});
