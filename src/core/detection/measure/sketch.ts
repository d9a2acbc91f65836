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

/**
 * Adds a block of a vector to its sketch.
 *
 * Promises:  linear, and ⟨S(x), S(y)⟩ = ⟨x, y⟩ on average over seeds, with a standard deviation of at most
 *            √(2 / sketchSize) ‖x‖ ‖y‖: six per cent.
 * Cost:      a few operations a coordinate.
 */
export function sketchInto(sketch: Float32Array, values: Float64Array, hashes: Uint32Array): void {
  for (let k = 0; k < values.length; k++) {
    const h = hashes[k]!;
    // The sign without a branch: no processor guesses the top bit of a hash.
    sketch[h & (sketchSize - 1)]! += values[k]! * (1 - 2 * (h >>> 31));
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
