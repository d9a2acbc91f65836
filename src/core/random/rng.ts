import { log } from '../numerics/portable.ts';
import { sha256 } from '@noble/hashes/sha2.js';

/**
 * A seeded generator for sampling and simulation. Not a source of secrets: keys and privacy noise are drawn from
 * `Entropy`, which is another type on purpose.
 *
 * Child streams are derived by name, so one more client moves no other client's numbers.
 */
export type Rng = {
  readonly purpose: 'seeded';
  /** A uniform integer in [0, 2³²). */
  uint32(): number;
  /** A uniform number in [0, 1) with 53 bits. */
  float(): number;
  /** A uniform integer in [0, bound), without modulo bias. */
  below(bound: number): number;
  /** A standard normal number (polar method, Marsaglia and Bray 1964). */
  gaussian(): number;
  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffleInPlace<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** An independent stream named by the path. */
  child(...path: readonly (string | number)[]): Rng;
};

/**
 * Makes the root stream of a seed.
 *
 * Formula: xoshiro128**; its state is SHA-256 of the parent's key and the child's name.
 * Errors:  RangeError when the seed is not a safe integer.
 * Source:  Blackman and Vigna 2021, arXiv:1805.01407.
 */
export function createRng(seed: number): Rng {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot create a generator as the seed must be a safe integer: current value is ${seed}`);
  }
  return fromKey(sha256(new TextEncoder().encode(`qflare/rng/v1/${seed}`)));
}

function fromKey(key: Uint8Array): Rng {
  const state = new Uint32Array(key.slice(0, 16).buffer);
  let spare: number | undefined;

  function uint32(): number {
    const s1 = state[1]!;
    const scaled = Math.imul(s1, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= s1;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= s1 << 9;
    state[3] = (state[3]! << 11) | (state[3]! >>> 21);
    return result;
  }

  function float(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  function below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 4294967296) {
      throw new RangeError(`Cannot draw an integer as the bound must be from 1 to 2^32: current value is ${bound}`);
    }
    const limit = 4294967296 - (4294967296 % bound);
    for (;;) {
      const value = uint32();
      if (value < limit) return value % bound;
    }
  }

  function gaussian(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * float() - 1;
      const v = 2 * float() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * log(s)) / s);
      spare = v * scale;
      return u * scale;
    }
  }

  return {
    purpose: 'seeded',
    uint32,
    float,
    below,
    gaussian,
    shuffleInPlace(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const kept = items[i];
        items[i] = items[j];
        items[j] = kept;
      }
      return items;
    },
    child: (...path) => {
      const name = new TextEncoder().encode(JSON.stringify(path));
      const preimage = new Uint8Array(key.length + name.length);
      preimage.set(key);
      preimage.set(name, key.length);
      return fromKey(sha256(preimage));
    },
  };
}
