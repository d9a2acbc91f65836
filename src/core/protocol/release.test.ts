import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseBytes, releaseKey, releaseSuiteIds, releaseSuites, signedRelease } from './release.ts';

const files = [
  { path: 'b', bytes: 2, sha256: 'b'.repeat(64) },
  { path: 'a', bytes: 1, sha256: 'a'.repeat(64) },
];

test('the signed bytes name purpose and suite, and do not depend on the order of the files', () => {
  const text = new TextDecoder().decode(releaseBytes('dual', files));
  assert.equal(
    text,
    `{"files":[{"bytes":1,"path":"a","sha256":"${'a'.repeat(64)}"},{"bytes":2,"path":"b","sha256":"${'b'.repeat(64)}"}],"purpose":"qflare/release/v1","suite":"dual"}`,
  );
  assert.deepEqual(releaseBytes('dual', files.toReversed()), releaseBytes('dual', files));
  const all = releaseSuiteIds.map((suite) => new TextDecoder().decode(releaseBytes(suite, files)));
  assert.equal(new Set(all).size, Object.keys(releaseSuites).length);
});

test('keys and lists of another form are refused', () => {
  assert.ok(releaseKey.safeParse({ suite: 'dual', keys: ['a', 'b'] }).success);
  assert.ok(!releaseKey.safeParse({ suite: 'ed25519', keys: ['a'] }).success);
  assert.ok(!releaseKey.safeParse({ suite: 'dual', keys: [] }).success);
  assert.ok(!signedRelease.safeParse({ version: 1, files: [], signatures: ['a'] }).success);
  assert.ok(!signedRelease.safeParse({ version: 2, files, signatures: ['a'] }).success);
});
