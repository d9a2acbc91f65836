import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { decodeArchive, encodeArchive } from './ustar.ts';

const files = [
  { name: 'plan.toml', bytes: new TextEncoder().encode('name = "x"\n') },
  { name: 'state/blobs/ab/cd', bytes: Uint8Array.from({ length: 1300 }, (_, i) => i & 255) },
  { name: 'state/empty', bytes: new Uint8Array() },
];

test('an archive is read back as it was written, and tar lists its names', () => {
  const archive = encodeArchive(files);
  assert.deepEqual(decodeArchive(archive), files);
  const { status, stdout } = spawnSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' });
  if (status === 0)
    assert.deepEqual(
      stdout.trim().split('\n'),
      files.map(({ name }) => name),
    );
});

test('names that leave the folder are neither written nor read', () => {
  for (const name of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a\\b', 'x'.repeat(101)]) {
    assert.throws(() => encodeArchive([{ name, bytes: new Uint8Array() }]), RangeError, name);
  }
  const archive = encodeArchive([{ name: 'aa/x', bytes: new Uint8Array() }]);
  archive.set(new TextEncoder().encode('..'));
  assert.throws(() => decodeArchive(archive), RangeError);
});

test('an archive that is cut off, changed in a header or longer than its end is refused', () => {
  const archive = encodeArchive(files);
  for (const bad of [archive.slice(0, 600), archive.slice(0, -512), archive.slice(0, 3), new Uint8Array(5000)]) {
    assert.throws(() => decodeArchive(bad), RangeError);
  }
  const changed = archive.slice();
  changed[130]! ^= 1;
  assert.throws(() => decodeArchive(changed), RangeError);
});
