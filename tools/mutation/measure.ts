import { dirname, join } from 'node:path';
import { readFiles } from '../gates/source-files.ts';
import { judgeMutant, type Plain } from './judge.ts';
import { Runner } from './runner.ts';
import { type Mutant, mutantsOf, mutatedSource, sampleOf } from './sample.ts';
import { closureHash, importsOf, testsByFile } from './test-choice.ts';
import { groupsFor, mapTests, type TestMap } from './test-map.ts';
import { type Verdict, VerdictCache } from './verdict-cache.ts';

export type MutationOptions = {
  readonly root: string;
  /** The files that are mutated, and the tests that may kill. */
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Other modules that tests import: a change in them makes what is known of the tests void. */
  readonly helpers?: readonly string[];
  readonly isMutated: (path: string) => boolean;
  readonly sample: number;
  readonly seed: number;
  readonly concurrency: number;
  /** Where verdicts are kept for the next run, and beside it what each test reaches. */
  readonly cache?: string;
  readonly say?: (text: string) => void;
  /** No mutant is begun after this time: what is known by then is kept, and the next run goes on from there. */
  readonly secondsMax?: number;
  /** A mutant may loop for ever: it gets this and four times what the tests take without one. */
  readonly limitMsMin?: number;
};

export type MutationReport = {
  /** All mutants of the files, and how many of them were looked at. */
  readonly mutants: number;
  readonly files: number;
  readonly sampled: number;
  /** How many of them were run now, the others being known, how many are left, and how long it took. */
  readonly judged: number;
  readonly left: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** (killed + timeout) ÷ (all but invalid), from 0 to 1, and half the width of its 95 % interval. */
  readonly score: number;
  readonly margin: number;
  readonly survivors: readonly { readonly path: string; readonly line: number; readonly text: string }[];
};

// The tests a survivor meets take this long together without a mutant.
const testMsMax = 4000;
const coverMsMax = 300_000;

/**
 * Changes the code in one small place at a time and runs the tests that reach it: a change none notices survives.
 *
 * The sample is drawn by seed. A mutant meets its tests by ascending time and distance, four seconds of them at most, so
 * the score is a lower bound.
 */
export async function measureMutation(options: MutationOptions): Promise<MutationReport> {
  const { root, seed, limitMsMin = 4000, say = () => {} } = options;
  const testFiles = readFiles(root, options.tests).filter(({ path }) => path.endsWith('.test.ts'));
  const sources = readFiles(root, [...options.mutate, ...options.tests, ...(options.helpers ?? [])]);
  const mutated = readFiles(root, options.mutate).filter(
    ({ path }) => !path.endsWith('.test.ts') && options.isMutated(path),
  );
  const all = mutantsOf(mutated, seed);
  const sample = sampleOf(all, options.sample);
  const imports = importsOf(sources);
  const testPaths = testFiles.map(({ path }) => path);
  const tests = testsByFile(imports, testPaths);
  const textOf = new Map(sources.map(({ path, source }) => [path, source]));
  const cache = new VerdictCache(options.cache, textOf);
  const verdicts = new Map<string, Verdict>();
  const unknown: Mutant[] = [];
  for (const mutant of sample) {
    const known = cache.get(mutant, tests.get(mutant.path) ?? []);
    if (known === undefined) unknown.push(mutant);
    else verdicts.set(mutant.id, known);
  }

  const maps = new Map<string, TestMap>();
  const plain: Plain = { passing: new Set(), entangled: new Set() };
  const folder = options.cache === undefined ? undefined : join(dirname(options.cache), 'mutation-reach');
  const judge = async (mutant: Mutant, runner: Runner): Promise<{ verdict: Verdict; by?: string }> => {
    const source = mutatedSource(textOf.get(mutant.path)!, mutant);
    if (source === undefined) return { verdict: 'invalid' };
    const near = (tests.get(mutant.path) ?? []).map((each) => ({ ...each, map: maps.get(each.file)! }));
    const groups = groupsFor(mutant, near, testMsMax);
    return groups.length === 0
      ? { verdict: 'untested' }
      : judgeMutant({ path: mutant.path, source }, groups, { runner, plain, limitMsMin });
  };

  const needed = [...new Set(unknown.flatMap(({ path }) => (tests.get(path) ?? []).map(({ file }) => file)))];
  await eachOf(needed, options, async (file, runner) => {
    const closure = closureHash(file, imports, textOf);
    maps.set(
      file,
      await mapTests(file, { closure, ...(folder === undefined ? {} : { folder }), runner, limitMs: coverMsMax }),
    );
    say(`${maps.size} of ${needed.length} files of tests\r`);
  });
  const startedAt = performance.now();
  // Mutants of one file one after another: what they need is warm.
  const ordered = [...unknown].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.start - b.start));
  let done = 0;
  try {
    await eachOf(ordered, options, async (mutant, runner) => {
      if (performance.now() - startedAt > 1000 * (options.secondsMax ?? Number.POSITIVE_INFINITY)) return;
      const found = await judge(mutant, runner);
      cache.set(mutant, tests.get(mutant.path) ?? [], found);
      verdicts.set(mutant.id, found.verdict);
      done += 1;
      if (done % 25 === 0) say(`${done} of ${unknown.length} mutants\r`);
      if (done % 25 === 0) cache.write();
    });
  } finally {
    cache.write();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const judgedOnes = sample.filter(({ id }) => verdicts.has(id));
  const left = sample.length - judgedOnes.length;
  const found = summarise(judgedOnes, verdicts);
  return { mutants: all.length, files: mutated.length, judged: done, left, seconds, ...found };
}

/** Does the work for every item, by as many runners as may run at once. */
async function eachOf<T>(
  items: readonly T[],
  { root, concurrency }: { readonly root: string; readonly concurrency: number },
  work: (item: T, runner: Runner) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: Math.min(concurrency, queue.length) }, async () => {
      const runner = new Runner(root);
      try {
        for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item, runner);
      } finally {
        queue.length = 0;
        await runner.stop();
      }
    }),
  );
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
