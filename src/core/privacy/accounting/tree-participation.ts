import { checkNumber } from '../check.ts';

/** How often a client may take part in a tree of releases, and how many other releases lie between two of its own. */
export type Participation = { readonly max: number; readonly separation: number };

/**
 * The squared L2 sensitivity of binary-tree sums when a client adds up to one unit to several leaves.
 *
 * Formula:  max over sets of at most `max` leaves, `separation` others at least between two of them, of Σ over the complete
 *           aligned nodes (number of leaves of the set below it)². Exact, by dynamic programming over subtrees: for a node,
 *           the largest sum by number of leaves and by the free places at its left and right end.
 * Shapes:   `steps` leaves; the tree over them is the forest of complete trees that its binary digits say. With
 *           `restartEvery` a new tree begins after so many leaves (0: never); `max` and `separation` count across trees.
 * Needs:    max ≥ 1, separation ≥ 0, steps ≥ 1; restartEvery 0 or a power of two. Participations add in one direction in
 *           the worst case.
 * Cost:     O(log steps · c² (separation + 1)³), c the leaves that fit into the largest subtree.
 * Source:   Kairouz et al. 2021, arXiv:2103.00039, section 4 and appendix D.
 */
export function treeSensitivitySquare(steps: number, { max, separation }: Participation, restartEvery = 0): number {
  const action = 'bound a tree';
  checkNumber(action, 'steps', steps, 'positiveCount');
  checkNumber(action, 'max', max, 'positiveCount');
  const gap = checkNumber(action, 'separation', separation, 'count') + 1;
  checkNumber(action, 'restartEvery', restartEvery, 'count');
  const tree = restartEvery === 0 ? steps : Math.min(steps, restartEvery);
  const rules = { max, gap, reach: Math.min(gap, steps) };
  const rest = steps % tree;
  let forest = rest === 0 ? undefined : forestOf(rest, rules);
  // As many whole trees before it, doubled where their number has a digit.
  let whole = forestOf(tree, rules);
  for (let count = Math.floor(steps / tree); count > 0; count = Math.floor(count / 2)) {
    if (count % 2 === 1) forest = forest === undefined ? whole : joined(whole, forest, rules);
    if (count > 1) whole = joined(whole, whole, rules);
  }
  return Math.max(...forest!.best.map((row) => row[0]!));
}

/** The complete trees that the binary digits of a number of leaves say, the largest first. */
function forestOf(steps: number, rules: Rules): Table {
  let node: Table = leafTable(rules.max, rules.reach);
  let forest: Table | undefined;
  // From the last digit up: the smallest tree stands last.
  for (let size = 1; size <= steps; size *= 2) {
    if (Math.floor(steps / size) % 2 === 1) forest = forest === undefined ? node : joined(node, forest, rules);
    if (size * 2 <= steps) node = withRoot(joined(node, node, rules));
  }
  return forest!;
}

/**
 * best[c][a · reach + b]: the largest sum with c leaves chosen, the first ones a and the last ones b of which are free;
 * −∞ where that cannot be.
 */
type Table = { readonly size: number; readonly best: readonly Float64Array[] };

type Rules = { readonly max: number; readonly gap: number; readonly reach: number };

function leafTable(max: number, reach: number): Table {
  const one = new Float64Array(reach * reach).fill(-Infinity);
  one[0] = 1;
  const none = new Float64Array(reach * reach);
  return { size: 1, best: max >= 1 ? [none, one] : [none] };
}

function joined(left: Table, right: Table, { max, gap, reach }: Rules): Table {
  const count = Math.min(max, left.best.length + right.best.length - 2);
  const best = Array.from({ length: count + 1 }, () => new Float64Array(reach * reach).fill(-Infinity));
  best[0]!.fill(0);
  const free = (places: number) => Math.max(0, Math.min(reach - 1, places));
  for (let l = 0; l < left.best.length; l++) {
    for (let r = 0; r < right.best.length && l + r <= count; r++) {
      if (l + r === 0) continue;
      const into = best[l + r]!;
      for (let a = 0; a < reach; a++) {
        for (let b = 0; b < reach; b++) {
          const value = bestSplit(left, right, { l, r, a, b, gap, reach, free });
          if (value > into[a * reach + b]!) into[a * reach + b] = value;
        }
      }
    }
  }
  const possible = best.findLastIndex((row) => row[0]! > -Infinity);
  return { size: left.size + right.size, best: best.slice(0, possible + 1) };
}

type Split = {
  readonly l: number;
  readonly r: number;
  readonly a: number;
  readonly b: number;
  readonly gap: number;
  readonly reach: number;
  readonly free: (places: number) => number;
};

function bestSplit(left: Table, right: Table, { l, r, a, b, gap, reach, free }: Split): number {
  if (l === 0) return right.best[r]![free(a - left.size) * reach + b]!;
  if (r === 0) return left.best[l]![a * reach + free(b - right.size)]!;
  let best = -Infinity;
  for (let between = 0; between < gap; between++) {
    const [last, first] = [between, gap - 1 - between];
    if (last >= reach || first >= reach) continue;
    best = Math.max(best, left.best[l]![a * reach + last]! + right.best[r]![first * reach + b]!);
  }
  return best;
}

/** The node above: it counts what lies below it. */
function withRoot({ size, best }: Table): Table {
  return { size, best: best.map((row, c) => row.map((value) => value + c * c)) };
}
