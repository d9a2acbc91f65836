import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { referencesOf } from '../gates/imports.ts';
import type { SourceFile } from '../gates/source-files.ts';
import { tokenize } from '../gates/tokens.ts';

/** Which module imports which, by paths; what is not among the files is left out. */
export type Imports = ReadonlyMap<string, readonly string[]>;
export type NearTest = { readonly file: string; readonly distance: number };

export function importsOf(files: readonly SourceFile[]): Imports {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    files.map(({ path, source }) => [
      path,
      referencesOf(tokenize(source))
        .filter(({ kind }) => kind === 'static' || kind === 'dynamic')
        .map(({ target }) => join(dirname(path), target).replaceAll('\\', '/'))
        .filter((target) => known.has(target)),
    ]),
  );
}

/** For each file the tests that load it, the nearest first: beside it (distance 0), then by the imports between them. */
export function testsByFile(imports: Imports, tests: readonly string[]): ReadonlyMap<string, readonly NearTest[]> {
  const reached = new Map<string, NearTest[]>();
  for (const file of tests) {
    for (const [path, away] of distancesFrom(file, imports)) {
      const near = { file, distance: dirname(file) === dirname(path) ? 0 : away };
      reached.set(path, [...(reached.get(path) ?? []), near]);
    }
  }
  return new Map(
    [...reached].map(([path, near]) => [
      path,
      near.sort((a, b) => a.distance - b.distance || (a.file < b.file ? -1 : 1)),
    ]),
  );
}

/** A hash of a file and of everything that it imports. */
export function closureHash(file: string, imports: Imports, texts: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const path of [...distancesFrom(file, imports).keys()].sort()) hash.update(`${path}|${texts.get(path)}`);
  return hash.digest('hex');
}

function distancesFrom(start: string, imports: Imports): ReadonlyMap<string, number> {
  const distances = new Map([[start, 0]]);
  let edge = [start];
  for (let distance = 1; edge.length > 0; distance++) {
    const next = edge.flatMap((path) => imports.get(path) ?? []).filter((path) => !distances.has(path));
    edge = [...new Set(next)];
    for (const path of edge) distances.set(path, distance);
  }
  return distances;
}
