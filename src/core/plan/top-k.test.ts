import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from './plan.ts';

const base = {
  name: 'small',
  model: { kind: 'softmax-regression', inputs: 4, classes: 2 },
  rounds: { count: 3 },
  cohort: { expected: 5 },
};
const planOf = (aggregation: object, rest: object = {}) => parsePlan({ ...base, ...rest, aggregation });

test('the settings are whole with the codec top-k and absent with any other', () => {
  assert.deepEqual(planOf({ codec: 'top-k' }).aggregation.topK, { share: 0.1, errorFeedback: true });
  assert.deepEqual(planOf({ codec: 'top-k', topK: { share: 0.02 } }).aggregation.topK, {
    share: 0.02,
    errorFeedback: true,
  });
  assert.ok(!('topK' in planOf({}).aggregation));
});

test('what cannot work is refused with the nearest plan that works', () => {
  assert.throws(
    () => planOf({ codec: 'int8-zstd', topK: { share: 0.1 } }),
    /^PlanError: .*aggregation\.topK: must be left out with the codec "int8-zstd" \(nearest: codec = "top-k"\)/s,
  );
  assert.throws(() => planOf({ codec: 'top-k', topK: { share: 0 } }), /aggregation\.topK\.share/);
  assert.throws(() => planOf({ codec: 'top-k', topK: { share: 1.5 } }), /aggregation\.topK\.share/);
});

test('under local privacy nothing is kept from one noisy update to the next', () => {
  const privacy = { mode: 'local', epsilon: 8, clipNorm: 1 };
  const rest = { data: { holdoutShare: 0 }, rounds: { count: 3 }, privacy };
  assert.equal(planOf({ codec: 'top-k' }, rest).aggregation.topK?.errorFeedback, false);
  assert.throws(
    () => planOf({ codec: 'top-k', topK: { errorFeedback: true } }, rest),
    /aggregation\.topK\.errorFeedback: must be false with privacy\.mode "local"/,
  );
});
