import { dirname, join } from 'node:path';
import { referencesOf } from '../gates/imports.ts';
import type { SourceFile } from '../gates/source-files.ts';
import { tokenize } from '../gates/tokens.ts';

/** For each file the tests that load it, the nearest first: the fewest imports away, then by name. */
export function testsByFile(
  files: readonly SourceFile[],
  isTest: (path: string) => boolean,
): ReadonlyMap<string, readonly string[]> {
  const known = new Set(files.map(({ path }) => path));
  const imports = new Map(
    files.map(({ path, source }) => [
      path,
      referencesOf(tokenize(source))
        .filter(({ kind }) => kind === 'static' || kind === 'dynamic')
        .map(({ target }) => join(dirname(path), target).replaceAll('\\', '/'))
        .filter((target) => known.has(target)),
    ]),
  );
  const reached = new Map<string, { readonly test: string; readonly distance: number }[]>();
  for (const { path: test } of files.filter(({ path }) => isTest(path))) {
    for (const [path, distance] of distancesFrom(test, imports)) {
      reached.set(path, [...(reached.get(path) ?? []), { test, distance }]);
    }
  }
  return new Map(
    [...reached].map(([path, tests]) => [
      path,
      tests
        .sort(
          (a, b) =>
            Number(isBeside(b.test, path)) - Number(isBeside(a.test, path)) ||
            a.distance - b.distance ||
            (a.test < b.test ? -1 : 1),
        )
        .map(({ test }) => test),
    ]),
  );
}

function isBeside(test: string, path: string): boolean {
  return dirname(test) === dirname(path);
}

function distancesFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const distances = new Map([[start, 0]]);
  let edge = [start];
  for (let distance = 1; edge.length > 0; distance++) {
    const next = edge.flatMap((path) => imports.get(path) ?? []).filter((path) => !distances.has(path));
    edge = [...new Set(next)];
    for (const path of edge) distances.set(path, distance);
  }
  return distances;
}
