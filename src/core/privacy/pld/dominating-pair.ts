/**
 * Edges of loss cells: edge i lies at (first + i) · meshStep + nudge[i]. `first` may be a half for centred cells. Pairs
 * of atoms may leave the nudges out.
 */
export type LossGrid = {
  readonly meshStep: number;
  readonly first: number;
  readonly count: number;
  readonly nudge?: Float64Array;
};

/**
 * The masses of both distributions between neighbouring edges: cell i holds the losses from edge i to edge i + 1.
 * What lies outside is kept apart.
 */
export type LossCells = {
  readonly grid: LossGrid;
  readonly upper: Float64Array;
  readonly lower: Float64Array;
  readonly upperBelow: number;
  readonly lowerBelow: number;
  readonly upperAbove: number;
  readonly lowerAbove: number;
};

/**
 * Two distributions, upper and lower, whose hockey-stick divergences in both directions bound a mechanism's. The loss
 * is ln(upper ÷ lower): "remove" reads it under the upper distribution, "add" reads its negative under the lower one.
 */
export type DominatingPair = {
  /** True when both directions have the same losses. */
  readonly isSymmetric: boolean;
  /** The largest loss of each direction; infinite where losses have no bound. */
  readonly lossMax: { readonly remove: number; readonly add: number };
  /** An interval outside which each distribution has at most `tailMass` on each side. */
  lossRange(tailMass: number): { readonly low: number; readonly high: number };
  cells(grid: LossGrid): LossCells;
};

export type Direction = 'remove' | 'add';

/** An outcome. Its loss is ln(upper ÷ lower) unless said: doubles do not hold e^−loss of a large one. */
export type Atom = { readonly upper: number; readonly lower: number; readonly loss?: number };

/**
 * A pair with finitely many outcomes; `isUnbounded` where they are the likely ones of infinitely many.
 *
 * Needs: masses ≥ 0 that sum to 1 on each side (up to what the caller has cut and added as an atom of its own).
 */
export function atomPair(
  atoms: readonly Atom[],
  options: { readonly isSymmetric: boolean; readonly isUnbounded?: boolean },
): DominatingPair {
  const placed = atoms
    .filter((atom) => atom.upper > 0 || atom.lower > 0)
    .map((atom) => ({ ...atom, loss: atom.loss ?? Math.log(atom.upper / atom.lower) }));
  const { isUnbounded = false } = options;
  const finite = placed.map((atom) => atom.loss).filter((loss) => Number.isFinite(loss));
  const low = Math.min(...finite, 0);
  const high = Math.max(...finite, 0);
  return {
    isSymmetric: options.isSymmetric,
    lossMax: {
      remove: isUnbounded || placed.some((atom) => atom.loss === Infinity) ? Infinity : high,
      add: isUnbounded || placed.some((atom) => atom.loss === -Infinity) ? Infinity : -low,
    },
    lossRange: () => ({ low, high }),
    cells: (grid) => {
      const cells = emptyCells(grid);
      for (const atom of placed) addAtom(cells, atom);
      return cells;
    },
  };
}

/** Cells that are being filled. */
export type OpenCells = { -readonly [Key in keyof LossCells]: LossCells[Key] };

/** Cells of a grid, all zero, to be filled. */
export function emptyCells(grid: LossGrid): OpenCells {
  const size = grid.count;
  return {
    grid,
    upper: new Float64Array(size),
    lower: new Float64Array(size),
    upperBelow: 0,
    lowerBelow: 0,
    upperAbove: 0,
    lowerAbove: 0,
  };
}

/** Adds an outcome of known loss to the cell that holds it. */
export function addAtom(cells: OpenCells, atom: Atom & { readonly loss: number }): void {
  const { meshStep, first, count } = cells.grid;
  const index = Math.floor(atom.loss / meshStep - first + 1e-9);
  if (index < 0) {
    cells.upperBelow += atom.upper;
    cells.lowerBelow += atom.lower;
  } else if (index >= count) {
    cells.upperAbove += atom.upper;
    cells.lowerAbove += atom.lower;
  } else {
    cells.upper[index]! += atom.upper;
    cells.lower[index]! += atom.lower;
  }
}
