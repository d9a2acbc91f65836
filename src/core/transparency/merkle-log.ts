import { concatBytes } from '@noble/hashes/utils.js';

type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The Merkle tree of a growing list of leaves: its root at any size so far, and what proves it. */
export type MerkleLog = {
  size(): number;
  /** Adds a leaf by its hash. */
  append(leafHash: Uint8Array): void;
  /** Takes back what was appended beyond a size: a transaction has failed. */
  truncate(size: number): void;
  /** The hash of one leaf. */
  leaf(index: number): Uint8Array;
  /** The tree head of the first `size` leaves. */
  root(size: number): Uint8Array;
  /** The hashes that lead from leaf `index` to the root of the first `size` leaves. */
  inclusionProof(index: number, size: number): readonly Uint8Array[];
  /** The hashes that show that the first `from` leaves are a beginning of the first `to`. */
  consistencyProof(from: number, to: number): readonly Uint8Array[];
};

/** The hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(1), left, right));
}

/**
 * An append-only Merkle tree that keeps the hashes of its complete subtrees.
 *
 * Formula:  MTH(D[0:n]) = H(0x01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n])), k the largest power of two below n; PATH and SUBPROOF as in
 *           the source.
 * Promises: one node hash for each leaf appended, on average.
 * Cost:     64 bytes a leaf; a root or a proof takes O(log² n) hashes at worst.
 * Errors:   RangeError on a size or an index that the tree does not have.
 * Source:   RFC 6962, section 2.1.
 */
export function createMerkleLog(sha256: Sha256): MerkleLog {
  // levels[h][i] is the hash of leaves i · 2^h to (i + 1) · 2^h.
  const levels: Uint8Array[][] = [[]];
  const size = () => levels[0]!.length;

  function subtree(start: number, end: number): Uint8Array {
    const count = end - start;
    const height = Math.log2(count);
    if (Number.isInteger(height) && start % count === 0) return levels[height]![start / count]!;
    const middle = start + splitOf(count);
    return nodeHash(subtree(start, middle), subtree(middle, end), sha256);
  }

  function check(what: string, value: number, min: number, max: number): void {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    throw new RangeError(`Cannot prove anything as ${what} must be ${min} to ${max}: current value is ${value}`);
  }

  function path(index: number, start: number, end: number): Uint8Array[] {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    if (index < middle) return [...path(index, start, middle), subtree(middle, end)];
    return [...path(index, middle, end), subtree(start, middle)];
  }

  /** SUBPROOF: `isWhole` says that the verifier knows the root of what is left of `from` here. */
  function subproof(from: number, start: number, end: number, isWhole: boolean): Uint8Array[] {
    if (from === end) return isWhole ? [] : [subtree(start, end)];
    const middle = start + splitOf(end - start);
    if (from <= middle) return [...subproof(from, start, middle, isWhole), subtree(middle, end)];
    return [...subproof(from, middle, end, false), subtree(start, middle)];
  }

  return {
    size,
    append(leafHash) {
      levels[0]!.push(leafHash);
      for (let h = 0, i = levels[0]!.length; i % 2 === 0; h++, i /= 2) {
        levels[h + 1] ??= [];
        levels[h + 1]!.push(nodeHash(levels[h]![i - 2]!, levels[h]![i - 1]!, sha256));
      }
    },
    truncate(target) {
      check('the size', target, 0, size());
      for (const [h, level] of levels.entries()) level.length = Math.floor(target / 2 ** h);
    },
    leaf(index) {
      check('the entry', index, 0, size() - 1);
      return levels[0]![index]!;
    },
    root(at) {
      check('the size', at, 0, size());
      return at === 0 ? sha256(new Uint8Array()) : subtree(0, at);
    },
    inclusionProof(index, at) {
      check('the size', at, 1, size());
      check('the entry', index, 0, at - 1);
      return path(index, 0, at);
    },
    consistencyProof(from, to) {
      check('the later size', to, 1, size());
      check('the earlier size', from, 1, to);
      return subproof(from, 0, to, true);
    },
  };
}

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
