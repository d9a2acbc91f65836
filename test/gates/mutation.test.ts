import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { measureMutation } from '../../tools/mutation/measure.ts';
import { mutationsOf } from '../../tools/mutation/mutators.ts';
import { isJavaScript, mutantsOf, sampleOf } from '../../tools/mutation/sample.ts';
import { testsByFile } from '../../tools/mutation/test-choice.ts';

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
  assert.ok(!isJavaScript('a + b;', { mutator: '', start: 2, end: 3, replacement: '((', line: 1 }));
});

test('testsByFile() puts the test beside a file first, then the ones that are fewest imports away', () => {
  const files = [
    { path: 'core/a.ts', source: '' },
    { path: 'core/b.ts', source: "import './a.ts';" },
    { path: 'core/b.test.ts', source: "import './b.ts';" },
    { path: 'far/c.test.ts', source: "import '../core/a.ts';" },
    { path: 'far/type.test.ts', source: "import type { A } from '../core/a.ts';" },
  ];
  const tests = testsByFile(files, (path) => path.includes('.test.'));
  assert.deepEqual(tests.get('core/a.ts'), ['core/b.test.ts', 'far/c.test.ts']);
  assert.deepEqual(tests.get('core/b.ts'), ['core/b.test.ts']);
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
  const verdicts = JSON.parse(readFileSync(cache, 'utf8')) as Record<string, string>;
  writeFileSync(cache, JSON.stringify(Object.fromEntries(Object.keys(verdicts).map((key) => [key, 'killed']))));
  assert.equal((await measureMutation(options)).score, 1, 'what has not changed is not run again');
  write(
    'limit.test.ts',
    "import { test } from 'node:test';\ntest('broken', () => { throw new Error('x'); });\nimport './limit.ts';\n",
  );
  await assert.rejects(measureMutation(options), /the tests must pass without any: they fail/);
});
