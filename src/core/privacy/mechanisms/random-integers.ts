import type { Entropy } from '../../../ports/entropy.ts';

/** Exact draws from pooled secret bytes: no floating-point number takes part. */
export type IntegerSource = {
  /** 32 uniform bits. */
  uint32(): number;
  /** A uniform integer in [0, bound), 1 ≤ bound ≤ 2⁵³, by rejection. */
  below(bound: number): number;
  /** A uniform integer in [0, bound) for any bound ≥ 1. */
  belowBig(bound: bigint): bigint;
  /** True with probability numerator ÷ denominator. */
  bernoulli(numerator: number, denominator: number): boolean;
  /** True with probability e^{−numerator/denominator}. */
  bernoulliExp(numerator: number, denominator: number): boolean;
  /** True with probability e^{−γ}, γ a ratio of any size given by a double within 2⁻⁵⁰ of it, relatively: as exact, and fast. */
  bernoulliExpRatio(near: number, exact: () => readonly [numerator: bigint, denominator: bigint]): boolean;
};

const WORD = 4294967296;
/** Above the error of a ratio up to 32 whose relative error is 2⁻⁵⁰, and of its division. */
const NEAR_ERROR = 2 ** -43;
const NEAR_MAX = 32;

/** The pool starts small, as a local report needs a few words, and grows with use. */
const POOL_WORDS = { first: 64, last: 16_384 } as const;

/**
 * Wraps an entropy source.
 *
 * Formula:  Bernoulli(e^{−γ}) for γ ≤ 1: draw Bernoulli(γ/k) for k = 1, 2, … until one fails; true where that k is odd.
 *           For γ > 1, ⌊γ⌋ draws at 1, then the rest.
 * Source:   Canonne, Kamath and Steinke 2020, arXiv:2004.00010, algorithms 1 and 2.
 */
export function createIntegerSource(entropy: Entropy): IntegerSource {
  let pool = new Uint32Array(0);
  let next = 0;

  function uint32(): number {
    if (next === pool.length) {
      const words = Math.min(POOL_WORDS.last, Math.max(POOL_WORDS.first, 4 * pool.length));
      if (words !== pool.length) pool = new Uint32Array(words);
      entropy.fillBytes(new Uint8Array(pool.buffer));
      next = 0;
    }
    const value = pool[next]!;
    pool[next++] = 0;
    return value;
  }

  function below(bound: number): number {
    if (bound <= 4294967296) {
      const shift = bound <= 1 ? 32 : Math.clz32(bound - 1);
      if (shift === 32) return 0;
      for (;;) {
        const value = uint32() >>> shift;
        if (value < bound) return value;
      }
    }
    const highBits = 32 - Math.clz32(Math.floor((bound - 1) / 4294967296));
    for (;;) {
      const value = (uint32() >>> (32 - highBits)) * 4294967296 + uint32();
      if (value < bound) return value;
    }
  }

  function belowBig(bound: bigint): bigint {
    const bits = (bound - 1n).toString(2).length;
    for (;;) {
      let value = 0n;
      for (let drawn = 0; drawn < bits; drawn += 32) value = (value << 32n) | BigInt(uint32());
      value = BigInt.asUintN(bits, value);
      if (value < bound) return value;
    }
  }

  const bernoulli = (numerator: number, denominator: number) => below(denominator) < numerator;

  function bernoulliExpSmall(numerator: number, denominator: number): boolean {
    for (let k = 1; ; k++) {
      // Bernoulli(γ/k) as Bernoulli(γ) and Bernoulli(1/k), so that no product outgrows 2⁵³.
      if (below(denominator) >= numerator || below(k) !== 0) return k % 2 === 1;
    }
  }

  function bernoulliExp(numerator: number, denominator: number): boolean {
    let rest = numerator;
    for (; rest > denominator; rest -= denominator) {
      if (!bernoulliExpSmall(1, 1)) return false;
    }
    return bernoulliExpSmall(rest, denominator);
  }

  function bernoulliExpBig(numerator: bigint, denominator: bigint): boolean {
    let rest = numerator;
    for (; rest > denominator; rest -= denominator) {
      if (!bernoulliExpSmall(1, 1)) return false;
    }
    for (let k = 1; ; k++) {
      if (belowBig(denominator) >= rest || below(k) !== 0) return k % 2 === 1;
    }
  }

  /**
   * Bernoulli of rest ÷ k from the first 32 bits of a uniform number. Where they do not tell, the rest of that number is
   * drawn and compared in integers.
   */
  function bernoulliNear(near: number, k: number, exact: () => readonly [bigint, bigint]): boolean {
    const first = uint32();
    if ((first + 1) / WORD <= near / k - NEAR_ERROR) return true;
    if (first / WORD >= near / k + NEAR_ERROR) return false;
    const [rest, unit] = exact();
    const denominator = unit * BigInt(k);
    return belowBig(denominator) < (rest << 32n) - BigInt(first) * denominator;
  }

  function bernoulliExpRatio(near: number, exact: () => readonly [bigint, bigint]): boolean {
    if (near === 0) return true;
    const whole = Math.floor(near);
    const rest = near - whole;
    if (near > NEAR_MAX || rest < NEAR_ERROR || rest > 1 - NEAR_ERROR) return bernoulliExpBig(...exact());
    for (let i = 0; i < whole; i++) if (!bernoulliExpSmall(1, 1)) return false;
    const exactRest = () => {
      const [numerator, denominator] = exact();
      return [numerator - BigInt(whole) * denominator, denominator] as const;
    };
    for (let k = 1; ; k++) if (!bernoulliNear(rest, k, exactRest)) return k % 2 === 1;
  }

  return { uint32, below, belowBig, bernoulli, bernoulliExp, bernoulliExpRatio };
}
