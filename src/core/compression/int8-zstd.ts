import { blockwise } from './codec.ts';
import { maxAbs } from './magnitude.ts';

/** Values that share a scale. */
const groupValues = 1024;
const levels = 127;
const float32Max = 3.4028234663852886e38;
const normalMin = 1.1754943508222875e-38;
const denormalMin = 1.401298464324817e-45;

/**
 * Eight bits a value, relative to the largest of each 1024, then Zstandard.
 *
 * Formula: s_g = max|x| ÷ 127 over group g; bytes = s as float32, one by group ‖ zstd(int8(round(x / s_g))).
 * Shapes:  [d] → at most d + 4 ⌈d ÷ 1024⌉ bytes and the frame for a block; about a fifth of float32 on real updates (npm run bench:codecs).
 * Error:   at most s_g ÷ 2 for each value, that is 1 ÷ 254 of the largest in its group.
 */
export const int8Zstd = blockwise({
  wireId: 5,
  isSparse: false,
  encodeBlock(values, deflate) {
    const groups = Math.ceil(values.length / groupValues);
    const steps = new Int8Array(values.length);
    const scales = new DataView(new ArrayBuffer(4 * groups));
    for (let g = 0; g < groups; g++) {
      const [start, end] = [g * groupValues, Math.min((g + 1) * groupValues, values.length)];
      const scale = scaleOf(maxAbs(values, start, end));
      scales.setFloat32(4 * g, scale, true);
      if (scale > 0 && scale < Number.POSITIVE_INFINITY) {
        for (let i = start; i < end; i++) steps[i] = Math.round(values[i]! / scale);
      }
    }
    const packed = deflate.compress(new Uint8Array(steps.buffer));
    const bytes = new Uint8Array(4 * groups + packed.length);
    bytes.set(new Uint8Array(scales.buffer));
    bytes.set(packed, 4 * groups);
    return bytes;
  },
  decodeBlock(bytes, target, deflate) {
    const groups = Math.ceil(target.length / groupValues);
    if (bytes.length < 4 * groups) return false;
    const scales = new DataView(bytes.buffer, bytes.byteOffset, 4 * groups);
    const raw = deflate.expand(bytes.subarray(4 * groups), target.length);
    if (raw?.length !== target.length) return false;
    const steps = new Int8Array(raw.buffer, raw.byteOffset, raw.length);
    for (let g = 0; g < groups; g++) {
      const scale = scales.getFloat32(4 * g, true);
      const end = Math.min((g + 1) * groupValues, target.length);
      for (let i = g * groupValues; i < end; i++) target[i] = steps[i]! * scale;
    }
    return true;
  },
});

/** A scale with which 127 steps reach the largest value, and none leads out of float32. NaN and infinity stay visible. */
function scaleOf(largest: number): number {
  const scale = Math.fround(largest / levels);
  // Below the normal numbers float32 rounds coarsely: a scale that is too small would cut the largest values off.
  if (scale < normalMin) return largest === 0 ? 0 : scale + denormalMin;
  return levels * scale > float32Max && largest <= float32Max ? scale * (1 - 2 ** -23) : scale;
}
