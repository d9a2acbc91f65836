import type { Runner } from './runner.ts';
import type { Mutant } from './sample.ts';
import type { Group } from './test-map.ts';

export type Noticed =
  | { readonly verdict: 'killed' | 'timeout'; readonly by: string }
  | { readonly verdict: 'survived' };

/** What is known of tests without a mutant: choices that pass by themselves, and files whose tests need one another. */
export type Plain = { readonly passing: Set<string>; readonly entangled: Set<string> };

/**
 * Runs the groups of tests with a mutant until one of them fails.
 *
 * What fails or is late must pass in time without the mutant, in the same process or a fresh one: neither what another
 * mutant left behind nor a busy machine kills. Tests that need those before them are run with them.
 */
export async function judgeMutant(
  mutant: Pick<Mutant, 'path'> & { readonly source: string },
  groups: readonly Group[],
  { runner, plain, limitMsMin }: { readonly runner: Runner; readonly plain: Plain; readonly limitMsMin: number },
): Promise<Noticed> {
  const change = { path: mutant.path, source: mutant.source };
  for (const { file, tests, ms } of groups) {
    for (let attempt = 1; ; attempt++) {
      if (attempt > 5)
        throw new Error(`Cannot measure mutations as the tests of ${file} must pass without any: they fail`);
      const limitMs = attempt * (limitMsMin + 4 * ms);
      const chosen = plain.entangled.has(file) ? Array.from({ length: tests.at(-1)! + 1 }, (_, k) => k) : tests;
      const answer = await runner.ask({ kind: 'run', file, tests: chosen, change }, limitMs);
      if (answer === 'ended') return { verdict: 'killed', by: file };
      if (answer !== 'late' && answer.failed === undefined) break;
      const verdict = answer === 'late' ? 'timeout' : 'killed';
      const until = answer === 'late' ? chosen : chosen.slice(0, chosen.indexOf(answer.failed!) + 1);
      const key = `${file}|${until.join()}`;
      if (verdict === 'killed' && plain.passing.has(key)) return { verdict, by: file };
      const without = await runner.ask({ kind: 'run', file, tests: until }, limitMs);
      if (typeof without !== 'string' && without.failed === undefined) {
        plain.passing.add(key);
        return { verdict, by: file };
      }
      await runner.stop();
      if (attempt > 1 && typeof without !== 'string') plain.entangled.add(file);
    }
  }
  return { verdict: 'survived' };
}
