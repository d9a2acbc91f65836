import type { Deflate } from '../../ports/deflate.ts';

/** Values in a block. Blocks are encoded and decoded by themselves, so a vector of any length passes through a few MiB. */
export const blockValues = 1 << 18;
const lengthBytes = 4;
/** What a block may take beyond its values as float32: descriptions, and what Zstandard adds to bytes that are random. */
const blockOverheadBytes = 4096;

export type EncodeOptions = {
  /** The share of values that a sparse codec keeps, above 0 and at most 1. */
  readonly topShare?: number;
};

/** One block of a vector as bytes, and back. */
export type BlockCodec = {
  /** The number on the wire. Never reused: 1 and 2 were whole-vector forms of float32 and float16-zstd. */
  readonly wireId: number;
  /** Whether what a round leaves out should be kept by the client and sent later (error feedback). */
  readonly isSparse: boolean;
  /** What every block of a vector needs to know of the whole; null where it needs nothing. */
  prepare?(vector: Float32Array, options: EncodeOptions): unknown;
  encodeBlock(values: Float32Array, deflate: Deflate, prepared: unknown): Uint8Array;
  /** Fills `target`, or says that the bytes are not such a block. Never allocates more than a small multiple of it. */
  decodeBlock(bytes: Uint8Array, target: Float32Array, deflate: Deflate): boolean;
};

/** How a vector of float32 becomes bytes inside an envelope: its blocks, each behind its length. */
export type Codec = Pick<BlockCodec, 'wireId' | 'isSparse' | 'decodeBlock'> & {
  encode(vector: Float32Array, deflate: Deflate, options?: EncodeOptions): Uint8Array;
  /** The vector of d values, or undefined when the bytes are not one. Never allocates more than d values. */
  decode(bytes: Uint8Array, d: number, deflate: Deflate): Float32Array | undefined;
};

/** The number of blocks of a vector of d values. */
function blockCount(d: number): number {
  return Math.ceil(d / blockValues);
}

/** The most bytes that a block of so many values may take. */
function blockBytesMax(count: number): number {
  return 4 * count + blockOverheadBytes;
}

/** The most bytes that an encoded vector of d values may take. */
export function vectorBytesMax(d: number): number {
  return 4 * d + blockCount(d) * (lengthBytes + blockOverheadBytes);
}

/**
 * A codec for whole vectors from one for blocks.
 *
 * Formula: bytes = for each block of 2¹⁸ values: uint32 length, big-endian ‖ block.
 */
export function blockwise(block: BlockCodec): Codec {
  return {
    wireId: block.wireId,
    isSparse: block.isSparse,
    decodeBlock: block.decodeBlock,
    encode(vector, deflate, options = {}) {
      const prepared = block.prepare?.(vector, options) ?? null;
      const parts: Uint8Array[] = [];
      for (let start = 0; start < vector.length; start += blockValues) {
        parts.push(block.encodeBlock(vector.subarray(start, start + blockValues), deflate, prepared));
      }
      return withLengths(parts);
    },
    decode(bytes, d, deflate) {
      if (bytes.length > vectorBytesMax(d)) return undefined;
      const reader = createVectorReader(block, d, deflate);
      const vector = new Float32Array(d);
      let start = 0;
      for (const values of reader.push(bytes)) {
        vector.set(values, start);
        start += values.length;
      }
      return reader.state() === 'whole' ? vector : undefined;
    },
  };
}

/** Reads an encoded vector as its bytes come. */
export type VectorReader = {
  /** Takes bytes in and gives the values of each block that they complete, in an array that is used again. */
  push(bytes: Uint8Array): Generator<Float32Array>;
  /** Whether blocks are still to come, all have been read, or the bytes are not such a vector. */
  state(): 'more' | 'whole' | 'broken';
};

/** Promises: holds one block and its values, whatever the length of the vector and whatever the bytes say. */
export function createVectorReader(codec: Pick<BlockCodec, 'decodeBlock'>, d: number, deflate: Deflate): VectorReader {
  let values = new Float32Array();
  let start = 0;
  let held = new Uint8Array(lengthBytes);
  let heldBytes = 0;
  let blockBytes = -1;
  let isBroken = false;

  /** Gathers `wanted` bytes: as a view where the source has them all. Undefined: more must come. */
  function gather(source: Uint8Array, at: number, wanted: number): Uint8Array | undefined {
    if (heldBytes === 0 && source.length - at >= wanted) return source.subarray(at, at + wanted);
    if (held.length < wanted) {
      const larger = new Uint8Array(wanted);
      larger.set(held.subarray(0, heldBytes));
      held = larger;
    }
    const part = source.subarray(at, at + wanted - heldBytes);
    held.set(part, heldBytes);
    heldBytes += part.length;
    return heldBytes < wanted ? undefined : held.subarray(0, wanted);
  }

  function readLength(part: Uint8Array, count: number): void {
    blockBytes = new DataView(part.buffer, part.byteOffset).getUint32(0);
    isBroken = blockBytes > blockBytesMax(count);
  }

  return {
    *push(bytes) {
      let at = 0;
      while (start < d && !isBroken) {
        const count = Math.min(blockValues, d - start);
        const wanted = blockBytes === -1 ? lengthBytes : blockBytes;
        const before = heldBytes;
        const part = gather(bytes, at, wanted);
        if (part === undefined) return;
        at += wanted - before;
        heldBytes = 0;
        if (blockBytes === -1) {
          readLength(part, count);
          continue;
        }
        if (values.length < count) values = new Float32Array(count);
        const target = values.subarray(0, count);
        isBroken = !codec.decodeBlock(part, target, deflate);
        if (isBroken) return;
        blockBytes = -1;
        start += count;
        yield target;
      }
      if (at < bytes.length) isBroken = true;
    },
    state: () => (isBroken ? 'broken' : start === d ? 'whole' : 'more'),
  };
}

function withLengths(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + lengthBytes + part.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of parts) {
    view.setUint32(offset, part.length);
    bytes.set(part, offset + lengthBytes);
    offset += lengthBytes + part.length;
  }
  return bytes;
}
