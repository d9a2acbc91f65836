import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const folder = join(process.env['QFLARE_SHARED'] ?? join(import.meta.dirname, '../../../shared'), 'vectors', 'pq');

export type Group = Readonly<Record<string, string>> & {
  readonly tests: readonly (Readonly<Record<string, string>> & { readonly tcId: number })[];
};

/** A vector file by its name, as JSON or gzipped. */
function pathOf(name: string): string | undefined {
  return [`${name}.json.gz`, `${name}.json`].map((file) => join(folder, file)).find((path) => existsSync(path));
}

/** Why a test of this file is skipped, or false when the file is there. */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => pathOf(name) === undefined);
  return absent.length === 0 ? false : `${absent.join(', ')} not in ${folder}`;
}

/** What is in a file. Files of ACVP may stand behind a header, in an array, which `whole` leaves as it is. */
export function readVectors(name: string, how?: 'whole'): { readonly testGroups: readonly unknown[] } {
  const bytes = readFileSync(pathOf(name)!);
  const isGzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const value: unknown = JSON.parse((isGzipped ? gunzipSync(bytes) : bytes).toString());
  return (Array.isArray(value) && how === undefined ? value.at(-1) : value) as { testGroups: unknown[] };
}

/** The groups of a vector file. An empty file is a failure, not a success. */
export function groups(name: string): readonly Group[] {
  const { testGroups } = readVectors(name) as { testGroups: readonly Group[] };
  assert.ok(testGroups.length > 0 && testGroups.every((group) => group.tests.length > 0), 'an empty vector file');
  return testGroups;
}

type Mode = 'keyGen' | 'encapDecap' | 'sigGen' | 'sigVer';

/** The files of ACVP for ML-KEM and ML-DSA that are there: pairs of prompt and expected results, or projections with both. */
export function acvpNames(): readonly {
  readonly name: string;
  readonly mode: Mode;
  readonly prompt: string;
  readonly expected: string;
}[] {
  const files = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return files.flatMap((file) => {
    const [, name, mode, kind] =
      /^(acvp-ML-(?:KEM|DSA)-(keyGen|encapDecap|sigGen|sigVer)-.*)-(prompt|internalProjection)\.json(?:\.gz)?$/.exec(
        file,
      ) ?? [];
    if (name === undefined) return [];
    const [prompt, answers] = [`${name}-${kind}`, `${name}-expectedResults`];
    const expected = kind === 'prompt' ? answers : prompt;
    if (pathOf(expected) === undefined) return [];
    return [{ name: prompt, mode: mode as Mode, prompt, expected }];
  });
}

/** The names of the files there whose name begins so. */
export function namesLike(beginning: string): readonly string[] {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const names = files.flatMap((file) => /^(.*)\.json(?:\.gz)?$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].filter((name) => name.startsWith(beginning)).toSorted();
}
