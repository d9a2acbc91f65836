import { nodeHash } from './merkle-log.ts';

type Sha256 = (bytes: Uint8Array) => Uint8Array;

/**
 * Whether a leaf is entry `index` of the tree with this root.
 *
 * Promises: never throws; a proof with a hash too few, too many or changed is no proof.
 * Source:   RFC 9162, section 2.1.3.2.
 */
export function isIncluded(
  leaf: { readonly hash: Uint8Array; readonly index: number },
  tree: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
  sha256: Sha256,
): boolean {
  if (!isCount(leaf.index) || !isCount(tree.size) || leaf.index >= tree.size) return false;
  let [at, last] = [leaf.index, tree.size - 1];
  let hash = leaf.hash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash, sha256);
      for (; at % 2 === 0 && at !== 0; ) [at, last] = [at / 2, half(last)];
    } else {
      hash = nodeHash(hash, sibling, sha256);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(hash, tree.root);
}

/**
 * Whether the earlier tree is a beginning of the later one: nothing in it was changed, removed or reordered.
 *
 * Promises: never throws.
 * Source:   RFC 9162, section 2.1.4.2.
 */
export function isConsistent(
  earlier: { readonly size: number; readonly root: Uint8Array },
  later: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
  sha256: Sha256,
): boolean {
  if (!isCount(earlier.size) || !isCount(later.size) || earlier.size > later.size || earlier.size === 0) return false;
  if (earlier.size === later.size) return proof.length === 0 && isSame(earlier.root, later.root);
  // A whole subtree is not in its own proof: its root is known.
  const path = isPowerOfTwo(earlier.size) ? [earlier.root, ...proof] : [...proof];
  let [at, last] = [earlier.size - 1, later.size - 1];
  for (; at % 2 === 1; ) [at, last] = [half(at), half(last)];
  const first = path.shift();
  if (first === undefined) return false;
  let [before, after] = [first, first];
  for (const hash of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      before = nodeHash(hash, before, sha256);
      after = nodeHash(hash, after, sha256);
      for (; at % 2 === 0 && at !== 0; ) [at, last] = [at / 2, half(last)];
    } else {
      after = nodeHash(after, hash, sha256);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(before, earlier.root) && isSame(after, later.root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

/** Roots are public: no need for constant time. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
