import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCovered, spansOf } from '../../tools/mutation/coverage.ts';
import { measureMutation } from '../../tools/mutation/measure.ts';
import { mutationsOf } from '../../tools/mutation/mutators.ts';
import { mutantsOf, mutatedSource, sampleOf } from '../../tools/mutation/sample.ts';
import { importsOf, testsByFile } from '../../tools/mutation/test-choice.ts';
import { groupsFor } from '../../tools/mutation/test-map.ts';

const changes = (source: string) =>
  mutationsOf(source).map(({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end));

test('mutationsOf() changes operators, conditions, booleans and methods, and leaves statements out', () => {
  assert.deepEqual(changes('{ x = a < b; }'), ['{ ; }', '{ x = a <= b; }', '{ x = a >= b; }']);
  assert.deepEqual(changes('const x = a === b && !c;'), [
    'const x = a !== b && !c;',
    'const x = a === b || !c;',
    'const x = a === b && c;',
  ]);
  assert.deepEqual(changes('const x = -a - b;'), ['const x = a - b;', 'const x = -a + b;']);
  assert.deepEqual(changes('const x = Math.min(a, 1) ** 2;'), [
    'const x = Math.max(a, 1) ** 2;',
    'const x = Math.min(a, 1) * 2;',
  ]);
  assert.deepEqual(changes('{ f(true); }'), ['{ ; }', '{ f(false); }']);
  assert.deepEqual(changes('if (a) throw new Error(b);'), [
    'if (false) throw new Error(b);',
    'if (true) throw new Error(b);',
    'if (a) ;',
  ]);
  assert.deepEqual(changes('i++; x += 2;').length, 3);
});

test('mutationsOf() leaves texts, comments, arrows, spreads and keys alone', () => {
  assert.deepEqual(changes("const x = 'a < b' + `c && d`; // e && f"), []);
  assert.deepEqual(changes('const f = (a) => [...a];'), []);
  assert.deepEqual(changes('const o = { true: a, min: b };'), []);
  assert.deepEqual(changes("import { a } from './b.js'; export const c = a;"), []);
});

test('mutantsOf() has ids that another file does not move, and sampleOf() is a function of the seed', () => {
  const file = { path: 'a.ts', source: 'export const f = (x: number): number => (x < 1 ? x + 1 : x * 2);\n' };
  const other = { path: 'b.ts', source: 'export const g = (x: number) => x - 1;\n' };
  const ids = mutantsOf([file], 1).map(({ id }) => id);
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(
    mutantsOf([other, file], 1)
      .map(({ id }) => id)
      .slice(-4),
    ids,
  );
  assert.notDeepEqual(
    mutantsOf([file], 2).map(({ id }) => id),
    ids,
  );
  assert.equal(sampleOf(mutantsOf([file, other], 1), 3).length, 3);
  const at = { mutator: '', start: 2, end: 3, line: 1 };
  assert.equal(mutatedSource('a + b;', { ...at, replacement: '((' }), undefined);
  assert.equal(mutatedSource('a + b;', { ...at, replacement: '-' }), 'a - b;');
});

test('testsByFile() puts the test beside a file first, then the ones that are fewest imports away', () => {
  const files = [
    { path: 'core/a.ts', source: '' },
    { path: 'core/b.ts', source: "import './a.ts';" },
    { path: 'core/b.test.ts', source: "import './b.ts';" },
    { path: 'far/c.test.ts', source: "import '../core/a.ts';" },
    { path: 'far/type.test.ts', source: "import type { A } from '../core/a.ts';" },
  ];
  const isTest = (path: string) => path.includes('.test.');
  const tests = testsByFile(importsOf(files), files.map(({ path }) => path).filter(isTest));
  assert.deepEqual(tests.get('core/a.ts'), [
    { file: 'core/b.test.ts', distance: 0 },
    { file: 'far/c.test.ts', distance: 1 },
  ]);
  assert.deepEqual(tests.get('core/b.ts'), [{ file: 'core/b.test.ts', distance: 0 }]);
});

test('spansOf() joins nested ranges: the innermost one around a place counts', () => {
  const range = (startOffset: number, endOffset: number, count: number) => ({ startOffset, endOffset, count });
  const spans = spansOf([range(0, 100, 1), range(10, 50, 0), range(20, 30, 3), range(50, 60, 2), range(90, 100, 0)]);
  assert.deepEqual(spans, [0, 10, 20, 30, 50, 90]);
  const reached = [0, 9, 10, 19, 20, 29, 30, 50, 89, 90, 100].filter((place) => isCovered(spans, place));
  assert.deepEqual(reached, [0, 9, 20, 29, 50, 89]);
  assert.ok(!isCovered(undefined, 0));
  // A function that ran in a module that did not run again.
  assert.deepEqual(spansOf([range(0, 100, 0), range(40, 60, 1)]), [40, 60]);
});

test('groupsFor() takes the tests that reach a place: quick and near ones first, all of a file for what loads', () => {
  const mapOf = (load: number[], ...tests: readonly (readonly [ms: number, from: number, to: number])[]) => ({
    load: { 'a.ts': load },
    tests: tests.map(([ms, from, to]) => ({ name: '', ms, spans: { 'a.ts': [from, to] } })),
  });
  const files = [
    { file: 'far', distance: 3, map: mapOf([], [1, 0, 100]) },
    { file: 'near', distance: 0, map: mapOf([0, 5], [900, 0, 100], [2, 50, 100], [3, 0, 20]) },
  ];
  const chosen = (start: number, msMax: number) =>
    groupsFor({ path: 'a.ts', start }, files, msMax).map(({ file, tests }) => `${file} ${tests.join()}`);
  assert.deepEqual(chosen(10, 5000), ['near 2', 'far 0', 'near 0']);
  assert.deepEqual(chosen(60, 5000), ['near 1', 'far 0', 'near 0']);
  assert.deepEqual(chosen(60, 500), ['near 1', 'far 0']);
  assert.deepEqual(chosen(2, 5000), ['near 1,2', 'far 0', 'near 0']);
  assert.deepEqual(chosen(200, 5000), []);
});

test('a mutant that loops for ever, one that ends the process and one that leaves traces are told apart', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'qflare-mutation-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  write(
    'trace.ts',
    'const seen = globalThis as { seen?: number };\nexport const trace = (): void => {\n  seen.seen = 0;\n};\n',
  );
  write(
    'loop.ts',
    'export const count = (n: number): number => {\n  let i = 0;\n  while (i < n) i++;\n  return i;\n};\n',
  );
  write('value.ts', 'export const value = (x: number): number => x + 1;\n');
  write(
    'all.test.ts',
    "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { count } from './loop.ts';\n" +
      "import { trace } from './trace.ts';\nimport { value } from './value.ts';\n" +
      "test('count', () => assert.equal(count(3), 3));\n" +
      "test('trace', () => { trace(); const g = globalThis as { seen?: number }; assert.equal(g.seen, 0); g.seen = 1; });\n" +
      "test('later', () => assert.equal(value(1) - 2, globalThis.seen - 1));\n" +
      "test('value', async () => { await null; assert.equal(value(1), 2); assert.equal(value(0), 1); });\n",
  );
  const files = { root, mutate: ['*.ts'], tests: ['*.test.ts'], isMutated: () => true };
  const options = { sample: 100, seed: 1, concurrency: 1, limitMsMin: 1000 };
  const { counts, survivors, score } = await measureMutation({ ...files, ...options });
  assert.deepEqual(survivors, []);
  assert.equal(score, 1);
  assert.ok(counts.timeout >= 1 && counts.killed + counts.timeout === 5, JSON.stringify(counts));
});

