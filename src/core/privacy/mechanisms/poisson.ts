import type { IntegerSource } from './random-integers.ts';

/** Means above this are drawn as a sum: a table has some 27 √μ entries. */
const TABLE_MEAN_MAX = 2 ** 20;
const FIRST_BITS = 128;
const GUIDE_BITS = 10;

/** The distribution function of a Poisson law in fixed point. */
type Table = {
  readonly bits: number;
  /** The value of the first entry. */
  readonly first: number;
  /** Sums of weights up to each value, and of all; each wrong by at most `error`. */
  readonly sums: readonly bigint[];
  readonly total: bigint;
  readonly error: bigint;
};

/**
 * Draws from Poisson(n ÷ d): exact.
 *
 * Formula:  inversion. The first 32 bits of a uniform number say which value it is, but where they lie within the known
 *           error of a step of the distribution function; there as many more bits are drawn as are needed, and the
 *           function is computed as finely.
 * Needs:    n, d ≥ 1 integers.
 * Cost:     one word a draw for means up to 2²⁰, and a table of some 27 √μ big integers once.
 */
export function poissonSampler(source: IntegerSource, n: number, d: number): () => number {
  const whole = Math.floor(n / (d * TABLE_MEAN_MAX));
  const rest = n - whole * d * TABLE_MEAN_MAX;
  const small = rest === 0 ? () => 0 : tableSampler(source, BigInt(rest), BigInt(d));
  if (whole === 0) return small;
  const large = tableSampler(source, BigInt(TABLE_MEAN_MAX), 1n);
  return () => {
    let sum = small();
    for (let i = 0; i < whole; i++) sum += large();
    return sum;
  };
}

function tableSampler(source: IntegerSource, n: bigint, d: bigint): () => number {
  const tables = new Map<number, Table>();
  const tableOf = (bits: number) => {
    const known = tables.get(bits) ?? tableAt(n, d, bits);
    tables.set(bits, known);
    return known;
  };
  const { first, sums, total, error } = tableOf(FIRST_BITS);
  // A word from low[i] to high[i] is the value first + i for certain.
  const cells = (numerator: bigint, denominator: bigint) => Number((numerator << 32n) / denominator);
  const low = Float64Array.from(sums, (_, i) => (i === 0 ? 0 : cells(sums[i - 1]! + error, total - error) + 1));
  const high = Float64Array.from(sums, (sum) => cells(sum - error, total + error) - 1);
  const guide = guideTo(high);

  return () => {
    const word = source.uint32();
    let i = guide[word >>> (32 - GUIDE_BITS)]!;
    while (i < high.length && high[i]! < word) i++;
    if (i < high.length && low[i]! <= word) return first + i;
    return resolve(BigInt(word), 32);
  };

  /** The value of the uniform number that begins with these bits: more are drawn until one table tells. */
  function resolve(begun: bigint, begunBits: number): number {
    let [drawn, drawnBits] = [begun, begunBits];
    for (let bits = FIRST_BITS; ; bits *= 2) {
      const more = bits - drawnBits;
      drawn = (drawn << BigInt(more)) | source.belowBig(1n << BigInt(more));
      drawnBits = bits;
      const value = valueIn(tableOf(bits), drawn);
      if (value !== undefined) return value;
    }
  }
}

/** For each possible beginning of a word the first entry whose cell does not end before it. */
function guideTo(high: Float64Array): Uint32Array {
  let entry = 0;
  return Uint32Array.from({ length: 2 ** GUIDE_BITS }, (_, begun) => {
    while (entry < high.length - 1 && high[entry]! < begun * 2 ** (32 - GUIDE_BITS)) entry++;
    return entry;
  });
}

/** The value of a uniform number of as many bits as the table has; undefined where it lies too near to a step. */
function valueIn({ bits, first, sums, total, error }: Table, drawn: bigint): number | undefined {
  const scale = BigInt(bits);
  for (const [i, sum] of sums.entries()) {
    if ((drawn + 1n) * (total + error) <= (sum - error) << scale) return first + i;
    if (drawn * (total - error) < (sum + error) << scale) return undefined;
  }
  return undefined;
}

/**
 * Weights relative to that of the mode, 2^bits, each from the one beside it and rounded down, until they are 0.
 *
 * Formula: a weight is wrong by less than its distance from the mode, as ratios are at most 1; what is cut off is less
 *          than the number of entries for each of as many again. So 4 N² holds for any sum of N.
 */
function tableAt(n: bigint, d: bigint, bits: number): Table {
  const mode = n / d;
  const below: bigint[] = [];
  for (let [k, weight] = [mode, 1n << BigInt(bits)]; k > 0n; k--) {
    weight = (weight * d * k) / n;
    if (weight === 0n) break;
    below.push(weight);
  }
  const above: bigint[] = [];
  for (let [k, weight] = [mode, 1n << BigInt(bits)]; weight > 0n; k++) {
    above.push(weight);
    weight = (weight * n) / (d * (k + 1n));
  }
  const weights = [...below.toReversed(), ...above];
  let total = 0n;
  const sums = weights.map((weight) => (total += weight));
  const count = BigInt(weights.length + 2);
  return { bits, first: Number(mode) - below.length, sums, total, error: 4n * count * count };
}
