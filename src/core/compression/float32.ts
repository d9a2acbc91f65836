import { blockwise } from './codec.ts';

/**
 * The vector as it is: little-endian float32.
 *
 * Shapes: [d] → 4 d bytes. Error: none.
 */
export const float32 = blockwise({
  wireId: 3,
  isSparse: false,
  encodeBlock: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  decodeBlock(bytes, target) {
    if (bytes.length !== target.byteLength) return false;
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return true;
  },
});