test('measureMutation() sees a test that looks and one that does not, and remembers verdicts', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'qflare-mutation-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'src'));
  const write = (name: string, text: string) => writeFileSync(join(root, 'src', name), text);
  write('limit.ts', 'export const limit = (x: number, max: number): number => (x > max ? max : x);\n');
  write('loose.ts', 'export const loose = (x: number): number => (x > 3 ? 1 : 0);\n');
  write('alone.ts', 'export const alone = (x: number): boolean => !x;\n');
  write(
    'limit.test.ts',
    "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { limit } from './limit.ts';\n" +
      "test('limit', () => { for (const x of [1, 2, 3]) assert.equal(limit(x, 2), Math.min(x, 2)); });\n",
  );
  write(
    'loose.test.ts',
    "import { test } from 'node:test';\nimport { loose } from './loose.ts';\ntest('loose', () => void loose(1));\n",
  );
  const cache = join(root, 'cache.json');
  const files = { root, mutate: ['src/*.ts'], tests: ['src/*.test.ts'], isMutated: () => true };
  const options = { ...files, sample: 100, seed: 1, concurrency: 2, cache };
  const report = await measureMutation(options);
  // x > max → x >= max gives the same value: no test can see it. The other is seen.
  assert.deepEqual([report.mutants, report.files, report.sampled], [5, 3, 5]);
  assert.deepEqual(report.counts, { killed: 1, survived: 3, timeout: 0, untested: 1, invalid: 0 });
  assert.equal(report.score, 1 / 5);
  assert.ok(report.survivors.some(({ path, text }) => path === 'src/loose.ts' && /"<="/.test(text)));
  assert.ok(existsSync(cache));
  const verdicts = JSON.parse(readFileSync(cache, 'utf8')) as Record<string, object>;
  const renamed = Object.entries(verdicts).map(([key, kept]) => [key, { ...kept, verdict: 'killed' }]);
  writeFileSync(cache, JSON.stringify(Object.fromEntries(renamed)));
  assert.equal((await measureMutation(options)).score, 1, 'what has not changed is not run again');
  write(
    'limit.test.ts',
    "import { test } from 'node:test';\ntest('broken', () => { throw new Error('x'); });\nimport './limit.ts';\n",
  );
  await assert.rejects(measureMutation(options), /the tests must pass without any: they fail/);
});
