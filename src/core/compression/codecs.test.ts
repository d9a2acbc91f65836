import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { createNodeDeflate } from '../../adapters/deflate-node.ts';
import { createRng } from '../random/rng.ts';
import { blockValues, type Codec, createVectorReader, vectorBytesMax } from './codec.ts';
import { type CodecId, codecIds, codecs } from './index.ts';

const deflate = createNodeDeflate();

/** The largest error that a codec's header states for a value of a vector with this largest magnitude. */
const errorMax: Record<CodecId, (value: number, scale: number) => number> = {
  float32: () => 0,
  // s · 2⁻¹², and the rounding of the product to float32.
  'float16-zstd': (value, scale) => scale * 2 ** -12 + Math.abs(value) * 2 ** -23,
  // Half a step; the second term is for scales below the normal numbers, which are known to 2⁻¹⁴⁹ only.
  'int8-zstd': (value, scale) => scale / 254 + Math.abs(value) * 2 ** -22 + 127 * 1.5e-45,
  // Kept in half precision, or not kept at all.
  'top-k': (value, scale) => Math.max(Math.abs(value), scale * 2 ** -12 + Math.abs(value) * 2 ** -23),
};

const rng = createRng(11);
const vectors: Record<string, Float32Array> = {
  zeros: new Float32Array(50),
  one: Float32Array.of(-3.25),
  gaussian: Float32Array.from({ length: 5000 }, () => rng.gaussian()),
  tiny: Float32Array.from({ length: 100 }, () => 1e-42 * rng.gaussian()),
  huge: Float32Array.from({ length: 100 }, () => 1e38 * rng.gaussian()),
  wide: Float32Array.from({ length: 1000 }, (_, i) => rng.gaussian() * 10 ** ((i % 60) - 30)),
  extremes: Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, -0, 0),
  blocks: Float32Array.from({ length: blockValues + 3 }, (_, i) => Math.sin(i)),
};

test('codecs have distinct wire numbers, and none is 0: that means metrics', () => {
  const ids = Object.values(codecs).map((codec) => codec.wireId);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => Number.isInteger(id) && id > 2 && id < 256));
});

/** A vector of one block as a codec would frame these bytes. */
function framed(block: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + block.length);
  new DataView(bytes.buffer).setUint32(0, block.length);
  bytes.set(block, 4);
  return bytes;
}

/** Reads in pieces of so many bytes. */
function readInPieces(codec: Codec, bytes: Uint8Array, d: number, pieceBytes: number): Float32Array | undefined {
  const reader = createVectorReader(codec, d, deflate);
  const vector = new Float32Array(d);
  let start = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    for (const values of reader.push(bytes.subarray(at, at + pieceBytes))) {
      vector.set(values, start);
      start += values.length;
    }
  }
  return reader.state() === 'whole' ? vector : undefined;
}

for (const id of codecIds) {
  const codec = codecs[id];

  test(`${id}: a round trip stays within the stated error, from a Buffer with an offset too`, () => {
    for (const [name, vector] of Object.entries(vectors)) {
      const bytes = codec.encode(vector, deflate);
      assert.ok(bytes.length <= vectorBytesMax(vector.length), name);
      const shifted = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
      const scale = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      for (const source of [bytes, shifted]) {
        const read = codec.decode(source, vector.length, deflate);
        assert.equal(read?.length, vector.length, name);
        const bad = vector.findIndex((value, i) => !(Math.abs(read![i]! - value) <= errorMax[id](value, scale)));
        assert.equal(bad, -1, `${name}[${bad}]: ${vector[bad]} → ${read![bad]}`);
      }
    }
  });

  test(`${id}: bytes that come in pieces of any size give the same values`, () => {
    for (const [name, pieceBytes] of [
      ['gaussian', 1],
      ['gaussian', 7],
      ['blocks', 65_536],
      ['blocks', 999_983],
    ] as const) {
      const vector = vectors[name]!;
      const bytes = codec.encode(vector, deflate);
      const whole = codec.decode(bytes, vector.length, deflate)!;
      const read = readInPieces(codec, bytes, vector.length, pieceBytes);
      assert.ok(read !== undefined && Buffer.compare(Buffer.from(read.buffer), Buffer.from(whole.buffer)) === 0, name);
    }
  });

  test(`${id}: a vector that is part of a larger one is written alone`, () => {
    const part = vectors['gaussian']!.subarray(7, 27);
    assert.deepEqual(codec.encode(part, deflate), codec.encode(part.slice(), deflate));
  });

  test(`${id}: NaN and infinities stay visible to the receiver`, () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const at of [0, 3, 9]) {
        const vector = new Float32Array(10).fill(0.5);
        vector[at] = bad;
        const read = codec.decode(codec.encode(vector, deflate), 10, deflate);
        assert.ok(
          read?.some((value) => !Number.isFinite(value)),
          `${bad} at ${at}`,
        );
      }
    }
  });

  test(`${id}: another length than d, truncated and extended bytes give undefined`, () => {
    const vector = vectors['gaussian']!;
    const bytes = codec.encode(vector, deflate);
    // A sparse block fits into any vector that has its places.
    if (!codec.isSparse) {
      assert.equal(codec.decode(bytes, 4999, deflate), undefined);
      assert.equal(codec.decode(bytes, 5001, deflate), undefined);
    }
    assert.equal(codec.decode(bytes, blockValues + 1, deflate), undefined);
    assert.equal(codec.decode(new Uint8Array(), 5000, deflate), undefined);
    assert.equal(codec.decode(Uint8Array.of(...bytes, 0), 5000, deflate), undefined);
    for (const length of [1, 3, 4, 5, 8, 20, bytes.length - 1]) {
      assert.equal(codec.decode(bytes.subarray(0, length), 5000, deflate), undefined, `${length} bytes`);
    }
  });
}

