import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan, PlanError } from './plan.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;

function problemsOf(input: object): readonly string[] {
  try {
    parsePlan({ model, ...input });
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.problems;
    throw error;
  }
}

test('under central privacy reputation must not weigh, and selects only where detectors may look', () => {
  const plan = (reputation: string, evidence: string) => ({
    cohort: { expected: 20 },
    detection: { reputation },
    privacy: { mode: 'central', epsilon: 4, delta: 1e-5, evidence },
  });
  assert.deepEqual(problemsOf(plan('observe', 'none')), []);
  assert.deepEqual(problemsOf(plan('select', 'operator')), []);
  assert.match(problemsOf(plan('select', 'none')).join(), /^detection\.reputation: .*privacy\.evidence = "operator"/);
  assert.match(problemsOf(plan('weigh', 'operator')).join(), /nearest: "select"\): current value is "weigh"$/);
  assert.match(problemsOf(plan('weigh-and-select', 'none')).join(), /nearest: "observe"\)/);
});

test('without privacy, and under local privacy, reputation may do anything', () => {
  for (const reputation of ['observe', 'weigh', 'select', 'weigh-and-select']) {
    assert.deepEqual(problemsOf({ detection: { reputation } }), []);
    assert.deepEqual(problemsOf({ detection: { reputation }, privacy: { mode: 'local', delta: 1e-5 } }), []);
  }
});

test('a root set is refused where no detector may look, and where the coordinator has no whole model', () => {
  const detection = { rootSamples: 100 };
  const central = (evidence: string) => ({
    cohort: { expected: 20 },
    detection,
    privacy: { mode: 'central', epsilon: 4, delta: 1e-5, evidence },
  });
  assert.deepEqual(problemsOf({ detection }), []);
  assert.deepEqual(problemsOf({ detection, privacy: { mode: 'local', delta: 1e-5 } }), []);
  assert.deepEqual(problemsOf(central('operator')), []);
  assert.match(
    problemsOf(central('none')).join(),
    /^detection\.rootSamples: must be 0 .*nearest: 0, or privacy\.evidence = "operator".*current value is 100$/,
  );
  const local = {
    learning: { local: ['layer1.*'] },
    model: { kind: 'mlp', layers: [4, 5, 3] },
    data: { holdoutShare: 0.1 },
  };
  assert.match(problemsOf({ ...local, detection }).join(), /detection\.rootSamples: .*no whole model/);
});
