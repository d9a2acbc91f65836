import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan, type PlanInput } from './plan.ts';
import { featureNames } from './table.ts';

const table = {
  names: ['age', 'city', 'sick'],
  columns: { city: { kind: 'category', categories: ['Bern', 'Oslo', 'Rome'] } },
  label: { column: 'sick', classes: [['0'], ['1']] },
};

function parse(more: object, inputs = 4, classes = 2) {
  const model = { kind: 'softmax-regression', inputs, classes };
  return parsePlan({ model, data: { table: { ...table, ...more } } } as unknown as PlanInput);
}

test('featureNames() gives the features in the order of the names', () => {
  assert.deepEqual(featureNames(parse({}).data.table!), ['age', 'city=Bern', 'city=Oslo', 'city=Rome']);
  const fewer = parse({ drop: ['age'], dropFirstCategory: true }, 2);
  assert.deepEqual(featureNames(fewer.data.table!), ['city=Oslo', 'city=Rome']);
});

test('a table that does not fit itself or the model is refused with its path', () => {
  assert.throws(
    () => parse({}, 3),
    /data\.table\.names: must give as many features .*\(3\): they give 4 \(age, city=Bern/,
  );
  assert.throws(() => parse({}, 4, 3), /data\.table\.label\.classes: .*\(3\): current value is 2/);
  assert.throws(
    () => parse({ drop: ['aeg'] }),
    /data\.table\.drop: must be one of .*age, city, sick\): current value is "aeg"/,
  );
  assert.throws(() => parse({ columns: { ctiy: { kind: 'number' } } }), /data\.table\.columns\.ctiy: must be one of/);
  assert.throws(() => parse({ names: ['age', 'age', 'city', 'sick'] }), /must differ: "age" is there twice/);
  assert.throws(() => parse({ label: { ...table.label, column: 'ill' } }), /data\.table\.label\.column: .*"ill"/);
  assert.throws(() => parse({ columns: { city: { kind: 'category' } } }), /columns\.city\.categories: must list every/);
  assert.throws(() => parse({ headr: true }), /data\.table\.headr: there is no such setting/);
});
