import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planProblems } from '../../../test/plan/plan-problems.ts';
import { parsePlan, type PlanInput } from './plan.ts';
import { privacyStatement } from './privacy.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
const ftrl = { mode: 'central', mechanism: 'dp-ftrl' } as const;

const problemOf = (input: Omit<PlanInput, 'model'>) => planProblems({ model, ...input });

test('dp-ftrl alone: the widest separation that the cohort allows, nothing replanned, clipped around 0, over a fixed cohort', () => {
  const plan = parsePlan({ model, rounds: { count: 50 }, cohort: { expected: 100, size: 10 }, privacy: ftrl });
  assert.ok(plan.privacy.mode === 'central');
  const { reference, replanEvery, ftrl: settled } = plan.privacy;
  assert.deepEqual([reference, replanEvery], ['zero', 0]);
  assert.deepEqual(settled, { noise: 'tree', separation: 9, participations: 5, restartEvery: 0, bands: 10 });
  assert.deepEqual(plan.aggregation.pipeline, [
    { rule: 'centered-clipping', radius: 1, iterations: 1, expectedCount: 10 },
  ]);
  assert.match(
    privacyStatement(plan.privacy, 50),
    /for each client over 50 rounds, each taking part at most 5 times with 9 rounds between; that it takes part is not hidden$/,
  );
  const usual = parsePlan({ model, privacy: { mode: 'central' } }).privacy;
  assert.ok(usual.mode === 'central');
  assert.deepEqual(
    [usual.mechanism, usual.reference, usual.replanEvery, usual.ftrl],
    ['dp-fedavg', 'last-release', 10, undefined],
  );
});

test('a plan whose dp-ftrl would not hold is refused, with the reason and the nearest legal plan', () => {
  const cohort = { expected: 100, size: 10 };
  const rounds = { count: 50 };
  const cases: readonly (readonly [Omit<PlanInput, 'model'>, RegExp])[] = [
    [{ privacy: { mode: 'central', ftrl: {} } }, /^privacy\.ftrl: .*nearest: mechanism = "dp-ftrl"/],
    [
      { privacy: { ...ftrl, sampleRate: 0.5 } },
      /^privacy\.sampleRate: .*nearest: 1, and cohort\.size\): current value is 0\.5$/,
    ],
    [{ privacy: { ...ftrl, reference: 'last-release' } }, /^privacy\.reference: .*nearest: "zero"/],
    [{ privacy: { ...ftrl, adaptiveClip: {} } }, /^privacy\.adaptiveClip: .*nearest: privacy\.clipNorm/],
    [
      { privacy: { ...ftrl, replanEvery: 5 } },
      /^privacy\.replanEvery: .*nearest: 0, and fewer rounds\): current value is 5$/,
    ],
    [
      { cohort, privacy: { ...ftrl, ftrl: { separation: 10 } } },
      /^privacy\.ftrl\.separation: .*nearest: 9\): current value is 10$/,
    ],
    [
      { cohort, rounds, privacy: { ...ftrl, ftrl: { participations: 4 } } },
      /^privacy\.ftrl\.participations: must be enough for 50 rounds of 10 among 100 clients \(nearest: 5\): current value is 4$/,
    ],
    [
      { privacy: { ...ftrl, ftrl: { restartEvery: 6 } } },
      /^privacy\.ftrl\.restartEvery: .*nearest: 8\): current value is 6$/,
    ],
    [
      { cohort, privacy: { ...ftrl, ftrl: { noise: 'banded', restartEvery: 8 } } },
      /^privacy\.ftrl\.restartEvery: must be 0 with banded noise/,
    ],
    [
      { cohort, privacy: { ...ftrl, ftrl: { noise: 'banded', bands: 11 } } },
      /^privacy\.ftrl\.bands: .*nearest: 10\): current value is 11$/,
    ],
    [
      { privacy: ftrl, aggregation: { pipeline: [{ rule: 'krum', f: 1 }] } },
      /^aggregation\.pipeline: .*no proven sensitivity/,
    ],
    [{ privacy: ftrl, cohort: { overSelection: 2 } }, /^cohort\.overSelection/],
  ];
  for (const [input, message] of cases) assert.match(problemOf(input), message, JSON.stringify(input));
});
