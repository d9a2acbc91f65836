import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planProblems } from '../../../test/plan/plan-problems.ts';
import { parsePlan, type PlanInput } from './plan.ts';
import { privacyStatement } from './privacy.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;

const problemOf = (input: Partial<PlanInput>) => planProblems({ model, ...input });

test('central privacy alone gives centred clipping around the last release with a fixed denominator', () => {
  const plan = parsePlan({ model, cohort: { expected: 40 }, privacy: { mode: 'central', sampleRate: 0.25 } });
  assert.deepEqual(plan.aggregation.pipeline, [
    { rule: 'centered-clipping', radius: 1, iterations: 1, expectedCount: 10 },
  ]);
  assert.ok(plan.privacy.mode === 'central');
  assert.deepEqual([plan.privacy.epsilon, plan.privacy.delta, plan.privacy.clipNorm], [4, 1e-5, 1]);
  const clipped = parsePlan({
    model,
    aggregation: { pipeline: [{ rule: 'clipping', radius: 0.3 }, { rule: 'mean' }] },
    privacy: { mode: 'central' },
  });
  assert.ok(clipped.privacy.mode === 'central' && clipped.privacy.clipNorm === 0.3, 'one clip');
});

test('a plan that asks for privacy and cannot have it is refused, with the reason and the nearest legal plan', () => {
  const central = { mode: 'central' } as const;
  const cases: readonly (readonly [Parameters<typeof problemOf>[0], RegExp])[] = [
    [
      { privacy: central, aggregation: { pipeline: [{ rule: 'krum', f: 1 }] } },
      /^aggregation\.pipeline: .*no proven sensitivity \(nearest: \[\{"rule":"centered-clipping".*krum$/,
    ],
    [
      { privacy: central, aggregation: { pipeline: [{ rule: 'nnm', f: 1 }, { rule: 'mean' }] } },
      /^aggregation\.pipeline: .*nnm → mean$/,
    ],
    [
      { privacy: central, aggregation: { pipeline: [{ rule: 'centered-clipping' }] } },
      /automatic radius depends on the cohort/,
    ],
    [
      { privacy: central, aggregation: { pipeline: [{ rule: 'centered-clipping', radius: 1, iterations: 3 }] } },
      /reads the data again/,
    ],
    [
      { privacy: central, cohort: { expected: 10, size: 8, overSelection: 2 } },
      /^cohort\.overSelection: .*no sample by coins.*\ncohort\.size: .*sampleRate = 0\.8/,
    ],
    [
      { privacy: { ...central, evaluation: 'exact' } },
      /^privacy\.evaluation: must be "off".*nearest: "off", and data\.test/,
    ],
    [{ privacy: { mode: 'local', evaluation: 'exact' } }, /^privacy\.evaluation/],
    [
      { privacy: { ...central, delta: 0.01 }, cohort: { expected: 1000 } },
      /^privacy\.delta: must be at most 1 ÷ cohort\.expected.*nearest: 0\.0001/,
    ],
    [
      { privacy: { ...central, clipNorm: 2 }, aggregation: { pipeline: [{ rule: 'centered-clipping', radius: 1 }] } },
      /^privacy\.clipNorm: must be the radius of the pipeline.*nearest: 1/,
    ],
    [{ privacy: { ...central, rule: 'filter', adaptiveClip: {} } }, /^privacy\.adaptiveClip: .*nearest: rule = "plan"/],
    [{ privacy: { mode: 'local', unit: 'record' }, training: { momentum: 0.9 } }, /^training\.momentum: must be 0/],
    [
      {
        privacy: { mode: 'local', unit: 'record' },
        model: { kind: 'cnn', height: 8, width: 8, channels: [2], classes: 2 },
      },
      /^model\.kind: .*nearest: privacy\.unit = "client"/,
    ],
    [{ privacy: { mode: 'off', epsilon: 1 } as never }, /^privacy\.epsilon: there is no such setting/],
  ];
  for (const [input, wanted] of cases) assert.match(problemOf(input), wanted, JSON.stringify(input));
});

test('a preset is never shown without ε, δ, unit and rounds', () => {
  const { privacy, rounds } = parsePlan({
    model,
    rounds: { count: 30 },
    privacy: { mode: 'central', preset: 'strong', sampleRate: 0.1 },
  });
  assert.equal(
    privacyStatement(privacy, rounds.count),
    'central, strong: (ε = 1, δ = 0.000001) for each client over 30 rounds, each taking part with chance 0.1',
  );
  assert.match(privacyStatement({ mode: 'off' }, 3), /nothing bounds/);
});

test('groups: each client once, not with dp-ftrl, no limit under rule "filter"', () => {
  const base = { model: { kind: 'softmax-regression', inputs: 4, classes: 2 }, cohort: { expected: 4 } } as const;
  const withGroups = (more: object, groups: object[]) =>
    parsePlan({ ...base, privacy: { mode: 'central', epsilon: 5, delta: 1e-5, groups, ...more } as never });
  const two = { name: 'dr-a', clients: ['client-01', 'client-02'], epsilon: 6 };
  const parsed = withGroups({}, [two]).privacy;
  assert.deepEqual(parsed.mode === 'central' && parsed.groups, [two]);
  assert.throws(() => withGroups({}, [two, { name: 'b', clients: ['client-02', 'c'] }]), /"client-02" is there twice/);
  assert.throws(() => withGroups({ rule: 'filter' }, [two]), /no epsilon with rule "filter"/);
  assert.throws(() => withGroups({ mechanism: 'dp-ftrl' }, [two]), /left out with dp-ftrl/);
});
