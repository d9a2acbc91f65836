import type { GramPass, Mixing, StarPass } from '../../ports/compute.ts';

/**
 * A set of points known by their products only: the rows of a cohort, or mixtures of them, and maybe one reference
 * vector. Robust rules read this and never the data. From a star pass only norms and products with the reference are
 * there; a rule says in `needs` what it reads, and asking for more is a bug.
 */
export type Span = {
  readonly count: number;
  readonly hasReference: boolean;
  /** ⟨x_i, x_j⟩; index `count` is the reference. */
  dot(i: number, j: number): number;
  /** ‖x_i − x_j‖²; index `count` is the reference. */
  distance2(i: number, j: number): number;
  /** ‖x_i‖. */
  norm(i: number): number;
  /** ⟨x_i, v⟩ for v = Σ_j weights[j] x_j, where weights[count] belongs to the reference. */
  dotsWith(weights: Float64Array): Float64Array;
  /** ‖x_i − v‖² for the same v. */
  distances2To(weights: Float64Array): Float64Array;
  /** The span of mixed points. */
  mix(mixing: Mixing): Span;
};

/** Products of x_a = e_a + σ_a c: kept apart from the common vector c, so that distances do not cancel. */
type Parts = {
  readonly count: number;
  readonly hasReference: boolean;
  /** ⟨e_a, e_b⟩, size × size; size = count, plus one with a reference. */
  readonly centred: Float64Array;
  /** ⟨e_a, c⟩. */
  readonly centreDots: Float64Array;
  /** σ_a. */
  readonly shares: Float64Array;
  readonly centreNorm2: number;
};

/** The span of a Gram pass; with `hasReference` the last row is the reference. */
export function gramSpan(pass: GramPass, hasReference: boolean): Span {
  const size = pass.centreDots.length;
  return spanOf({
    count: hasReference ? size - 1 : size,
    hasReference,
    centred: pass.centred,
    centreDots: pass.centreDots,
    shares: new Float64Array(size).fill(1),
    centreNorm2: pass.centreNorm2,
  });
}

function spanOf(parts: Parts): Span {
  const { count, centred, centreDots: b, shares, centreNorm2 } = parts;
  const size = b.length;
  const dot = (i: number, j: number): number =>
    centred[i * size + j]! + shares[j]! * b[i]! + shares[i]! * b[j]! + shares[i]! * shares[j]! * centreNorm2;
  return {
    count,
    hasReference: parts.hasReference,
    dot,
    distance2(i, j) {
      const share = shares[i]! - shares[j]!;
      const apart = centred[i * size + i]! + centred[j * size + j]! - 2 * centred[i * size + j]!;
      return Math.max(0, apart + 2 * share * (b[i]! - b[j]!) + share * share * centreNorm2);
    },
    norm: (i) => Math.sqrt(Math.max(0, dot(i, i))),
    dotsWith: (weights) =>
      Float64Array.from({ length: count }, (_, i) => sum(size, (j) => weightOf(weights, j) * dot(i, j))),
    distances2To: (weights) => distances2To(parts, weights),
    mix: (mixing) => spanOf(mixParts(parts, mixing)),
  };
}

/** With v = e_v + σ_v c:  ‖x_i − v‖² = ‖e_i − e_v‖² + 2(σ_i − σ_v)⟨e_i − e_v, c⟩ + (σ_i − σ_v)²‖c‖². */
function distances2To(parts: Parts, weights: Float64Array): Float64Array {
  const { count, centred, centreDots: b, shares, centreNorm2 } = parts;
  const size = b.length;
  const shareOfV = sum(size, (j) => weightOf(weights, j) * shares[j]!);
  const centreDotOfV = sum(size, (j) => weightOf(weights, j) * b[j]!);
  const along = Float64Array.from({ length: size }, (_, i) =>
    sum(size, (j) => weightOf(weights, j) * centred[i * size + j]!),
  );
  const norm2OfV = sum(size, (i) => weightOf(weights, i) * along[i]!);
  return Float64Array.from({ length: count }, (_, i) => {
    const share = shares[i]! - shareOfV;
    const apart = centred[i * size + i]! - 2 * along[i]! + norm2OfV;
    return Math.max(0, apart + 2 * share * (b[i]! - centreDotOfV) + share * share * centreNorm2);
  });
}

/** Weights may leave the reference out. */
function weightOf(weights: Float64Array, j: number): number {
  return weights[j] ?? 0;
}

function sum(size: number, term: (j: number) => number): number {
  let total = 0;
  for (let j = 0; j < size; j++) total += term(j);
  return total;
}

