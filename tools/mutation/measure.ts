import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { readFiles } from '../gates/source-files.ts';
import { isJavaScript, type Mutant, mutantsOf, sampleOf } from './sample.ts';
import { testsByFile } from './test-choice.ts';

export type Verdict = 'killed' | 'survived' | 'timeout' | 'untested' | 'invalid';

export type MutationOptions = {
  readonly root: string;
  /** The files that are mutated, and the tests that may kill. */
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  readonly isMutated: (path: string) => boolean;
  readonly sample: number;
  readonly seed: number;
  readonly concurrency: number;
  /** Where verdicts are kept for the next run: those of unchanged files and tests are not computed again. */
  readonly cache?: string;
  readonly say?: (text: string) => void;
};

export type MutationReport = {
  /** All mutants of the files, and how many of them were looked at. */
  readonly mutants: number;
  readonly files: number;
  readonly sampled: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** (killed + timeout) ÷ (all but invalid), from 0 to 1, and half the width of its 95 % interval. */
  readonly score: number;
  readonly margin: number;
  readonly survivors: readonly { readonly path: string; readonly line: number; readonly text: string }[];
};

const testsMax = 8;
// A mutant may loop for ever: it gets a few times what the tests take without one, on this machine and under its load.
const limitMsMin = 4000;
const baselineMsMax = 200_000;

/**
 * Changes the code in one small place at a time and runs the nearest tests: a change that no test notices survives.
 *
 * The sample is drawn by seed; each mutant meets at most eight test files, so the score is a lower bound.
 */
export async function measureMutation(options: MutationOptions): Promise<MutationReport> {
  const { root, seed, say = () => {} } = options;
  const sources = readFiles(root, [...options.mutate, ...options.tests]);
  const isTest = (path: string) => path.endsWith('.test.ts');
  const mutated = sources.filter(({ path }) => !isTest(path) && options.isMutated(path));
  const all = mutantsOf(mutated, seed);
  const sample = sampleOf(all, options.sample);
  const tests = testsByFile(sources, isTest);
  const textOf = new Map(sources.map(({ path, source }) => [path, source]));
  const known = readCache(options.cache);
  const verdicts = new Map<string, Verdict>();

  const keyOf = (mutant: Mutant): string => {
    const met = (tests.get(mutant.path) ?? []).slice(0, testsMax);
    const hash = createHash('sha256').update(`${mutant.start}|${textOf.get(mutant.path)}`);
    for (const test of met) hash.update(textOf.get(test)!);
    return `${mutant.id.slice(0, 16)}/${hash.digest('hex').slice(0, 16)}`;
  };

  const judge = async (mutant: Mutant): Promise<Verdict> => {
    if (!isJavaScript(textOf.get(mutant.path)!, mutant)) return 'invalid';
    const met = (tests.get(mutant.path) ?? []).slice(0, testsMax);
    if (met.length === 0) return 'untested';
    for (const files of [met.slice(0, 1), met.slice(1)]) {
      const verdict =
        files.length === 0 ? 'survived' : await runTests(root, files, { mutant, limitMs: await limitFor(files) });
      if (verdict !== 'survived') return verdict;
    }
    return 'survived';
  };

  const limits = new Map<string, Promise<number>>();
  const limitFor = (files: readonly string[]): Promise<number> => {
    const key = files.join();
    const known = limits.get(key) ?? measureLimit(root, files);
    limits.set(key, known);
    return known;
  };
  const needed = [...new Set(sample.flatMap((mutant) => (tests.get(mutant.path) ?? []).slice(0, testsMax)))];
  if (needed.length > 0 && (await runTests(root, needed, { limitMs: baselineMsMax })) !== 'survived') {
    throw new Error('Cannot measure mutations as the tests must pass without any: they fail');
  }
  const queue = [...sample];
  const work = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const key = keyOf(mutant);
      const verdict = known.get(key) ?? (await judge(mutant));
      known.set(key, verdict);
      verdicts.set(mutant.id, verdict);
      if (verdicts.size % 25 === 0) say(`${verdicts.size} of ${sample.length} mutants\n`);
      if (verdicts.size % 25 === 0) writeCache(options.cache, known);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  writeCache(options.cache, known);
  return { mutants: all.length, files: mutated.length, ...summarise(sample, verdicts) };
}

function summarise(sample: readonly Mutant[], verdicts: ReadonlyMap<string, Verdict>) {
  const counts = { killed: 0, survived: 0, timeout: 0, untested: 0, invalid: 0 };
  for (const { id } of sample) counts[verdicts.get(id)!] += 1;
  const valid = sample.length - counts.invalid;
  const score = (counts.killed + counts.timeout) / valid;
  const survivors = sample
    .filter(({ id }) => ['survived', 'untested'].includes(verdicts.get(id)!))
    .map(({ path, line, mutator, replacement, code }) => ({
      path,
      line,
      text: `${mutator} → "${replacement}" in: ${code}`,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
  return { sampled: sample.length, counts, score, margin: 1.96 * Math.sqrt((score * (1 - score)) / valid), survivors };
}

async function measureLimit(root: string, files: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await runTests(root, files, { limitMs: baselineMsMax });
  return Math.max(limitMsMin, 4 * (performance.now() - startedAt));
}

/** Runs test files in one process with a mutant, or without. */
function runTests(
  root: string,
  files: readonly string[],
  { mutant, limitMs }: { readonly mutant?: Mutant; readonly limitMs: number },
): Promise<Verdict> {
  const hook = pathToFileURL(join(import.meta.dirname, 'hook.ts')).href;
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, NODE_V8_COVERAGE: ___, ...env } = process.env;
  const url = mutant === undefined ? undefined : pathToFileURL(join(root, mutant.path)).href;
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--import', hook, '--test', '--test-isolation=none', '--test-reporter=dot', ...files],
    {
      cwd: root,
      stdio: 'ignore',
      env: { ...env, ...(mutant === undefined ? {} : { QFLARE_MUTANT: JSON.stringify({ ...mutant, url }) }) },
    },
  );
  return new Promise((resolve) => {
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limitMs);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve(isLate ? 'timeout' : code === 0 ? 'survived' : 'killed');
    });
  });
}

function readCache(path: string | undefined): Map<string, Verdict> {
  if (path === undefined || !existsSync(path)) return new Map();
  return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Verdict>));
}

function writeCache(path: string | undefined, known: ReadonlyMap<string, Verdict>): void {
  if (path === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(Object.fromEntries(known)));
}
