import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan, type PlanInput } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { readSiteTable } from './site-table.ts';

const table = {
  names: ['age', 'sex', 'sick'],
  columns: { sex: { kind: 'category', categories: ['f', 'm'] } },
  label: { column: 'sick', classes: [['0'], ['1']] },
} as const;
const rows = '10,f,0\n20,m,1\n30,f,1\n50,m,0\n';

function read(text: string, more: object = {}, inputs = 3, holdoutShare = 0) {
  const model = { kind: 'softmax-regression', inputs, classes: 2 };
  const plan = parsePlan({ model, data: { table: { ...table, ...more } } } as unknown as PlanInput);
  return readSiteTable({ text, path: 'x.csv' }, plan.data.table!, { holdoutShare, rng: createRng(1) });
}

test('readSiteTable() takes columns by position without a header, by name with one, in any order', () => {
  const plain = read(rows);
  assert.deepEqual(read(`age,sex,sick\n${rows}`), plain);
  const turned = read('sick,age,sex\n0,10,f\n1,20,m\n1,30,f\n0,50,m\n');
  assert.deepEqual(turned.training, plain.training);
  assert.deepEqual([...plain.training.labels], [0, 1, 1, 0]);
  assert.deepEqual(
    plain.report.features.map(({ name }) => name),
    ['age', 'sex=f', 'sex=m'],
  );
  // What a histogram of the column asks one of, in the rows' order.
  assert.deepEqual([...plain.categories['sex']!], [0, 1, 0, 1]);
  assert.equal(plain.categories['age'], undefined);
});

test('readSiteTable() says when a header has other names, and refuses one that has some of the names', () => {
  const { said, training } = read(`A1,A2,A3\n${rows}`);
  assert.match(said[0]!, /x\.csv has other column names than the plan: columns are taken by position/);
  assert.deepEqual(training, read(rows).training);
  assert.throws(
    () => read(`age,sex,ill\n${rows}`),
    /its header must have .* age, sex, sick\): current value is age, sex, ill/,
  );
});

test('readSiteTable() takes a first record with one bad cell for data, and names the cell', () => {
  assert.throws(() => read(`ten,f,0\n${rows}`), /column "age" on line 1 must be a number: current value is "ten"/);
  assert.throws(() => read(`${rows}20,x,1\n`), /column "sex" on line 5 must be one of f, m: current value is "x"/);
  assert.throws(() => read(`age,sex,sick\n${rows}20,m\n`), /line 6 must have 3 cells: current value is 2/);
  assert.throws(() => read(`${rows}20,m,2\n`), /column "sick" on line 5 must be one of 0, 1.*"2"/);
  assert.throws(() => read(''), /must hold rows: it is empty/);
});

test('readSiteTable() says what it left out and why, and how it scaled', () => {
  const { said } = read(`${rows}?,f,1\n?,m,1\n60,f,\n`, {}, 3, 0.25);
  assert.deepEqual(said, [
    'x.csv: 7 rows, 3 left out (2 as "age" is missing, 1 as "sick" is missing), 3 to train on, 1 held out',
    '3 features, each with mean 0 and deviation 1 over the training rows of this site',
  ]);
  const without = read(rows, { drop: ['sex'], standardize: false }, 1);
  assert.deepEqual(without.said.at(-1), '1 features without sex');
});

test('readSiteTable() refuses a column without any value, which would shift the features of one site', () => {
  assert.throws(
    () => read('?,f,0\n?,m,1\n', { onMissing: 'fill' }),
    /must have a value: "age" has none .*data\.table\.drop/,
  );
});

test('the hold-out changes nothing that was fitted on the training rows', () => {
  const many = Array.from({ length: 40 }, (_, i) => `${i * i},${i % 2 ? 'f' : 'm'},${i % 2}`);
  const before = read(many.join('\n'), {}, 3, 0.3);
  const held = new Set(
    read(many.join('\n'), { standardize: false }, 3, 0.3).test!.features.filter((_, i) => i % 3 === 0),
  );
  const changed = many.map((line, i) => (held.has(i * i) ? line.replace(/^\d+/, '99999') : line));
  const after = read(changed.join('\n'), {}, 3, 0.3);
  assert.equal(held.size, 12);
  assert.deepEqual(after.training, before.training);
  assert.notDeepEqual(after.test, before.test);
});
