import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { createFileBlobs } from '../../src/adapters/blobs-files.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { atRestUnder } from './at-rest.ts';
import { blobsContract } from './blobs.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-sealed-blobs-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;
const folder = () => join(root, String(++count));
const atRest = atRestUnder(1);
const chunk = 1 << 16;
const pathOf = (at: string, hash: string) => join(at, hash.slice(0, 2), hash.slice(2));
const random = (length: number, seed = length) => {
  const rng = createRng(seed);
  return Uint8Array.from({ length }, () => rng.uint32() & 255);
};

blobsContract('blobs-files, sealed', () => createFileBlobs(folder(), atRest));

test('sealed blobs: every range of every length is what was put, and 16 bytes a chunk are all that is added', async () => {
  const at = folder();
  const blobs = createFileBlobs(at, atRest);
  for (const length of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 17 * chunk + 5]) {
    const bytes = random(length);
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let i = 0, step = 1; i < length; i += step, step = 1 + ((step * 7919) % 50_000))
        yield bytes.subarray(i, i + step);
    }
    const hash = await blobs.put(parts());
    assert.equal(hash, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(await blobs.size(hash), length);
    await blobs.check(hash);
    assert.equal(statSync(pathOf(at, hash)).size, length + 124 + 16 * Math.max(1, Math.ceil(length / chunk)));
    await fc.assert(
      fc.asyncProperty(fc.nat(length), fc.nat(length), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const target = new Uint8Array(to - from);
        await blobs.read(hash, from, target);
        assert.equal(Buffer.compare(target, bytes.subarray(from, to)), 0);
      }),
      { seed: 1, numRuns: 12 },
    );
  }
});

test('sealed blobs: no part of what was put is in the file, and the same bytes lie there otherwise each time', async () => {
  const bytes = random(1000);
  const files = await Promise.all(
    [folder(), folder()].map(async (at) => readFileSync(pathOf(at, await createFileBlobs(at, atRest).put(bytes)))),
  );
  for (const file of files) for (let i = 0; i + 8 <= 1000; i++) assert.ok(!file.includes(bytes.subarray(i, i + 8)));
  assert.ok(!files[0]!.equals(files[1]!));
});

test('sealed blobs: a bit flipped anywhere, a chunk moved, cut or added, another key and another name open nothing', async () => {
  const at = folder();
  const blobs = createFileBlobs(at, atRest);
  const bytes = random(2 * chunk + 100);
  const hash = await blobs.put(bytes);
  const path = pathOf(at, hash);
  const good = readFileSync(path);
  const dataStart = good.length - bytes.length - 3 * 16;
  const refuses = async (what: string) => {
    await assert.rejects(createFileBlobs(at, atRest).get(hash), what);
    await assert.rejects(createFileBlobs(at, atRest).check(hash), what);
  };
  for (const offset of [0, 4, 5, 6, 7, 60, dataStart - 1, dataStart, dataStart + chunk + 3, good.length - 1]) {
    const bad = Buffer.from(good);
    bad[offset]! ^= 1;
    writeFileSync(path, bad);
    await refuses(`byte ${offset}`);
  }
  const size = chunk + 16;
  const [head, first, second, third] = [0, dataStart, dataStart + size, dataStart + 2 * size].map((start, i) =>
    good.subarray(start, i === 0 ? dataStart : Math.min(good.length, start + size)),
  ) as [Buffer, Buffer, Buffer, Buffer];
  for (const [what, parts] of Object.entries({
    swapped: [head, second, first, third],
    'last one cut': [head, first, second],
    'first one cut': [head, second, third],
    'one more': [head, first, second, third, third],
    'head only': [head],
  })) {
    writeFileSync(path, Buffer.concat(parts));
    await refuses(what);
  }
  truncateSync(path, good.length - 1);
  await refuses('cut');
  // Where the range that is asked for is whole, its neighbour's damage is not seen: `check` sees it.
  const bad = Buffer.from(good);
  bad[good.length - 1]! ^= 1;
  writeFileSync(path, bad);
  await blobs.read(hash, 0, new Uint8Array(chunk));
  await assert.rejects(blobs.read(hash, 2 * chunk, new Uint8Array(1)), /must be what was sealed/);

  writeFileSync(path, good);
  await assert.rejects(createFileBlobs(at, atRestUnder(2)).get(hash));
  const other = await blobs.put(random(2 * chunk + 100, 5));
  mkdirSync(dirname(pathOf(at, other)), { recursive: true });
  writeFileSync(pathOf(at, other), good);
  await assert.rejects(blobs.read(other, 0, new Uint8Array(10)));
  await blobs.put(random(2 * chunk + 100, 5));
  await blobs.check(other);
});

test('sealed blobs: what an earlier release left plain is read, and sealed when it is put again', async () => {
  const at = folder();
  const bytes = random(500);
  const hash = await createFileBlobs(at).put(bytes);
  const blobs = createFileBlobs(at, atRest);
  assert.deepEqual(await blobs.get(hash), bytes);
  assert.equal(await blobs.size(hash), 500);
  await blobs.put(bytes, hash, 'as-it-is');
  assert.ok(readFileSync(pathOf(at, hash)).equals(bytes), 'an envelope stays as it came');
  await blobs.put(bytes);
  assert.ok(!readFileSync(pathOf(at, hash)).equals(bytes));
  assert.deepEqual(await blobs.get(hash), bytes);
});
