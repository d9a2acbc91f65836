import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planProblems } from '../../../test/plan/plan-problems.ts';
import { unitUpdateNorm } from '../privacy/local/priv-unit-update.ts';
import { unitUpdatesOf } from './local-privacy.ts';
import { parsePlan, type PlanInput } from './plan.ts';
import { privacyStatement } from './privacy.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
const local = { mode: 'local', epsilon: 8, delta: 1e-5, mechanism: 'priv-unit' } as const;

const problemOf = (input: Partial<PlanInput>) => planProblems({ model, ...input });

test('PrivUnit: the default pipeline cuts every report to the norm that all reports have', () => {
  const plan = parsePlan({ model, rounds: { count: 5 }, privacy: local });
  const [clip, mean] = plan.aggregation.pipeline;
  assert.ok(plan.privacy.mode === 'local' && clip?.rule === 'clipping' && mean?.rule === 'mean');
  const norm = unitUpdateNorm(unitUpdatesOf(plan, plan.privacy), 1);
  assert.ok(clip.radius! > norm && clip.radius! < 1.02 * norm, `${clip.radius} for reports of ${norm}`);
  assert.deepEqual(
    parsePlan(plan).aggregation.pipeline,
    plan.aggregation.pipeline,
    'a plan that is read again is the same',
  );
  assert.equal(
    privacyStatement(plan.privacy, 5),
    'local, (ε = 8, δ = 0.00001) for each client over 5 rounds, updates by PrivUnit',
  );
});

test('PrivUnit is refused for records, and where ε is too small for the model, each with the nearest plan', () => {
  assert.match(
    problemOf({ privacy: { ...local, unit: 'record' } }),
    /^privacy\.mechanism: must be "gaussian" with unit "record".*nearest: unit = "client"/,
  );
  assert.match(
    problemOf({ rounds: { count: 1 }, privacy: { ...local, epsilon: 1e-12 } }),
    /^privacy\.mechanism: must be "gaussian" with so little ε.*nearest: mechanism = "gaussian"/,
  );
});
