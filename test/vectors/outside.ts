import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const folder = join(process.env['QFLARE_SHARED'] ?? join(import.meta.dirname, '../../../shared'), 'vectors', 'pq');

export type Group = Readonly<Record<string, string>> & {
  readonly tests: readonly (Readonly<Record<string, string>> & { readonly tcId: number })[];
};

/** Why a test of this file is skipped, or false when the file is there. */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => !existsSync(join(folder, `${name}.json.gz`)));
  return absent.length === 0 ? false : `${absent.join(', ')} not in ${folder}`;
}

/** The groups of a vector file. An empty file is a failure, not a success. */
export function groups(name: string): readonly Group[] {
  const { testGroups } = JSON.parse(gunzipSync(readFileSync(join(folder, `${name}.json.gz`))).toString()) as {
    testGroups: Group[];
  };
  assert.ok(testGroups.length > 0 && testGroups.every((group) => group.tests.length > 0), 'an empty vector file');
  return testGroups;
}
