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
export function blockCount(d: number): number {
  return Math.ceil(d / blockValues);
}

/** The most bytes that a block of so many values may take. */
export function blockBytesMax(count: number): number {
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
      const isFine = reader.push(bytes, (values, start) => vector.set(values, start));
      return isFine && reader.isWhole() ? vector : undefined;
    },
  };
}

/** Reads an encoded vector as its bytes come. */
export type VectorReader = {
  /** Takes bytes in; each block that they complete is given to `take`, in a buffer that is used again. False: not such a vector. */
  push(bytes: Uint8Array, take: (values: Float32Array, start: number) => void): boolean;
  /** Whether the last block has been read. */
  isWhole(): boolean;
};

/** Promises: holds one block and its values, whatever the length of the vector and whatever the bytes say. */
export function createVectorReader(codec: Pick<BlockCodec, 'decodeBlock'>, d: number, deflate: Deflate): VectorReader {
  const values = new Float32Array(Math.min(d, blockValues));
  let start = 0;
  let held = new Uint8Array(lengthBytes);
  let heldBytes = 0;
  let blockBytes = -1;

  /** Gathers `wanted` bytes: as a view where the source has them all. Undefined: more must come. */
  function gather(source: Uint8Array, at: number, wanted: number): { part: Uint8Array; next: number } | undefined {
    if (heldBytes === 0 && source.length - at >= wanted)
      return { part: source.subarray(at, at + wanted), next: at + wanted };
    if (held.length < wanted) {
      const larger = new Uint8Array(wanted);
      larger.set(held.subarray(0, heldBytes));
      held = larger;
    }
    const count = Math.min(wanted - heldBytes, source.length - at);
    held.set(source.subarray(at, at + count), heldBytes);
    heldBytes += count;
    if (heldBytes < wanted) return undefined;
    heldBytes = 0;
    return { part: held.subarray(0, wanted), next: at + count };
  }

  return {
    push(bytes, take) {
      let at = 0;
      while (start < d) {
        const count = Math.min(blockValues, d - start);
        const got = gather(bytes, at, blockBytes === -1 ? lengthBytes : blockBytes);
        if (got === undefined) return true;
        at = got.next;
        if (blockBytes === -1) {
          blockBytes = new DataView(got.part.buffer, got.part.byteOffset).getUint32(0);
          if (blockBytes > blockBytesMax(count)) return false;
          continue;
        }
        const target = values.subarray(0, count);
        if (!codec.decodeBlock(got.part, target, deflate)) return false;
        take(target, start);
        start += count;
        blockBytes = -1;
      }
      return at === bytes.length;
    },
    isWhole: () => start === d,
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
