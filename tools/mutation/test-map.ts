import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { isCovered } from './coverage.ts';
import type { Runner } from './runner.ts';
import type { CoverAnswer } from './worker.ts';

/** What a file of tests reaches while it loads, and what each of its tests reaches. */
export type TestMap = Pick<CoverAnswer, 'load' | 'tests'>;

/** Tests of one file that reach a mutant, by their numbers, and the time they take without one. */
export type Group = { readonly file: string; readonly tests: readonly number[]; readonly ms: number };

const loadMs = 60;
const quickMs = 100;

/** The map of one file of tests; kept in a folder under a hash of the file and all it imports. */
export async function mapTests(
  file: string,
  { closure, folder, runner, limitMs }: { closure: string; folder?: string; runner: Runner; limitMs: number },
): Promise<TestMap> {
  const key = createHash('sha256')
    .update(`${closure}|${process.version}|${process.env['QFLARE_SHARED']}`)
    .digest('hex');
  const path = folder === undefined ? undefined : join(folder, `${key.slice(0, 32)}.json`);
  if (path !== undefined && existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as TestMap;
  const answer = await runner.cover(file, limitMs);
  if (typeof answer === 'string' || answer.failed !== undefined) {
    const name = typeof answer === 'string' ? answer : `test ${answer.failed}`;
    throw new Error(`Cannot measure mutations as the tests must pass without any: they fail in ${file} (${name})`);
  }
  const map = { load: answer.load, tests: answer.tests };
  if (path !== undefined) {
    mkdirSync(folder!, { recursive: true });
    writeFileSync(path, JSON.stringify(map));
  }
  return map;
}

/**
 * The tests that reach a place, in the order they shall run: quick ones first, near files first, up to a sum of time.
 *
 * What runs while a file of tests loads concerns all of its tests.
 */
export function groupsFor(
  { path, start }: { readonly path: string; readonly start: number },
  files: readonly { readonly file: string; readonly distance: number; readonly map: TestMap }[],
  testMsMax: number,
): readonly Group[] {
  const groups: (Group & { readonly rank: number })[] = [];
  for (const { file, distance, map } of files) {
    const isLoaded = isCovered(map.load[path], start);
    const reaching = map.tests.flatMap(({ ms, spans }, index) =>
      isLoaded || isCovered(spans[path], start) ? [{ index, ms }] : [],
    );
    const quick = reaching.filter(({ ms }) => ms <= quickMs);
    const parts = [quick, ...reaching.filter(({ ms }) => ms > quickMs).map((each) => [each])];
    for (const part of parts.filter(({ length }) => length > 0)) {
      const ms = part.reduce((sum, each) => sum + each.ms, 0);
      groups.push({ file, tests: part.map(({ index }) => index), ms, rank: (loadMs + ms) * (1 + distance) });
    }
  }
  let sumMs = 0;
  return groups
    .sort((a, b) => a.rank - b.rank)
    .filter(({ ms }, i) => (sumMs += ms) <= testMsMax || i === 0)
    .map(({ file, tests, ms }) => ({ file, tests, ms }));
}
