/** Numbers that a sketch keeps of a vector, whatever its length. */
export const sketchSize = 512;

/**
 * Where each coordinate of a block goes in a sketch, and with which sign: the same for every vector of a run.
 *
 * Formula:   bucket and sign are bits of a 32-bit mix of coordinate and seed.
 * Source:    Charikar, Chen, Farach-Colton 2002 (count sketch).
 */
export function hashBlock(start: number, seed: number, hashes: Uint32Array): void {
  for (let k = 0; k < hashes.length; k++) {
    let h = Math.imul((start + k) ^ seed, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    hashes[k] = h ^ (h >>> 16);
  }
}

/** A block of coordinates, sorted by bucket. */
export type SketchPlan = {
  /** Coordinates of the block by bucket, ascending within each. */
  readonly order: Int32Array;
  /** In the same order: 1 or −1. */
  readonly signs: Float32Array;
  /** Where each bucket begins in `order`, and the end of the last. */
  readonly starts: Int32Array;
};

/** Sorts a block of coordinates by the buckets that `hashBlock` gives. */
export function planSketch(start: number, length: number, seed: number): SketchPlan {
  const hashes = new Uint32Array(length);
  hashBlock(start, seed, hashes);
  const starts = new Int32Array(sketchSize + 1);
  for (let k = 0; k < length; k++) starts[(hashes[k]! & (sketchSize - 1)) + 1]! += 1;
  for (let b = 0; b < sketchSize; b++) starts[b + 1]! += starts[b]!;
  const order = new Int32Array(length);
  const signs = new Float32Array(length);
  const next = starts.slice();
  for (let k = 0; k < length; k++) {
    const place = next[hashes[k]! & (sketchSize - 1)]!++;
    order[place] = k;
    signs[place] = 1 - 2 * (hashes[k]! >>> 31);
  }
  return { order, signs, starts };
}

/** Four of something: what the sketch takes at once. */
export type Four<T> = readonly [T, T, T, T];

/**
 * Adds a block of four vectors to their sketches, bucket by bucket: each is read and written once, where adding
 * coordinate by coordinate makes the processor wait for buckets that it has just written.
 *
 * Promises:  linear, and ⟨S(x), S(y)⟩ = ⟨x, y⟩ on average over seeds, with a standard deviation of at most
 *            √(2 / sketchSize) ‖x‖ ‖y‖: six per cent.
 * Cost:      a few operations a coordinate.
 */
export function sketchInto(sketches: Four<Float32Array>, values: Four<Float32Array>, plan: SketchPlan): void {
  const { order, signs, starts } = plan;
  const [s0, s1, s2, s3] = sketches;
  const [v0, v1, v2, v3] = values;
  for (let b = 0; b < sketchSize; b++) {
    const end = starts[b + 1]!;
    let [a0, a1, a2, a3] = [s0[b]!, s1[b]!, s2[b]!, s3[b]!];
    for (let place = starts[b]!; place < end; place++) {
      const k = order[place]!;
      const sign = signs[place]!;
      a0 = Math.fround(a0 + Math.fround(v0[k]! * sign));
      a1 = Math.fround(a1 + Math.fround(v1[k]! * sign));
      a2 = Math.fround(a2 + Math.fround(v2[k]! * sign));
      a3 = Math.fround(a3 + Math.fround(v3[k]! * sign));
    }
    s0[b] = a0;
    s1[b] = a1;
    s2[b] = a2;
    s3[b] = a3;
  }
}

/** ⟨a, b⟩, the sum of products, in float64. */
export function dotOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** The difference a − b, in float64. */
export function minus(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const result = new Float64Array(a.length);
  for (let k = 0; k < result.length; k++) result[k] = a[k]! - b[k]!;
  return result;
}

/** The cosine of two vectors; 0 where one of them is zero. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const product = Math.sqrt(dotOf(a, a) * dotOf(b, b));
  return product > 0 ? Math.max(-1, Math.min(1, dotOf(a, b) / product)) : 0;
}
