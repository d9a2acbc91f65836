import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planManifest, updateShape } from './learning.ts';
import { parsePlan, PlanError, type PlanInput } from './plan.ts';

const model = { kind: 'mlp', layers: [4, 3, 2] } as const;
const scaffold = { client: { algorithm: 'scaffold' } } as const;

function problemsOf(input: Omit<PlanInput, 'model'>): readonly string[] {
  try {
    parsePlan({ model, ...input });
    return [];
  } catch (error) {
    assert.ok(error instanceof PlanError, String(error));
    return error.problems;
  }
}

test('a way of learning that cannot work is refused with its path and the nearest plan that works', () => {
  const cases: readonly [Omit<PlanInput, 'model'>, RegExp][] = [
    [{ learning: { client: { algorithm: 'sdg' as never } } }, /^learning\.client\.algorithm: /],
    [{ learning: scaffold, training: { momentum: 0.9 } }, /^training\.momentum: must be 0 with scaffold.*is 0\.9$/],
    [{ learning: scaffold, training: { weightDecay: 1 } }, /^training\.weightDecay: must be 0 with scaffold/],
    [
      { learning: scaffold, aggregation: { pipeline: [{ rule: 'centered-clipping', radius: 1 }] } },
      /^aggregation\.pipeline: must estimate a mean wherever it lies.*nearest.*is centered-clipping$/,
    ],
    [{ learning: scaffold, aggregation: { codec: 'top-k' } }, /^aggregation\.codec: must keep every value/],
    [
      { learning: { client: { algorithm: 'fed-nova' } }, aggregation: { pipeline: [{ rule: 'sign-majority' }] } },
      /^aggregation\.pipeline: must keep lengths with fed-nova/,
    ],
    [
      { learning: { local: ['layers.7.bias'] } },
      /^learning\.local: must name tensors of the model \(layers\.0\.weight/,
    ],
    [
      { learning: { local: ['layers.0.bias'] }, data: { test: 'x' } },
      /^data\.test: must be left out where tensors stay/,
    ],
    [
      { learning: { local: planManifest(parsePlan({ model })).map(({ name }) => name) } },
      /^learning\.local: must leave at least one tensor/,
    ],
  ];
  for (const [input, wish] of cases) assert.match(problemsOf(input).join('\n'), wish);
  assert.deepEqual(problemsOf({ learning: scaffold }), []);
});

test('what no bound of privacy covers is refused with it', () => {
  const local = { mode: 'local' } as const;
  assert.match(problemsOf({ privacy: local, learning: scaffold }).join('\n'), /must send one bounded vector.*fed-prox/);
  assert.match(
    problemsOf({ privacy: local, training: { adaptive: { roundSeconds: 10 } } }).join('\n'),
    /^training\.adaptive: must be left out with privacy\.mode "local"/,
  );
  assert.match(
    problemsOf({ privacy: local, learning: { local: ['layers.0.bias'] } }).join('\n'),
    /^learning\.local: must be empty with privacy\.mode "local"/,
  );
  const cohort = { selection: { by: 'poisson', rate: 0.5 } } as const;
  assert.match(
    problemsOf({ privacy: { mode: 'central' }, cohort }).join('\n'),
    /^cohort\.selection\.by: must be "uniform" under central privacy.*privacy\.sampleRate/m,
  );
});

test('where coins choose, size follows from the rate, and a quorum that is hardly ever reached is refused', () => {
  const selection = { by: 'poisson', rate: 0.4 } as const;
  const { cohort } = parsePlan({ model, cohort: { expected: 20, selection } });
  assert.deepEqual([cohort.size, cohort.quorum], [8, 6]);
  assert.match(
    problemsOf({ cohort: { expected: 20, selection, size: 9 } }).join(),
    /size: must be rate × expected, .* 8/,
  );
  assert.match(
    problemsOf({ cohort: { expected: 20, selection, overSelection: 1 } }).join(),
    /overSelection: must be 0/,
  );
  // P[X ≥ 8] of Binomial(20, 0.1) is 0.0004.
  const rare = { expected: 20, selection: { by: 'poisson', rate: 0.1 }, quorum: 8 } as const;
  assert.match(
    problemsOf({ cohort: rare }).join('\n'),
    /quorum: must be reached by at least one draw in ten.*one in 24/,
  );
});

test('updateShape(): tensors that stay do not travel, SCAFFOLD sends two vectors, FedNova says its steps', () => {
  const shapeOf = (learning: PlanInput['learning']) => updateShape(parsePlan({ model, learning }));
  // 12 + 3 and 6 + 2 values.
  assert.deepEqual(shapeOf({}), { count: 23, deltaCount: 23, isNormalised: false });
  assert.deepEqual(shapeOf({ ...scaffold, local: ['layers.0.bias'] }), {
    count: 40,
    deltaCount: 20,
    isNormalised: false,
  });
  assert.equal(shapeOf({ client: { algorithm: 'fed-nova' } }).isNormalised, true);
});
