import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFileBlobs } from '../../src/adapters/blobs-files.ts';
import { createMemoryBlobs } from '../../src/adapters/blobs-memory.ts';
import { blobsContract } from './blobs.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-blobs-'));
after(() => rmSync(root, { recursive: true }));

let count = 0;
const folder = () => join(root, String(++count));

blobsContract('blobs-memory', createMemoryBlobs);
blobsContract('blobs-files', () => createFileBlobs(folder()));

const files = (at: string) => readdirSync(at, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());

test('blobs-files: a corrupted or cut file is seen when it is read, and mended when it is put again', async () => {
  const at = folder();
  const blobs = createFileBlobs(at);
  const hash = await blobs.put(Uint8Array.of(1, 2, 3));
  const path = join(at, hash.slice(0, 2), hash.slice(2));
  writeFileSync(path, Uint8Array.of(1, 2, 4));
  await assert.rejects(blobs.get(hash), /its hash must be its name/);
  await assert.rejects(blobs.check(hash), /its hash must be its name/);
  truncateSync(path);
  await assert.rejects(blobs.get(hash), /its hash must be its name/);
  await blobs.put(Uint8Array.of(1, 2, 3));
  assert.deepEqual([...(await blobs.get(hash))!], [1, 2, 3]);
});

test('blobs-files: files are readable by their owner only, and no temporary file is left', async () => {
  const at = folder();
  const blobs = createFileBlobs(at);
  await Promise.all(Array.from({ length: 20 }, (_, i) => blobs.put(Uint8Array.of(i % 5))));
  const all = files(at);
  assert.equal(all.length, 5);
  for (const one of all) {
    assert.match(one.name, /^[0-9a-f]{62}$/);
    assert.equal(statSync(join(one.parentPath, one.name)).mode & 0o777, 0o600);
  }
});

test('blobs-files: a sweep removes what a killed write left aside', async () => {
  const at = folder();
  const blobs = createFileBlobs(at);
  assert.equal(await blobs.sweep(async () => true), 0);
  const hash = await blobs.put(Uint8Array.of(8));
  writeFileSync(join(at, 'aside.0011223344556677'), 'half of an enve');
  writeFileSync(join(at, 'notes.txt'), 'of the operator');
  assert.equal(await blobs.sweep(async () => false), 1);
  assert.deepEqual(
    files(at)
      .map(({ name }) => name)
      .sort(),
    [hash.slice(2), 'notes.txt'].sort(),
  );
});

test('blobs-files: a write that fails leaves no file, temporary or not, and says so', async () => {
  const at = folder();
  const blobs = createFileBlobs(at);
  const hash = await blobs.put(Uint8Array.of(7));
  await blobs.remove(hash);
  // A folder in the blob's place: the rename cannot succeed.
  mkdirSync(join(at, hash.slice(0, 2), hash.slice(2), 'x'), { recursive: true });
  await assert.rejects(blobs.put(Uint8Array.of(7)));
  assert.deepEqual(files(at), []);
});

test('blobs-files: a name that is not a hash is refused: no path leads out of the folder', async () => {
  const blobs = createFileBlobs(folder());
  for (const name of ['', '../../etc/passwd', 'AB'.repeat(32), 'a'.repeat(63), `${'a'.repeat(64)}/`]) {
    await assert.rejects(blobs.get(name), RangeError, name);
    await assert.rejects(blobs.remove(name), RangeError, name);
    await assert.rejects(blobs.arriving.write(name, 0, Uint8Array.of(1)), RangeError, name);
    await assert.rejects(blobs.arriving.settle(name), RangeError, name);
  }
});
