import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { leafHash, merkleRoot } from '../protocol/merkle.ts';
import { createMerkleLog, type MerkleLog } from './merkle-log.ts';
import { isConsistent, isIncluded } from './merkle-proof.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

function logOf(leaves: readonly Uint8Array[]): MerkleLog {
  const log = createMerkleLog(sha256);
  for (const leaf of leaves) log.append(leafHash(leaf, sha256));
  return log;
}

// The test tree of the Certificate Transparency project (merkle/testonly): its published paths.
const eight = logOf(
  ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) =>
    Uint8Array.fromHex(hex),
  ),
);
const node = {
  a: '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  b: '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  c: '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  d: 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  e: 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  f: 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  g: '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  h: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
};
const hex = (hashes: readonly Uint8Array[]) => hashes.map((one) => one.toHex());

test('inclusion paths are the published ones of the Certificate Transparency test tree', () => {
  assert.deepEqual(hex(eight.inclusionProof(0, 8)), [node.a, node.b, node.c]);
  assert.deepEqual(hex(eight.inclusionProof(5, 8)), [node.d, node.e, node.f]);
  assert.deepEqual(hex(eight.inclusionProof(2, 3)), [node.h]);
});

test('consistency paths are the published ones of the Certificate Transparency test tree', () => {
  assert.deepEqual(hex(eight.consistencyProof(1, 1)), []);
  assert.deepEqual(hex(eight.consistencyProof(1, 8)), [node.a, node.b, node.c]);
  assert.deepEqual(hex(eight.consistencyProof(6, 8)), [node.g, node.e, node.f]);
  assert.deepEqual(hex(eight.consistencyProof(2, 5)), [node.b, node.d]);
});

test('the root of every size is that of the plain definition, and every proof holds (0 to 40 leaves)', () => {
  const leaves = Array.from({ length: 40 }, (_, i) => Uint8Array.of(i));
  const log = logOf(leaves);
  for (let size = 0; size <= 40; size++) {
    const root = log.root(size);
    assert.deepEqual(Buffer.from(root), Buffer.from(merkleRoot(leaves.slice(0, size), sha256)));
    for (let i = 0; i < size; i++) {
      assert.ok(isIncluded({ hash: log.leaf(i), index: i }, { size, root }, log.inclusionProof(i, size), sha256));
      const earlier = { size: i + 1, root: log.root(i + 1) };
      assert.ok(isConsistent(earlier, { size, root }, log.consistencyProof(i + 1, size), sha256));
    }
  }
});

test('no proof holds for another leaf, index, size or root, or with a hash changed, left out or added', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, bit) => {
      const log = logOf(Array.from({ length: size }, (_, i) => Uint8Array.of(i)));
      const [index, from] = [a % size, 1 + (b % (size - 1))];
      const tree = { size, root: log.root(size) };
      const leaf = { hash: log.leaf(index), index };
      const path = log.inclusionProof(index, size);
      const included = (...[l, t, p]: Parameters<typeof isIncluded>) => isIncluded(l, t, p, sha256);
      assert.ok(!included({ ...leaf, hash: flipped(leaf.hash, bit) }, tree, path, sha256));
      assert.ok(!included({ ...leaf, index: (index + 1) % size }, tree, path, sha256));
      assert.ok(!included(leaf, { ...tree, root: flipped(tree.root, bit) }, path, sha256));
      assert.ok(!included(leaf, tree, path.slice(1), sha256) && !included(leaf, tree, [...path, tree.root], sha256));
      assert.ok(!included(leaf, tree, changedAt(path, bit), sha256));

      const earlier = { size: from, root: log.root(from) };
      const steps = log.consistencyProof(from, size);
      const consistent = (...[e, t, p]: Parameters<typeof isConsistent>) => isConsistent(e, t, p, sha256);
      assert.ok(!consistent({ ...earlier, root: flipped(earlier.root, bit) }, tree, steps, sha256));
      assert.ok(!consistent(earlier, { ...tree, root: flipped(tree.root, bit) }, steps, sha256));
      assert.ok(!consistent(earlier, tree, steps.slice(1), sha256));
      assert.ok(!consistent(earlier, tree, [...steps, tree.root], sha256));
      assert.ok(!consistent(earlier, tree, changedAt(steps, bit), sha256));
    }),
    { seed: 6, numRuns: 300 },
  );
});

test('truncate() takes back what was appended, as if it had never been', () => {
  const log = logOf(Array.from({ length: 21 }, (_, i) => Uint8Array.of(i)));
  for (let size = 21; size >= 0; size--) {
    log.truncate(size);
    assert.equal(log.size(), size);
    for (let i = size; i < size + 5; i++) log.append(leafHash(Uint8Array.of(i), sha256));
    assert.deepEqual(
      log.root(size + 5),
      logOf(Array.from({ length: size + 5 }, (_, i) => Uint8Array.of(i))).root(size + 5),
    );
    log.truncate(size);
  }
});

test('a size or an entry that the tree does not have is refused with its bounds', () => {
  assert.throws(() => eight.root(9), /must be 0 to 8: current value is 9/);
  assert.throws(() => eight.inclusionProof(8, 8), /must be 0 to 7: current value is 8/);
  assert.throws(() => eight.inclusionProof(0, 0), RangeError);
  assert.throws(() => eight.consistencyProof(0, 8), RangeError);
  assert.throws(() => eight.consistencyProof(5, 4), RangeError);
  assert.throws(() => eight.leaf(0.5), RangeError);
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7);
  return copy;
}

function changedAt(path: readonly Uint8Array[], bit: number): readonly Uint8Array[] {
  const at = bit % path.length;
  return path.map((one, i) => (i === at ? flipped(one, bit) : one));
}
