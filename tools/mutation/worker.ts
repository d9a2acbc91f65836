// A process that runs chosen tests of a file, with one change to one module or without, as often as it is asked.
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { type Spans, watchCoverage } from './coverage.ts';
import { addressOf, type Change, serveFreshModules } from './fresh-modules.ts';
import { runTests, takeTests } from './test-shim.ts';

/** What to run: the tests with these numbers of a file. `isCovered` runs each by itself and says what it reaches. */
export type Task =
  | { readonly kind: 'run'; readonly file: string; readonly tests: readonly number[]; readonly change?: Change }
  | { readonly kind: 'cover'; readonly file: string };

/** The number of the test that failed, −1 when the file could not be loaded. */
export type RunAnswer = { readonly failed?: number; readonly memoryBytes: number };
export type CoveredTest = {
  readonly name: string;
  readonly ms: number;
  readonly spans: Readonly<Record<string, Spans>>;
};
export type CoverAnswer = RunAnswer & {
  readonly load: Readonly<Record<string, Spans>>;
  readonly tests: readonly CoveredTest[];
};

const root = process.argv[2]!;
const nextGeneration = serveFreshModules(root, new URL('./test-shim.ts', import.meta.url).href);
let strayFails: (error: unknown) => void = () => {};
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => strayFails(error));
// The smallest counterexample is of no use here, and looking for it takes longer than finding one.
await import('fast-check').then(
  ({ default: fc }) => fc.configureGlobal({ endOnFailure: true }),
  () => {},
);

async function load(file: string, change?: Change) {
  const generation = nextGeneration(change);
  await import(`${addressOf(root, file)}?generation=${generation}`);
  return takeTests();
}

async function run({ file, tests, change }: Extract<Task, { kind: 'run' }>): Promise<number | undefined> {
  takeTests();
  const stray = new Promise<never>((_, reject) => {
    strayFails = reject;
  });
  stray.catch(() => {});
  let at = -1;
  try {
    const declared = await Promise.race([stray, load(file, change)]);
    const chosen = tests.map((index) => declared[index]!);
    at = tests[0] ?? -1;
    const failed = await Promise.race([stray, runTests(chosen, (done) => (at = tests[done + 1] ?? at))]);
    await Promise.race([stray, new Promise(setImmediate)]);
    return failed === undefined ? undefined : tests[failed];
  } catch {
    return at;
  }
}

async function cover(file: string): Promise<Omit<CoverAnswer, 'memoryBytes'>> {
  const take = await watchCoverage(`${addressOf(root, '')}`);
  await take();
  const tests: CoveredTest[] = [];
  try {
    const declared = await load(file);
    const spans = await take();
    for (const [index, test] of declared.entries()) {
      const startedAt = performance.now();
      if ((await runTests([test])) !== undefined) return { failed: index, load: spans, tests };
      tests.push({ name: test.name, ms: performance.now() - startedAt, spans: await take() });
    }
    return { load: spans, tests };
  } catch {
    return { failed: -1, load: {}, tests };
  }
}

process.on('message', async (task: Task) => {
  const answer = task.kind === 'cover' ? await cover(task.file) : { failed: await run(task) };
  process.send!({ ...answer, memoryBytes: process.memoryUsage().rss });
});
process.on('disconnect', () => process.exit());
// A mutant that loops for ever does not see that the parent is gone: a thread does.
const watch = `setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`;
new Worker(watch, { eval: true }).unref();
process.send!({ memoryBytes: 0 });