/** M G Mᵀ for the centred part, and M times the rest; the reference, if any, stays as it is. */
function mixParts(parts: Parts, mixing: Mixing): Parts {
  const size = parts.centreDots.length;
  const extra = parts.hasReference ? 1 : 0;
  const p = mixing.count + extra;
  const matrix = new Float64Array(p * size);
  for (let a = 0; a < mixing.count; a++) {
    for (let i = 0; i < parts.count; i++) matrix[a * size + i] = mixing.matrix[a * parts.count + i]!;
  }
  if (extra === 1) matrix[p * size - 1] = 1;
  const half = multiply(matrix, parts.centred, p, size, size);
  return {
    count: mixing.count,
    hasReference: parts.hasReference,
    centred: symmetric(multiply(half, transpose(matrix, p, size), p, size, p), p),
    centreDots: multiply(matrix, parts.centreDots, p, size, 1),
    shares: multiply(matrix, parts.shares, p, size, 1),
    centreNorm2: parts.centreNorm2,
  };
}

/** [p × m] · [m × q]; zeros in the left factor are skipped, since mixing matrices are sparse. */
function multiply(left: Float64Array, right: Float64Array, p: number, m: number, q: number): Float64Array {
  const product = new Float64Array(p * q);
  for (let a = 0; a < p; a++) {
    for (let i = 0; i < m; i++) {
      const factor = left[a * m + i]!;
      if (factor === 0) continue;
      for (let j = 0; j < q; j++) product[a * q + j]! += factor * right[i * q + j]!;
    }
  }
  return product;
}

function transpose(matrix: Float64Array, p: number, q: number): Float64Array {
  const turned = new Float64Array(p * q);
  for (let a = 0; a < p; a++) for (let j = 0; j < q; j++) turned[j * p + a] = matrix[a * q + j]!;
  return turned;
}

function symmetric(matrix: Float64Array, p: number): Float64Array {
  for (let a = 0; a < p; a++) for (let b = 0; b < a; b++) matrix[b * p + a] = matrix[a * p + b]!;
  return matrix;
}

/** The span of a star pass: norms, and products with the reference. */
export function starSpan(pass: StarPass): Span {
  const count = pass.norms2.length;
  const product = (i: number, j: number, own: Float64Array, across: Float64Array | null, self: number): number => {
    if (i === count && j === count) return self;
    if (i === j) return own[i]!;
    const value = i === count ? across?.[j] : j === count ? across?.[i] : undefined;
    return value ?? unknownProducts();
  };
  const zeros = new Float64Array(count);
  return {
    count,
    hasReference: pass.referenceDots !== null,
    dot: (i, j) => product(i, j, pass.norms2, pass.referenceDots, pass.referenceNorm2),
    distance2: (i, j) => product(i, j, zeros, pass.referenceDistances2, 0),
    norm: (i) => Math.sqrt(i === count ? pass.referenceNorm2 : pass.norms2[i]!),
    dotsWith: () => unknownProducts(),
    // The zero vector and the reference itself are the two points whose distances a star pass knows.
    distances2To: (weights) =>
      weights.every((weight) => weight === 0)
        ? pass.norms2.slice()
        : weights.every((weight, j) => weight === (j === count ? 1 : 0)) && pass.referenceDistances2 !== null
          ? pass.referenceDistances2.slice()
          : unknownProducts(),
    mix: (mixing) => starSpan(scaledStar(pass, mixing)),
  };
}

function unknownProducts(): never {
  throw new RangeError('Cannot read products of two rows as only norms were computed');
}

/** A loop, as a thousand rows have a million entries. */
function isDiagonal({ count, matrix }: Mixing): boolean {
  for (let index = 0; index < matrix.length; index++) {
    if (matrix[index] !== 0 && index % (count + 1) !== 0) return false;
  }
  return true;
}

/** Scaled rows: the only mixing that a star pass can follow. */
function scaledStar(pass: StarPass, mixing: Mixing): StarPass {
  const count = pass.norms2.length;
  const scales = Float64Array.from(pass.norms2, (_, i) => mixing.matrix[i * count + i]!);
  if (mixing.count !== count || !isDiagonal(mixing))
    throw new RangeError('Cannot mix rows as only norms were computed');
  const { referenceDots: dots, referenceNorm2: r2 } = pass;
  const norms2 = pass.norms2.map((value, i) => value * scales[i]! ** 2);
  return {
    norms2,
    referenceDots: dots?.map((value, i) => value * scales[i]!) ?? null,
    // ‖s x − r‖² = s ‖x − r‖² + (1 − s)(‖r‖² − s ‖x‖²): exact at s = 1, no cancellation near it.
    referenceDistances2:
      pass.referenceDistances2?.map((value, i) => {
        const s = scales[i]!;
        return Math.max(0, s * value + (1 - s) * (r2 - s * pass.norms2[i]!));
      }) ?? null,
    referenceNorm2: r2,
    nonFinite: pass.nonFinite,
  };
}
