import { blockwise } from './codec.ts';
import { halvesOf } from './float16-zstd.ts';
import { maxAbs } from './magnitude.ts';

export const topShareDefault = 0.1;
const gapBytesMax = 3;

/** How large a value must be to be kept, as the bits of its magnitude, and how many that just reach it are. */
type Threshold = { readonly bits: number; ties: number };

/**
 * The k values of largest magnitude in half precision, with the gaps between their places; then Zstandard.
 *
 * Formula: k = max(1, round(share · d)), share 0.1 unless given; in each block s = max|x| over what is kept;
 *          bytes = s as float32 ‖ count ‖ zstd(gaps as LEB128 ‖ float16(x / s)).
 * Shapes:  [d] → at most 8 + 5 k bytes and the frames; about a tenth of float32 at a share of 0.1.
 * Error:   what is not kept becomes zero. What is kept: at most s · 2⁻¹².
 * Source:  Aji and Heafield 2017, arXiv:1704.05021; Stich, Cordonnier, Jaggi 2018, arXiv:1809.07599.
 */
export const topK = blockwise({
  wireId: 6,
  isSparse: true,
  prepare: (vector, { topShare = topShareDefault }) => thresholdOf(vector, topShare),
  encodeBlock(values, deflate, prepared) {
    const kept = keptPlaces(values, prepared as Threshold);
    const top = Float32Array.from(kept, (i) => values[i]!);
    const scale = maxAbs(top);
    const gaps = gapBytes(kept);
    const raw = new Uint8Array(gaps.length + 2 * kept.length);
    raw.set(gaps);
    const halves = Float16Array.from(top, (value) => (scale === 0 ? 0 : value / scale));
    raw.set(new Uint8Array(halves.buffer), gaps.length);
    const packed = deflate.compress(raw);
    const bytes = new Uint8Array(8 + packed.length);
    const view = new DataView(bytes.buffer);
    view.setFloat32(0, scale, true);
    view.setUint32(4, kept.length, true);
    bytes.set(packed, 8);
    return bytes;
  },
  decodeBlock(bytes, target, deflate) {
    if (bytes.length < 8) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const scale = view.getFloat32(0, true);
    const count = view.getUint32(4, true);
    if (count > target.length) return false;
    const raw = deflate.expand(bytes.subarray(8), Math.max(1, (gapBytesMax + 2) * count));
    if (raw === undefined || raw.length < 2 * count) return false;
    const gaps = raw.subarray(0, raw.length - 2 * count);
    return scatter(gaps, halvesOf(raw.subarray(raw.length - 2 * count)), scale, target);
  },
});

/**
 * The magnitude that the k-th largest value has.
 *
 * Cost: three passes; the bits of float32 magnitudes are in the order of the magnitudes, NaN above all.
 */
function thresholdOf(vector: Float32Array, share: number): Threshold {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`Cannot keep the largest values as their share must be in (0, 1]: current value is ${share}`);
  }
  const bits = new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  const k = Math.max(1, Math.round(share * vector.length));
  const upper = descend(
    histogram(bits, 16, 0x7fff, () => true),
    k,
  );
  const lower = descend(
    histogram(bits, 0, 0xffff, (word) => ((word >>> 16) & 0x7fff) === upper.bin),
    k - upper.above,
  );
  return { bits: upper.bin * 65_536 + lower.bin, ties: k - upper.above - lower.above };
}

function histogram(words: Uint32Array, shift: number, mask: number, isCounted: (word: number) => boolean): Uint32Array {
  const counts = new Uint32Array(mask + 1);
  for (const word of words) if (isCounted(word)) counts[(word >>> shift) & mask]!++;
  return counts;
}

/** The bin that holds the k-th largest, and how many lie above it. */
function descend(counts: Uint32Array, k: number): { readonly bin: number; readonly above: number } {
  let above = 0;
  for (let bin = counts.length - 1; bin > 0; bin--) {
    if (above + counts[bin]! >= k) return { bin, above };
    above += counts[bin]!;
  }
  return { bin: 0, above };
}

/** Places of what is kept in a block; of those that just reach the threshold the first ones. Zeros are never sent. */
function keptPlaces(values: Float32Array, threshold: Threshold): number[] {
  const places: number[] = [];
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const magnitude = words[i]! & 0x7fffffff;
    if (magnitude === 0 || magnitude < threshold.bits) continue;
    if (magnitude === threshold.bits && threshold.ties-- <= 0) continue;
    places.push(i);
  }
  return places;
}

function gapBytes(places: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(gapBytesMax * places.length);
  let length = 0;
  let last = -1;
  for (const place of places) {
    let gap = place - last - 1;
    for (; gap > 127; gap >>>= 7) bytes[length++] = (gap & 127) | 128;
    bytes[length++] = gap;
    last = place;
  }
  return bytes.subarray(0, length);
}

/** Puts values at their places and zeros elsewhere; false where the gaps are not such a list. */
function scatter(gaps: Uint8Array, halves: Float16Array, scale: number, target: Float32Array): boolean {
  target.fill(0);
  let at = 0;
  let place = -1;
  for (let k = 0; k < halves.length; k++) {
    let gap = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = gaps[at++];
      if (byte === undefined || shift > 14) return false;
      gap |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    place += gap + 1;
    if (place >= target.length) return false;
    target[place] = halves[k]! * scale;
  }
  return at === gaps.length;
}
