import { exp, log } from '../numerics/portable.ts';
import { createRng, type Rng } from '../random/rng.ts';
import type { Detector } from './detector.ts';
import { quietStandings } from './limits.ts';
import { standingsOf } from './standings-of.ts';

/** A cut, or a leaf with the length of the path that ends there. */
type Node =
  | { readonly path: number }
  | { readonly k: number; readonly at: number; readonly low: Node; readonly high: Node };

const treeCount = 100;
const sampleSize = 128;
const depthMax = Math.ceil(log(sampleSize) / Math.LN2);

/**
 * A learned detector: how few random cuts separate a client from attack-free ones.
 *
 * Formula:   2^(−E[path] / c(ψ)), c(ψ) = 2 (ln(ψ − 1) + γ) − 2 (ψ − 1)/ψ; 100 trees on samples of ψ = 128 standings out of
 *            those kept from attack-free runs.
 * Promises:  deterministic: trees are drawn from a fixed seed.
 * Cost:      O(100 log ψ) a client; the forest is grown once.
 * Source:    Liu, Ting, Zhou 2008 (Isolation Forest), ICDM.
 */
export const isolationForest: Detector = {
  limit: 'calibrated',
  suspect(observations, horizon) {
    const trees = forest();
    const scale = meanPath(sampleSize);
    return standingsOf(observations, horizon).map((row) => {
      const path = trees.reduce((sum, tree) => sum + pathOf(tree, row), 0) / trees.length;
      return {
        value: exp((-Math.LN2 * path) / scale),
        reasons: () => [
          `is told apart from quiet rounds in ${path.toFixed(1)} cuts, where ${scale.toFixed(1)} are usual`,
        ],
      };
    });
  },
};

let grown: readonly Node[] | undefined;

function forest(): readonly Node[] {
  if (grown === undefined) {
    const rng = createRng(1).child('isolation-forest');
    const quiet = quietStandings();
    grown = Array.from({ length: treeCount }, () => {
      const sample = rng.shuffleInPlace([...quiet]).slice(0, sampleSize);
      return grow(sample, 0, rng);
    });
  }
  return grown;
}

function grow(points: readonly ArrayLike<number>[], depth: number, rng: Rng): Node {
  if (points.length <= 1 || depth === depthMax) return leaf(points.length, depth);
  const k = rng.below(points[0]!.length);
  const values = points.map((point) => point[k]!);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) return leaf(points.length, depth);
  const at = least + (most - least) * rng.float();
  const side = (isLow: boolean) => points.filter((point) => point[k]! < at === isLow);
  return { k, at, low: grow(side(true), depth + 1, rng), high: grow(side(false), depth + 1, rng) };
}

/** The cuts above a leaf, and what its points would take if the tree went on. */
function leaf(size: number, depth: number): Node {
  return { path: depth + meanPath(size) };
}

function pathOf(node: Node, row: ArrayLike<number>): number {
  let at = node;
  while (!('path' in at)) at = row[at.k]! < at.at ? at.low : at.high;
  return at.path;
}

/** The mean path of a search tree of so many points. */
function meanPath(size: number): number {
  return size < 2 ? 0 : 2 * (log(size - 1) + 0.5772156649) - (2 * (size - 1)) / size;
}