/** Blocks that claim little and hold 256 MiB of zeros. */
const zeros = zstdCompressSync(Buffer.alloc(256 << 20));
const bombs: Record<Exclude<CodecId, 'float32'>, Uint8Array> = {
  'float16-zstd': Buffer.concat([Buffer.alloc(4), zeros]),
  'int8-zstd': Buffer.concat([Buffer.alloc(4), zeros]),
  'top-k': Buffer.concat([Buffer.alloc(4), Uint8Array.of(100, 0, 0, 0), zeros]),
};

for (const [id, bomb] of Object.entries(bombs)) {
  test(`${id}: a decompression bomb gives undefined and takes no more memory than d values`, () => {
    assert.ok(bomb.length < 100_000);
    const bytes = framed(bomb);
    for (const d of [1000, 100_000]) {
      const before = process.memoryUsage.rss();
      assert.equal(codecs[id as CodecId].decode(bytes, d, deflate), undefined);
      assert.ok(process.memoryUsage.rss() - before < 64 << 20);
    }
  });
}

test('a block that says it is longer than its values can be is refused before it has come', () => {
  for (const id of codecIds) {
    const reader = createVectorReader(codecs[id], 1000, deflate);
    assert.deepEqual([...reader.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff))], [], id);
    assert.equal(reader.state(), 'broken', id);
  }
});

test('float16-zstd: halves that overflow with the scale are not finite, so intake refuses them', () => {
  const halves = new Uint8Array(new Float16Array(4).fill(65_504).buffer);
  const block = new Uint8Array([0, 0, 0, 0, ...zstdCompressSync(halves)]);
  new DataView(block.buffer).setFloat32(0, 3e38, true);
  const read = codecs['float16-zstd'].decode(framed(block), 4, deflate);
  assert.ok(read?.every((value) => value === Number.POSITIVE_INFINITY));
});

test('int8-zstd: two steps of a scale by hand, and one group does not coarsen the other', () => {
  const vector = new Float32Array(1025).fill(0.001);
  vector[0] = 127;
  vector[1] = 2.4;
  vector[1024] = 0.5;
  const read = codecs['int8-zstd'].decode(codecs['int8-zstd'].encode(vector, deflate), 1025, deflate)!;
  assert.deepEqual([read[0], read[1], read[2], read[1024]], [127, 2, 0, 0.5]);
});

test('top-k: keeps the largest by magnitude, of equal ones the first, and nothing that is zero', () => {
  const { encode, decode } = codecs['top-k'];
  const kept = (values: number[], topShare: number) =>
    Array.from(decode(encode(Float32Array.from(values), deflate, { topShare }), values.length, deflate)!);
  assert.deepEqual(kept([1, -4, 2, 0.5], 0.5), [0, -4, 2, 0]);
  assert.deepEqual(kept([2, -2, 2, 2], 0.5), [2, -2, 0, 0]);
  assert.deepEqual(kept([0, 0, 8, 0], 1), [0, 0, 8, 0]);
  assert.deepEqual(kept([3, 1, 2], 0.01), [3, 0, 0]);
  assert.deepEqual(kept([0, 0], 1), [0, 0]);
  for (const topShare of [0, -1, 1.01, Number.NaN]) assert.throws(() => kept([1], topShare), RangeError);
});

test('top-k: the same k values as a sort would keep, over more than one block', () => {
  const draw = createRng(5);
  const vector = Float32Array.from({ length: 2 * blockValues + 9 }, () => draw.gaussian());
  const bytes = codecs['top-k'].encode(vector, deflate, { topShare: 0.01 });
  const read = codecs['top-k'].decode(bytes, vector.length, deflate)!;
  const k = Math.round(0.01 * vector.length);
  const smallest = Float32Array.from(vector, Math.abs).sort()[vector.length - k]!;
  assert.equal(read.filter((value) => value !== 0).length, k);
  assert.ok(vector.every((value, i) => Math.abs(value) >= smallest === (read[i] !== 0)));
  assert.ok(bytes.length < 4 * k);
});
