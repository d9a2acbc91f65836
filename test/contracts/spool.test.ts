import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFileSpool } from '../../src/adapters/spool-files.ts';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { Row } from '../../src/ports/compute.ts';
import type { Spool } from '../../src/ports/spool.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-spool-'));
after(() => rmSync(root, { recursive: true }));

async function readAll(row: Row, start: number, length: number): Promise<Float32Array> {
  if (row instanceof Float32Array) return row.slice(start, start + length);
  const target = new Float32Array(length);
  await (row as Exclude<Row, Float64Array | Float32Array>).read(start, target);
  return target;
}

const rng = createRng(3);
const values = (length: number) => Float32Array.from({ length }, () => rng.gaussian());

async function fill(spool: Spool, source: Float32Array, partLength: number) {
  const writer = await spool.begin(source.length);
  const part = new Float32Array(partLength);
  for (let at = 0; at < source.length; at += partLength) {
    const length = Math.min(partLength, source.length - at);
    part.set(source.subarray(at, at + length));
    // The same array again each time: what was given must have been taken.
    await writer.append(part.subarray(0, length));
  }
  return { row: await writer.finish(), release: writer.release };
}

const spools: Record<string, () => Spool> = {
  'spool-memory': createMemorySpool,
  'spool-files, held': () => createFileSpool(root, { heldBytesMax: 1 << 30 }),
  'spool-files, sealed': () => createFileSpool(root, { heldBytesMax: 0 }),
};

for (const [name, open] of Object.entries(spools)) {
  test(`${name}: a row gives back what was appended, in parts and ranges of any size`, async () => {
    const spool = open();
    for (const [length, partLength] of [
      [1, 1],
      [8191, 100],
      [8192, 8192],
      [8193, 5000],
      [100_003, 1 << 18],
      [100_003, 333],
    ] as const) {
      const source = values(length);
      const { row, release } = await fill(spool, source, partLength);
      assert.equal(row.length, length);
      for (const [start, count] of [
        [0, length],
        [length - 1, 1],
        [Math.floor(length / 3), Math.ceil(length / 2)],
        [Math.min(8190, length - 1), Math.min(5, length - Math.min(8190, length - 1))],
      ] as const) {
        assert.deepEqual(await readAll(row, start, count), source.slice(start, start + count), `${length} ${start}`);
      }
      await release();
      await release();
    }
  });
}

test('spool-files: rows beyond the budget go to files that have no name and are closed when they are released', async () => {
  const folder = join(root, 'budget');
  const spool = createFileSpool(folder, { heldBytesMax: 4000 });
  const first = await fill(spool, values(600), 600);
  const second = await fill(spool, values(600), 600);
  assert.ok(first.row instanceof Float32Array && !(second.row instanceof Float32Array));
  assert.deepEqual(readdirSync(folder), []);
  await second.release();
  await assert.rejects(readAll(second.row, 0, 600));
  await first.release();
  // The budget is free again.
  assert.ok((await fill(spool, values(900), 900)).row instanceof Float32Array);
});
