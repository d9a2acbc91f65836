import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { renderPlanToml } from '../../cli/plan-toml.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { parsePlan, PlanError, planHash, type PlanInput } from './plan.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;

/** The problems that parsing names; empty when the plan is good. */
function problemsOf(input: unknown): readonly string[] {
  try {
    parsePlan(input);
    return [];
  } catch (error) {
    assert.ok(error instanceof PlanError, String(error));
    return error.problems;
  }
}

test('parsePlan() of a model alone fills in every default', () => {
  assert.deepEqual(parsePlan({ model }), {
    name: 'federation',
    seed: 1,
    model,
    rounds: { count: 25, attempts: 5 },
    cohort: {
      expected: 10,
      size: 10,
      overSelection: 0,
      quorum: 7,
      selection: { by: 'uniform' },
      deadlineSeconds: 60,
      absenceGraceSeconds: 10,
      gatherSeconds: 5,
    },
    training: {
      engine: 'built-in',
      epochs: 1,
      batchSize: 32,
      learningRate: 0.1,
      momentum: 0,
      weightDecay: 0,
    },
    data: { holdoutShare: 0.1, alpha: 0.5 },
    aggregation: {
      pipeline: [
        {
          rule: 'watchful',
          f: 'auto',
          opposed: 0.1,
          gate: 3,
          gateSpread: 2.5,
          gateSpreadKnown: 5,
          copyShare: 0.1,
          unison: 0.978,
          evenness: 0.25,
          evenSpread: 0.18,
          slack: 2,
          turned: 0.25,
        },
      ],
      codec: 'float16-zstd',
      engine: 'built-in',
    },
    learning: { client: { algorithm: 'sgd' }, server: { optimizer: 'fed-avg', learningRate: 1 }, local: [] },
    detection: { detector: 'ensemble', falseAlarms: 0.003, reputation: 'observe', rootSamples: 0 },
    enrolment: { approve: 'auto', linkHours: 72 },
    privacy: { mode: 'off' },
    security: {
      suite: 1,
      profile: 'default',
      channel: 'X25519MLKEM768',
      clientCertificates: 'off',
      qkd: { policy: 'off' },
    },
    transparency: { witnesses: [] },
  });
});

test('parsePlan() derives size from expected and quorum as two thirds of size, rounded up', () => {
  const aggregation = { pipeline: [{ rule: 'mean' }] } as const;
  const cohort = (input: object) => parsePlan({ model, cohort: input, aggregation }).cohort;
  for (const [expected, quorum] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [100, 67],
  ] as const) {
    assert.equal(cohort({ expected }).size, expected);
    assert.equal(cohort({ expected }).quorum, quorum);
  }
  assert.deepEqual([cohort({ expected: 10, size: 4 }).size, cohort({ expected: 10, size: 4 }).quorum], [4, 3]);
  assert.equal(cohort({ expected: 10, quorum: 1 }).quorum, 1);
});

