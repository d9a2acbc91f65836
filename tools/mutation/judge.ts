import type { Runner } from './runner.ts';
import type { Mutant } from './sample.ts';
import type { Group } from './test-map.ts';

export type Noticed =
  | { readonly verdict: 'killed' | 'timeout'; readonly by: string }
  | { readonly verdict: 'survived' };

/** Which tests have been seen to pass by themselves, without a mutant. */
export type Proven = Set<string>;

/**
 * Runs the groups of tests with a mutant until one of them fails.
 *
 * The same tests must pass without the mutant in the same process; when they do not, the process is exchanged and
 * both are run again: what one mutant leaves behind never kills another.
 */
export async function judgeMutant(
  mutant: Mutant,
  groups: readonly Group[],
  { runner, proven, limitMsMin }: { readonly runner: Runner; readonly proven: Proven; readonly limitMsMin: number },
): Promise<Noticed> {
  const { path, start, end, replacement } = mutant;
  for (const { file, tests, ms } of groups) {
    const run = (
      chosen: readonly number[],
      change?: { path: string; start: number; end: number; replacement: string },
    ) =>
      runner.ask(
        { kind: 'run', file, tests: chosen, ...(change === undefined ? {} : { change }) },
        limitMsMin + 4 * ms,
      );
    for (let attempt = 0; ; attempt++) {
      const answer = await run(tests, { path, start, end, replacement });
      if (answer === 'late') return { verdict: 'timeout', by: file };
      if (answer === 'ended') return { verdict: 'killed', by: file };
      if (answer.failed === undefined) break;
      const until = tests.slice(0, tests.indexOf(answer.failed) + 1);
      const key = `${file}|${until.join()}`;
      if (proven.has(key)) return { verdict: 'killed', by: file };
      const plain = await run(until);
      if (typeof plain !== 'string' && plain.failed === undefined) {
        proven.add(key);
        return { verdict: 'killed', by: file };
      }
      if (attempt > 0)
        throw new Error(
          `Cannot measure mutations as tests ${until.join(', ')} of ${file} must pass by themselves: they fail`,
        );
      await runner.stop();
    }
  }
  return { verdict: 'survived' };
}
