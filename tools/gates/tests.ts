// Runs the tests once, and judges from that one run: no failure, every skip with its reason, and the coverage.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testFile } from './borders-policy.ts';
import type { TestLine } from './coverage-reporter.ts';
import { judgeCoverage, type Threshold } from './coverage-thresholds.ts';
import type { Gate, GateResult } from './gate.ts';
import { readFiles } from './source-files.ts';
import { type FileCoverage, measureFile, type V8Script } from './v8-coverage.ts';

type Thresholds = { readonly coverage: readonly Threshold[]; readonly testSecondsMax: number };

export const tests: Gate = {
  name: 'tests',
  run(root) {
    const thresholds: Thresholds = JSON.parse(readFileSync(join(root, 'tools/gates/thresholds.json'), 'utf8'));
    const scratch = mkdtempSync(join(tmpdir(), 'qflare-tests-'));
    try {
      return runTests(root, scratch, thresholds);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  },
};

function runTests(root: string, scratch: string, { coverage, testSecondsMax }: Thresholds): GateResult {
  const linesFolder = join(scratch, 'lines');
  mkdirSync(linesFolder);
  const reporter = join(import.meta.dirname, 'coverage-reporter.ts');
  const reporters = [
    ['spec', 'stdout'],
    // tools/run-tests.ts puts the number of each of its processes there.
    [pathToFileURL(reporter).href, join(linesFolder, '{shard}.jsonl')],
  ].map(([name, destination]) => `--test-reporter=${name} --test-reporter-destination=${destination}`);
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: inherited = '', ...env } = process.env;
  const options = inherited.split(' ').filter((option) => option !== '' && !option.startsWith('--test-reporter'));
  const run = spawnSync(process.execPath, ['tools/run-tests.ts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: testSecondsMax * 1000,
    env: { ...env, NODE_V8_COVERAGE: join(scratch, 'coverage'), NODE_OPTIONS: [...options, ...reporters].join(' ') },
  });
  const text = `${run.stdout}${run.stderr}${run.error === undefined ? '' : `${run.error.message}\n`}`;
  const told = judgeTests(readdirSync(linesFolder).map((name) => readFileSync(join(linesFolder, name), 'utf8')));
  const covered = judgeCoverage(measureTree(root, join(scratch, 'coverage')), coverage);
  const hasRun = run.status === 0 && told.ok;
  return {
    ok: hasRun && covered.ok,
    summary: `${told.summary}; ${covered.summary}`,
    output: [hasRun ? '' : text, told.output, covered.output].filter((part) => part !== '').join('\n'),
    figures: { ...told.figures, ...covered.figures },
  };
}

/** Judges what the reporters wrote, one text of each process: tests ran, none failed, each that was skipped says why. */
export function judgeTests(texts: readonly string[]): GateResult {
  const lines: readonly TestLine[] = texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  );
  const ends = lines.filter((line) => line.kind === 'totals');
  if (ends.length === 0 || ends.length < texts.length)
    return { ok: false, summary: 'the tests did not finish', output: 'No totals were reported.' };
  const sum = (of: (end: (typeof ends)[number]) => number) => ends.reduce((total, end) => total + of(end), 0);
  const totals = { tests: sum((end) => end.tests), passed: sum((end) => end.passed), failed: sum((end) => end.failed) };
  const skipped = lines.filter((line) => line.kind === 'skipped');
  const mute = skipped.filter(({ reason }) => reason.trim() === '');
  const reasons = Map.groupBy(skipped, ({ reason }) => reason || 'NO REASON');
  const problems = [
    ...(totals.tests === 0 ? ['No test ran.'] : []),
    ...mute.map(({ name }) => `The test "${name}" is skipped without a reason: { skip: 'reason' }.`),
  ];
  const whys = [...reasons].map(([reason, group]) => `${group.length} × ${reason}`);
  return {
    ok: problems.length === 0 && totals.failed === 0,
    summary:
      `${totals.passed} of ${totals.tests} tests passed, ${totals.failed} failed, ${skipped.length} skipped` +
      (whys.length > 0 ? ` (${whys.join('; ')})` : ''),
    output: problems.join('\n'),
    figures: { tests: totals.tests, passed: totals.passed, failed: totals.failed, skipped: skipped.length },
  };
}

/** The coverage of every file of src by all reports of a folder together. */
function measureTree(root: string, folder: string): readonly FileCoverage[] {
  const files = readFiles(root, ['src/**/*.ts']).filter(({ path }) => !testFile.test(path));
  const paths = new Map(files.map(({ path }) => [pathToFileURL(join(root, path)).href, path]));
  const scripts = new Map<string, V8Script[]>(files.map(({ path }) => [path, []]));
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    for (const script of readReport(join(folder, name))) {
      const path = paths.get(script.url.replace(/[?#].*$/, ''));
      if (path !== undefined) scripts.get(path)!.push(script);
    }
  }
  return files.map((file) => measureFile(file, scripts.get(file.path)!)).filter((file) => file !== undefined);
}

/** A process that was killed while it wrote leaves half a report: it counts as none. */
function readReport(path: string): readonly V8Script[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).result;
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
