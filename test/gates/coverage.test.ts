import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { judgeCoverage } from '../../tools/gates/coverage-thresholds.ts';
import { judgeTests, tests } from '../../tools/gates/tests.ts';
import { type FileCoverage, measureFile, type V8Script } from '../../tools/gates/v8-coverage.ts';

const source = `/** Only a type. */
export type T = {
  readonly a: number;
};
export function inMain(x: number): number { return x > 1 ? x : -x; }
export function neverCalled(): number { return 2; }
export function inChild(): string {
  return 'https://example.org';
}
export function inWorker(): number {
  // why
  return 3;
}
`;

/** Runs a module, a child process and a worker under V8 coverage, and gives the reports about a.ts. */
function record(): readonly V8Script[] {
  const root = mkdtempSync(join(tmpdir(), 'qflare-coverage-'));
  try {
    const write = (name: string, text: string) => writeFileSync(join(root, name), text);
    mkdirSync(join(root, 'reports'));
    write('package.json', '{ "type": "module" }');
    write('a.ts', source);
    write('child.ts', "import { inChild } from './a.ts';\ninChild();");
    write('worker.ts', "import { inWorker } from './a.ts';\ninWorker();");
    write(
      'main.ts',
      `import { spawnSync } from 'node:child_process';\nimport { Worker } from 'node:worker_threads';
      import { inMain } from './a.ts';\ninMain(2);\nspawnSync(process.execPath, [import.meta.dirname + '/child.ts']);
      new Worker(new URL('./worker.ts', import.meta.url));`,
    );
    const env = { ...process.env, NODE_V8_COVERAGE: join(root, 'reports'), NODE_OPTIONS: '' };
    const { status } = spawnSync(process.execPath, [join(root, 'main.ts')], { env });
    assert.equal(status, 0);
    return readdirSync(join(root, 'reports'))
      .flatMap((name) => JSON.parse(readFileSync(join(root, 'reports', name), 'utf8')).result as readonly V8Script[])
      .filter(({ url }) => url === pathToFileURL(join(root, 'a.ts')).href);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('coverage joins main, child processes and workers, and sees a one-line function that nobody calls', () => {
  const scripts = record();
  assert.equal(scripts.length, 3);
  const measured = measureFile({ path: 'src/a.ts', source }, scripts)!;
  assert.deepEqual(measured.uncoveredFunctions, ['neverCalled:6']);
  assert.deepEqual(measured.functions, { covered: 3, total: 4 });
  assert.deepEqual(measured.lines, { covered: 6, total: 6 });
  assert.deepEqual(measured.branches, { covered: 3, total: 5 }, 'four functions and the side not taken');
});

test('a line that did not run is uncovered; types, comments, brackets and blank lines do not count', () => {
  const whole = { startOffset: 0, endOffset: source.length, count: 1 };
  const body = {
    startOffset: source.indexOf("{\n  return 'https"),
    endOffset: source.indexOf('}\nexport function inW') + 1,
    count: 0,
  };
  const script: V8Script = { url: '', functions: [{ functionName: '', isBlockCoverage: true, ranges: [whole, body] }] };
  const measured = measureFile({ path: 'src/a.ts', source }, [script])!;
  assert.deepEqual(measured.uncoveredLines, [8]);
  assert.deepEqual(measured.lines, { covered: 5, total: 6 });
});

test('a file that nobody loads is uncovered, and one of types alone is left out', () => {
  const measured = measureFile({ path: 'src/a.ts', source }, [])!;
  assert.deepEqual(measured.lines, { covered: 0, total: 6 });
  assert.deepEqual(measured.functions, { covered: 0, total: 4 });
  assert.equal(
    measureFile({ path: 'src/b.ts', source: "import type { A } from './a.ts';\nexport type B = A;\n" }, []),
    undefined,
  );
});

const share = (covered: number) => ({ covered, total: 100 });
const file = (path: string, lines: number, branches: number): FileCoverage => ({
  path,
  lines: share(lines),
  branches: share(branches),
  functions: share(100),
  uncoveredLines: [3, 4, 5, 9],
  uncoveredFunctions: ['idle:3'],
});
const thresholds = [
  { metric: 'lines', under: 'src/', minPercent: 95 },
  { metric: 'branches', under: 'src/core/', minPercent: 90 },
] as const;

test('coverage at the threshold passes, below it fails and names the gap', () => {
  assert.equal(judgeCoverage([file('src/core/a.ts', 95, 90), file('src/b.ts', 95, 0)], thresholds).ok, true);
  const low = judgeCoverage([file('src/core/a.ts', 94, 90)], thresholds);
  assert.equal(low.ok, false);
  assert.match(low.output, /lines of src\/ must be covered to 95 %: current value is 94 %/);
  assert.match(low.output, /src\/core\/a\.ts:3 .*94 of 100 lines.*\n.*call idle:3; reach lines 3–5, 9/);
  assert.equal(judgeCoverage([file('src/core/a.ts', 95, 89)], thresholds).ok, false);
  assert.equal(judgeCoverage([file('src/b.ts', 100, 100)], thresholds).ok, false, 'no file of core was measured');
  assert.equal(judgeCoverage([], thresholds).ok, false);
});

test('judgeTests() counts the skips by reason and refuses one without', () => {
  const totals = { kind: 'totals', tests: 3, passed: 1, failed: 0 };
  const skipped = { kind: 'skipped', name: 'a', reason: 'missing system tool x' };
  const lines = (...values: readonly object[]) => [values.map((value) => JSON.stringify(value)).join('\n')];
  const fine = judgeTests(lines(skipped, skipped, totals));
  assert.ok(fine.ok);
  assert.match(fine.summary, /2 skipped \(2 × missing system tool x\)/);
  assert.equal(judgeTests(lines({ ...skipped, reason: '' }, totals)).ok, false);
  assert.equal(judgeTests(lines({ ...totals, failed: 1 })).ok, false);
  assert.equal(judgeTests(lines({ ...totals, tests: 0 })).ok, false);
  assert.equal(judgeTests([]).ok, false);
  assert.equal(judgeTests(['']).ok, false);
  const two = judgeTests([...lines(skipped, totals), ...lines({ ...totals, tests: 4, passed: 4 })]);
  assert.match(two.summary, /^5 of 7 tests passed, 0 failed, 1 skipped/);
  assert.equal(judgeTests([...lines(totals), ...lines(skipped)]).ok, false, 'one of two processes did not finish');
});

test('the gate runs a tree once: a failing test and a low coverage both fail it, a tested tree passes', async () => {
  const root = mkdtempSync(join(tmpdir(), 'qflare-gate-'));
  try {
    const write = (name: string, text: string) => writeFileSync(join(root, name), text);
    for (const folder of ['src/core', 'tools/gates']) mkdirSync(join(root, folder), { recursive: true });
    write('package.json', '{ "type": "module" }');
    write('tools/gates/thresholds.json', JSON.stringify({ coverage: thresholds, testSecondsMax: 60 }));
    write('tools/run-tests.ts', readFileSync(join(import.meta.dirname, '../../tools/run-tests.ts'), 'utf8'));
    write(
      'src/core/a.ts',
      'export function a(): number {\n  return 1;\n}\nexport function b(): number {\n  return 2;\n}\n',
    );
    const testOf = (body: string) =>
      `import assert from 'node:assert';\nimport { test } from 'node:test';\nimport * as m from './a.ts';\ntest('a', () => { ${body} });`;
    write('src/core/a.test.ts', testOf('assert.equal(m.a(), 1);'));
    const half = await tests.run(root);
    assert.equal(half.ok, false);
    assert.equal(half.figures!['failed'], 0);
    assert.match(half.output, /call b:4/);
    write('src/core/a.test.ts', testOf('assert.equal(m.a() + m.b(), 3);'));
    const whole = await tests.run(root);
    assert.ok(whole.ok, whole.output);
    write('src/core/a.test.ts', testOf('assert.equal(m.a() + m.b(), 4);'));
    const failing = await tests.run(root);
    assert.equal(failing.ok, false);
    assert.match(failing.output, /3 !== 4|AssertionError/);
  } finally {
    rmSync(root, { recursive: true });
  }
});