test('parsePlan() names the path, the wish and the value of what is wrong', () => {
  const cases: readonly [object, RegExp][] = [
    [{}, /^model: .*current value is nothing$/],
    [{ model: { ...model, inputs: 0 } }, /^model\.inputs: .*>=1.*current value is 0$/],
    [{ model: { ...model, depth: 3 } }, /^model\.depth: there is no such setting$/],
    [{ model: { kind: 'transformer' } }, /^model\.kind: .*current value is "transformer"$/],
    [{ model, rounds: { count: 1.5 } }, /^rounds\.count: .*current value is 1\.5$/],
    [{ model, rounds: { count: 0 } }, /^rounds\.count: .*current value is 0$/],
    [{ model, rounds: { count: '5' } }, /^rounds\.count: .*current value is "5"$/],
    [{ model, cohort: { deadlineSeconds: 0 } }, /^cohort\.deadlineSeconds: .*current value is 0$/],
    [{ model, cohort: { deadlineSeconds: 86_401 } }, /^cohort\.deadlineSeconds: .*current value is 86401$/],
    [{ model, cohort: { size: 11 } }, /^cohort\.size: must be at most cohort\.expected \(10\): current value is 11$/],
    [
      { model, cohort: { size: 4, quorum: 5 } },
      /^cohort\.quorum: must be at most cohort\.size \(4\): current value is 5$/,
    ],
    [{ model, seed: -1 }, /^seed: .*current value is -1$/],
    [{ model, name: 'No Spaces' }, /^name: must be lower-case .*current value is "No Spaces"$/],
    [{ model, aggregation: { codec: 'gzip' } }, /^aggregation\.codec: .*current value is "gzip"$/],
    [{ model, aggregation: { pipeline: [] } }, /^aggregation\.pipeline: .*current value is \[\]$/],
    [{ model, aggregation: { pipeline: [{ rule: 'krumm' }] } }, /^aggregation\.pipeline\.0\.rule: .*"krumm"$/],
    [
      { model, aggregation: { pipeline: [{ rule: 'krum', F: 2 }] } },
      /^aggregation\.pipeline\.0\.F: there is no such setting$/,
    ],
    [{ model, aggregation: { pipeline: [{ rule: 'krum', f: 4 }] } }, /^aggregation\.pipeline\.0\.f: .*n = 10, f = 4$/],
    [{ model, security: { suite: 2 } }, /^security\.suite: .*current value is 2$/],
    [{ model, security: { channel: 'X25519' } }, /^security\.channel: .*current value is "X25519"$/],
    [{ model, data: { holdoutShare: 0.95 } }, /^data\.holdoutShare: .*current value is 0\.95$/],
    [{ model, enrolment: { approve: 'never' } }, /^enrolment\.approve: .*current value is "never"$/],
    [{ model, detection: { detector: 'none' } }, /^detection\.detector: .*current value is "none"$/],
  ];
  for (const [input, problem] of cases) {
    const problems = problemsOf(input);
    assert.ok(
      problems.some((one) => problem.test(one)),
      `${JSON.stringify(input)}: ${JSON.stringify(problems)}`,
    );
  }
});

test('parsePlan() names a mistyped key of every table by its path', () => {
  for (const [table, value] of Object.entries(parsePlan({ model }))) {
    if (typeof value !== 'object') continue;
    const input = { model, [table]: { ...value, mistyped: 1 } };
    assert.deepEqual(problemsOf(input), [`${table}.mistyped: there is no such setting`]);
  }
  assert.deepEqual(problemsOf({ model, mistyped: 1 }), ['mistyped: there is no such setting']);
});

test('parsePlan() refuses what is no plan at all with a PlanError', () => {
  for (const input of [undefined, null, 1, 'plan', [], new Date(0), { model: null }, { model, rounds: null }]) {
    assert.ok(problemsOf(input).length > 0, String(input));
  }
});

test('a quorum with which the pipeline could never run is refused: such rounds would all abort', () => {
  // 5 contributions make a quorum of 7, and Krum with f = 2 needs 7.
  const plan = (quorum: number) => ({
    model,
    cohort: { expected: 7, quorum },
    aggregation: { pipeline: [{ rule: 'krum', f: 2 }] },
  });
  assert.deepEqual(problemsOf(plan(7)), []);
  assert.match(problemsOf(plan(5)).join(), /^cohort\.quorum: .*n = 5, f = 2.*current value is 5$/);
  // The default is raised instead: two thirds of 9 are 6, and 2f + 3 are 7.
  assert.equal(parsePlan({ ...plan(7), cohort: { expected: 9 } }).cohort.quorum, 7);
  // Of two, nobody can say which one lies.
  assert.equal(parsePlan({ model, cohort: { expected: 3 } }).cohort.quorum, 3);
});

