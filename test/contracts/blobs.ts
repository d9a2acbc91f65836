import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Blobs } from '../../src/ports/blobs.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What every place for blobs promises. */
export function blobsContract(name: string, open: () => Blobs): void {
  test(`${name}: gives back what was put, under the SHA-256 of the bytes`, async () => {
    const blobs = open();
    for (const size of [0, 1, 1000, 3 << 20]) {
      const bytes = new Uint8Array(size).map((_, i) => i * 7 + (i >> 9));
      const hash = await blobs.put(bytes);
      assert.equal(hash, hashOf(bytes));
      assert.equal(Buffer.compare((await blobs.get(hash))!, bytes), 0, `${size} bytes`);
      const other = bytes.map((byte) => byte ^ 1);
      assert.equal(await blobs.put(other, hashOf(other)), hashOf(other), 'a hash that is known already');
      assert.equal(Buffer.compare((await blobs.get(hashOf(other)))!, other), 0);
    }
  });

  test(`${name}: putting twice, also at the same moment, is no error and one blob`, async () => {
    const blobs = open();
    const bytes = Uint8Array.of(1, 2, 3);
    const hashes = await Promise.all(Array.from({ length: 10 }, () => blobs.put(bytes)));
    assert.deepEqual(new Set(hashes), new Set([hashOf(bytes)]));
    await blobs.remove(hashes[0]!);
    assert.equal(await blobs.get(hashes[0]!), undefined);
  });

  test(`${name}: an unknown blob is undefined, and removing it is no error`, async () => {
    const blobs = open();
    const hash = hashOf(Uint8Array.of(9));
    assert.equal(await blobs.get(hash), undefined);
    await blobs.remove(hash);
  });

  test(`${name}: a sweep removes the orphans and nothing else`, async () => {
    const blobs = open();
    const [kept, orphan] = [await blobs.put(Uint8Array.of(31)), await blobs.put(Uint8Array.of(32))];
    const asked: string[] = [];
    const count = await blobs.sweep(async (hash) => {
      asked.push(hash);
      return hash === orphan;
    });
    assert.equal(count, 1);
    assert.ok(asked.includes(kept) && asked.includes(orphan));
    assert.equal(await blobs.get(orphan), undefined);
    assert.deepEqual([...(await blobs.get(kept))!], [31]);
    await blobs.remove(kept);
  });

  test(`${name}: a blob that was removed can be put again`, async () => {
    const blobs = open();
    const hash = await blobs.put(Uint8Array.of(4));
    await blobs.remove(hash);
    await blobs.put(Uint8Array.of(4));
    assert.deepEqual([...(await blobs.get(hash))!], [4]);
  });

  test(`${name}: what was put does not change with the array it came from`, async () => {
    const blobs = open();
    const bytes = Uint8Array.of(1, 2);
    const hash = await blobs.put(bytes);
    bytes.fill(0);
    assert.deepEqual([...(await blobs.get(hash))!], [1, 2]);
  });

  test(`${name}: what was read does not change the blob`, async () => {
    const blobs = open();
    const hash = await blobs.put(Uint8Array.of(1, 2));
    (await blobs.get(hash))!.fill(0);
    assert.deepEqual([...(await blobs.get(hash))!], [1, 2]);
  });

  test(`${name}: what was read does not change the blob, however it came`, async () => {
    const blobs = open();
    async function* inParts() {
      yield Uint8Array.of(1);
      yield Uint8Array.of(2);
    }
    const bytes = Uint8Array.of(3, 4);
    const arrived = hashOf(bytes);
    await blobs.arriving.write(arrived, 0, bytes);
    assert.ok(await blobs.arriving.settle(arrived));
    for (const [hash, content] of [
      [await blobs.put(inParts()), [1, 2]],
      [arrived, [3, 4]],
    ] as const) {
      const read = (await blobs.get(hash))!;
      // A slice of it is a copy: of a Buffer it would be a view.
      read.slice().fill(0);
      assert.deepEqual([...read], content);
      read.fill(0);
      assert.deepEqual([...(await blobs.get(hash))!], content);
    }
  });

  test(`${name}: parts that come one by one are one blob, whatever becomes of their arrays`, async () => {
    const blobs = open();
    async function* parts(): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(3);
      for (let i = 0; i < 4; i++) yield buffer.fill(i);
    }
    const expected = Uint8Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    const hash = await blobs.put(parts());
    assert.equal(hash, hashOf(expected));
    assert.deepEqual([...(await blobs.get(hash))!], [...expected]);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      throw new Error('the source broke');
    }
    await assert.rejects(blobs.put(broken()), /the source broke/);
  });

  test(`${name}: sizes and ranges; a range beyond the end throws`, async () => {
    const blobs = open();
    const hash = await blobs.put(Uint8Array.of(5, 6, 7, 8));
    assert.equal(await blobs.size(hash), 4);
    assert.equal(await blobs.size('0'.repeat(64)), undefined);
    const target = new Uint8Array(2);
    await blobs.read(hash, 1, target);
    assert.deepEqual([...target], [6, 7]);
    await assert.rejects(blobs.read(hash, 3, target));
    await assert.rejects(blobs.read('0'.repeat(64), 0, target));
    await blobs.check(hash);
    await assert.rejects(blobs.check('0'.repeat(64)));
  });

  test(`${name}: a blob arrives in parts, goes on after a cut, and is there when it has settled`, async () => {
    const blobs = open();
    const { arriving } = blobs;
    const bytes = Uint8Array.from({ length: 10 }, (_, i) => i);
    const hash = hashOf(bytes);
    assert.deepEqual(await arriving.names(), []);
    assert.equal(await arriving.size(hash), 0);
    await arriving.write(hash, 0, bytes.subarray(0, 6));
    await arriving.write(hash, 6, Uint8Array.of(99));
    // The last byte was wrong: it is written again, and what lay behind is gone.
    await arriving.write(hash, 4, bytes.subarray(4, 5));
    assert.equal(await arriving.size(hash), 5);
    assert.deepEqual(await arriving.names(), [hash]);
    assert.equal(await blobs.get(hash), undefined);
    await arriving.write(hash, 5, bytes.subarray(5));
    const target = new Uint8Array(3);
    await arriving.read(hash, 7, target);
    assert.deepEqual([...target], [7, 8, 9]);
    assert.equal(await arriving.settle(hash), true);
    assert.deepEqual([...(await blobs.get(hash))!], [...bytes]);
    assert.deepEqual(await arriving.names(), []);
  });

  test(`${name}: what does not have its hash never becomes a blob`, async () => {
    const { arriving, get } = open();
    const name = hashOf(Uint8Array.of(1));
    await arriving.write(name, 0, Uint8Array.of(2));
    assert.equal(await arriving.settle(name), false);
    assert.equal(await get(name), undefined);
    assert.deepEqual(await arriving.names(), []);
    assert.equal(await arriving.settle(name), false);
    await arriving.write(name, 0, Uint8Array.of(2));
    await arriving.remove(name);
    await arriving.remove(name);
    assert.deepEqual(await arriving.names(), []);
  });
}
