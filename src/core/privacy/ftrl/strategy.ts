import type { Participation } from '../accounting/tree-participation.ts';

/** One value that noise was added to, and what is known of it: exact integers, and the estimate that the releases give. */
export type SumNode = {
  /** Height above the leaves, in a tree; 0 elsewhere. */
  readonly level: number;
  /** The clean sum, in grid steps: secret. */
  readonly sum: Float64Array;
  /** A function of what was released. */
  readonly estimate: Float64Array;
};

/** What of the leaves so far the next one needs. */
export type SumState = { readonly leaves: number; readonly nodes: readonly SumNode[] };

/** The state before the first leaf. */
export const emptySums: SumState = { leaves: 0, nodes: [] };

/**
 * How the noise of one round is made to cancel in later ones: values are released that are sums over several rounds
 * (leaves), each with noise of its own, and prefix sums are estimated from them.
 */
export type Strategy = {
  /** How many values are released with a leaf, counted from 0: each takes one vector of noise. */
  valuesAt(leaf: number): number;
  /**
   * What one more participation costs a client that was in the leaves `earlier` (ascending), as the square of a distance
   * in clip norms: a leaf is worth one Gaussian release at σ ÷ √price, whatever the others are.
   */
  price(leaf: number, earlier: readonly number[]): number;
  /** The largest sum of prices of any client that keeps to the participation. */
  sensitivitySquare(): number;
  /** Releases the values of the next leaf: the change of the estimated prefix sum, and what comes after. */
  step(
    state: SumState,
    leaf: Float64Array,
    noise: readonly Int32Array[],
  ): { readonly increment: Float64Array; readonly state: SumState };
  /** Variances of the noise in the change at a leaf and in the prefix sum up to it, in units of one value's. */
  variancesAt(leaf: number): { readonly increment: number; readonly prefix: number };
};

/** What a plan settles of a strategy; each takes what it needs. */
export type StrategyOptions = Participation & {
  /** Rounds of the run. */
  readonly steps: number;
  /** Leaves after which a new tree begins; 0: never. */
  readonly restartEvery: number;
  /** Rounds over which a value reaches, where the noise is banded. */
  readonly bands: number;
};