test('the hash of a plan does not depend on what is spelled out or in which order, and is stable', () => {
  const short = parsePlan({ model });
  const spelled = parsePlan({ cohort: { quorum: 7, size: 10, expected: 10 }, seed: 1, model: { ...model } });
  assert.equal(planHash(short), planHash(spelled));
  assert.notEqual(planHash(short), planHash(parsePlan({ model, seed: 2 })));
  // Changing this value changes the identity of every existing plan: say so in the CHANGELOG.
  assert.equal(planHash(short), 'ae69a3f9b8de15270a551f7b2398e8b39ef8d674a18b766fd353d92c08147d43');
});

test('a parsed plan is frozen to the bottom', () => {
  const plan = parsePlan({ model: { kind: 'mlp', layers: [4, 3] } }) as unknown as Record<string, never>;
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    assert.ok(Object.isFrozen(value));
    for (const member of Object.values(value)) walk(member);
  };
  walk(plan);
});

const anyPlan: fc.Arbitrary<PlanInput> = fc.record(
  {
    name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,40}$/),
    seed: fc.nat(),
    model: fc.oneof(
      fc.record({
        kind: fc.constant('softmax-regression' as const),
        inputs: fc.integer({ min: 1, max: 50 }),
        classes: fc.integer({ min: 2, max: 9 }),
      }),
      fc.record({
        kind: fc.constant('mlp' as const),
        layers: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
      }),
    ),
    rounds: fc.record({ count: fc.integer({ min: 1, max: 99 }) }, { requiredKeys: [] }),
    cohort: fc.record(
      {
        expected: fc.integer({ min: 7, max: 40 }),
        overSelection: fc.nat(5),
        deadlineSeconds: fc.double({ min: 0.001, max: 86_400, noNaN: true }),
      },
      { requiredKeys: [] },
    ),
    data: fc.record(
      { test: fc.string({ unit: 'grapheme' }), alpha: fc.constantFrom(1e-7, 1e21, 0.5, 3) },
      { requiredKeys: [] },
    ),
    aggregation: fc.record(
      {
        pipeline: fc.constantFrom<PlanInput['aggregation'] & object extends { pipeline?: infer P } ? P : never>(
          [{ rule: 'mean' }],
          [{ rule: 'mean', weightCap: 2.5 }],
          [{ rule: 'krum', f: 'auto' }],
          [
            { rule: 'nnm', f: 1 },
            { rule: 'trimmed-mean', f: 1 },
          ],
          [
            { rule: 'clipping', radius: 2 },
            { rule: 'centered-clipping', radius: 0.1, iterations: 3 },
          ],
        ),
      },
      { requiredKeys: [] },
    ),
    learning: fc.record(
      {
        client: fc.constantFrom<NonNullable<PlanInput['learning']>['client']>(
          { algorithm: 'fed-prox' },
          { algorithm: 'ditto', lambda: 2 },
          { algorithm: 'fine-tuning' },
        ),
        server: fc.constantFrom<NonNullable<PlanInput['learning']>['server']>(
          { optimizer: 'fed-avg', learningRate: 1e-9 },
          { optimizer: 'fed-adam' },
          { optimizer: 'fed-adagrad', tau: 0.1 },
        ),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['model'] },
);

test('parsing a parsed plan changes nothing: coordinator and client agree on its hash', () => {
  fc.assert(
    fc.property(anyPlan, (input) => {
      const plan = parsePlan(input);
      const sent: unknown = JSON.parse(canonicalJson(plan as unknown as Json));
      assert.deepEqual(parsePlan(sent), plan);
      assert.equal(planHash(parsePlan(sent)), planHash(plan));
    }),
    { seed: 8, numRuns: 300 },
  );
});

test('a plan that is written as TOML is read back as the same plan', () => {
  fc.assert(
    fc.property(anyPlan, (input) => {
      const plan = parsePlan(input);
      assert.deepEqual(parsePlan(parseToml(renderPlanToml(plan))), plan);
    }),
    { seed: 9, numRuns: 300 },
  );
});
