import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planProblems } from '../../../test/plan/plan-problems.ts';
import { allQuestions, questionsIn } from './histograms.ts';
import { updateBudget } from './local-privacy.ts';
import { parsePlan } from './plan.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
const local = { mode: 'local', epsilon: 8, delta: 1e-5 } as const;
const asked = { name: 'labels', epsilon: 1 } as const;

const problemOf = (privacy: object, rest: object = {}) =>
  planProblems({ model, ...rest, privacy: { ...local, ...privacy } });

test('a histogram of the label: auto is settled, ε is taken from the updates, a plan that is read again is the same', () => {
  const plan = parsePlan({ model, privacy: { ...local, histograms: [{ ...asked, rounds: [1, 5] }] } });
  assert.ok(plan.privacy.mode === 'local');
  assert.deepEqual(plan.privacy.histograms, [{ ...asked, of: 'label', mechanism: 'k-rr', rounds: [1, 5] }]);
  assert.equal(updateBudget(plan.privacy, plan.rounds).epsilon, 6);
  assert.deepEqual(parsePlan(plan), plan);
  assert.deepEqual(
    allQuestions(plan).map(({ from, values }) => [from, ...values]),
    [
      [1, '0', '1', '2'],
      [5, '0', '1', '2'],
    ],
  );
  // Until it is asked anew a question stays open: who was not there in its first round answers later.
  assert.deepEqual(
    [1, 4, 5, 20].map((round) => questionsIn(plan, round).map(({ from }) => from)),
    [[1], [1], [5], [5]],
  );
});

test('a histogram of a column has its categories, and of a label its texts', () => {
  const table = {
    names: ['age', 'ward', 'ill'],
    label: { column: 'ill', classes: [['no'], ['yes', '1']] },
    columns: { ward: { kind: 'category' as const, categories: ['a', 'b', 'c'] } },
  };
  const rest = { model: { ...model, classes: 2 }, data: { table } };
  const plan = parsePlan({
    ...rest,
    privacy: {
      ...local,
      histograms: [
        { ...asked, of: 'ward', mechanism: 'oue' },
        { ...asked, name: 'ill' },
      ],
    },
  });
  assert.deepEqual(
    allQuestions(plan).map(({ values }) => values),
    [
      ['a', 'b', 'c'],
      ['no', 'yes'],
    ],
  );
  assert.match(
    problemOf({ histograms: [{ ...asked, of: 'age' }] }, rest),
    /^privacy\.histograms\.0\.of: must be "label" or a column of data\.table that holds categories \(nearest: "label"\): current value is "age"/,
  );
});

test('with unit "record" what the answers take is taken from the records, too', () => {
  const plan = parsePlan({ model, privacy: { ...local, unit: 'record', histograms: [{ ...asked, rounds: [1, 5] }] } });
  assert.ok(plan.privacy.mode === 'local');
  assert.deepEqual(updateBudget(plan.privacy, plan.rounds), { epsilon: 6, delta: 1e-5, releases: 25 });
});

test('a plan that asks for histograms and cannot have them is refused, with the nearest plan', () => {
  assert.match(
    problemOf({ histograms: [{ ...asked, epsilon: 4, rounds: [1, 2] }] }),
    /^privacy\.histograms: must leave ε for the updates: all reports together take 8 of 8 \(nearest: epsilon = 0\.4 for each\)/,
  );
  assert.match(problemOf({ histograms: [asked, asked] }), /^privacy\.histograms\.1\.name: must be there once/);
  assert.match(
    problemOf({ histograms: [{ ...asked, rounds: [3, 2] }] }),
    /^privacy\.histograms\.0\.rounds: must rise.*nearest: \[1\]/,
  );
  assert.match(problemOf({ histograms: [{ ...asked, rounds: [26] }] }), /within the rounds of the plan, 1 to 25/);
  assert.match(problemOf({ mode: 'central', histograms: [asked] }), /^privacy\.histograms: there is no such setting/);
});
