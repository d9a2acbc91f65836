import type { Direction, DominatingPair, LossCells, LossGrid } from './dominating-pair.ts';

/** Rounds of nudging: each divides what is left of a smooth difference by about ten. */
const NUDGE_ROUNDS = 3;
const ROUNDING = 2 ** -51;
const ANCHOR_SHARE = 0.2;
/** Beyond it e^−loss of a mass of δ is no longer a normal double, and e^loss soon none at all. */
const LOSS_MAX = 600;

/** A distribution of losses on a mesh: mass[i] at loss (first + i) · meshStep + shift, the rest at infinity. */
export type LossMass = {
  readonly meshStep: number;
  readonly first: number;
  readonly shift: number;
  readonly mass: Float64Array;
  readonly infinityMass: number;
};

/**
 * Moves every loss to the mesh so that no divergence falls: an upper bound of the privacy loss.
 *
 * Formula:  a cell with masses a, b between edges e and e + h becomes u at e and v at e + h with u + v = a and
 *           u e^{−e} + v e^{−e−h} = b. Both masses stay, and (1 − e^{ε−ℓ})₊ is convex in e^{−ℓ}, so δ(ε) can only grow.
 *           What lies below the mesh moves to its lowest point, what lies above to infinity.
 * Source:   connect-the-dots, Doroshenko et al. 2022, arXiv:2207.04380, without its second differences.
 */
export function pessimisticMass(cells: LossCells, direction: Direction): LossMass {
  const { meshStep, count } = cells.grid;
  const isRemove = direction === 'remove';
  const heavy = isRemove ? cells.upper : cells.lower;
  const light = isRemove ? cells.lower : cells.upper;
  const first = isRemove ? cells.grid.first : -(cells.grid.first + count);
  const mass = new Float64Array(count + 1);
  const span = -Math.expm1(-meshStep);
  for (let i = 0; i < count; i++) {
    const cell = isRemove ? i : count - 1 - i;
    const a = heavy[cell]!;
    if (a === 0) continue;
    const loss = (first + i) * meshStep;
    // A light mass that doubles can hardly hold counts as none: the cell moves up as a whole.
    const b = loss > LOSS_MAX ? 0 : light[cell]! * Math.exp(loss);
    // The difference is rounded up: where losses are tiny its rounding would count.
    const v = Math.min(a, Math.max(0, (a - b + ROUNDING * a) / span));
    mass[i]! += a - v;
    mass[i + 1]! += v;
  }
  mass[0]! += isRemove ? cells.upperBelow : cells.lowerAbove;
  return { meshStep, first, shift: 0, mass, infinityMass: isRemove ? cells.upperAbove : cells.lowerBelow };
}

/**
 * Moves every loss down: a lower bound of the privacy loss.
 *
 * Formula:  each cell is merged into one outcome (post-processing) with loss ln(a/b), then moved down to the mesh. The
 *           mesh is shifted by −c, so that the small difference between ln(a/b) and the cell's centre does not cost a
 *           whole step. Losses below the mesh are dropped, losses above it are moved to the last cell.
 * Needs:    cells centred on the mesh, which may itself lie anywhere: centredCells makes them.
 */
export function optimisticMass(cells: LossCells, direction: Direction, tilt: number): LossMass {
  const { meshStep, count } = cells.grid;
  const isRemove = direction === 'remove';
  const heavy = isRemove ? cells.upper : cells.lower;
  const light = isRemove ? cells.lower : cells.upper;
  const base = isRemove ? cells.grid.first + 0.5 : 0.5 - (cells.grid.first + count);
  const first = Math.round(base);
  const aside = (base - first) * meshStep;
  const held = new Float64Array(count);
  const above = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const cell = isRemove ? i : count - 1 - i;
    held[i] = heavy[cell]!;
    const difference = Math.log(heavy[cell]! / light[cell]!) - (base + i) * meshStep;
    above[i] = Math.abs(difference) <= meshStep * 0.75 ? difference : -meshStep * 0.75;
  }
  const dip = cheapestDip(above, held, { meshStep, tilt }) + 1e-9 * meshStep;
  const mass = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) mass[i + 1 + Math.floor((above[i]! + dip) / meshStep)]! += held[i]!;
  mass[count]! += isRemove ? cells.upperAbove : cells.lowerBelow;
  return { meshStep, first: first - 1, shift: aside - dip, mass, infinityMass: 0 };
}

/**
 * Cells whose merged losses lie on a mesh, nearly: the mesh is moved to the merged loss of one cell, then the other
 * cells' edges are moved.
 */
export function centredCells(pair: DominatingPair, grid: LossGrid): LossCells {
  let first = grid.first - 0.5;
  for (let round = 0; round < 4; round++) {
    const cells = pair.cells({ ...grid, first });
    const anchor = anchorCell(cells);
    const offset = Math.log(cells.upper[anchor]! / cells.lower[anchor]!) / grid.meshStep - (first + anchor + 0.5);
    if (Math.abs(offset) < 1) first += offset;
  }
  let cells = pair.cells({ ...grid, first, count: grid.count + 1 });
  for (let round = 0; round < NUDGE_ROUNDS; round++) cells = pair.cells({ ...cells.grid, nudge: edgeNudges(cells) });
  return cells;
}

/**
 * The nudges that bring merged losses nearer to the mesh than the present ones do.
 *
 * Formula: a merged loss follows the mean of its two edges, so from the anchor outwards each next edge makes up for twice
 *          the difference, less what the edge before has done.
 */
function edgeNudges(cells: LossCells): Float64Array {
  const { meshStep, first, count } = cells.grid;
  const nudge = cells.grid.nudge?.slice() ?? new Float64Array(count + 1);
  const differenceAt = (i: number) => {
    const difference = Math.log(cells.upper[i]! / cells.lower[i]!) - (first + i + 0.5) * meshStep;
    return Math.abs(difference) < meshStep ? difference : 0;
  };
  const move = (edge: number, by: number) => {
    const before = nudge[edge]!;
    nudge[edge] = Math.max(-0.45 * meshStep, Math.min(0.45 * meshStep, before + by));
    return nudge[edge]! - before;
  };
  const start = anchorCell(cells);
  const firstMove = -differenceAt(start);
  let done = move(start + 1, firstMove);
  for (let i = start + 1; i < count; i++) done = move(i + 1, -2 * differenceAt(i) - done);
  done = move(start, firstMove);
  for (let i = start - 1; i >= 0; i--) done = move(i, -2 * differenceAt(i) - done);
  return nudge;
}

/**
 * The lowest cell of some weight. Losses that are bounded below crowd at the bound, where no nudge helps: that cell must
 * be right to begin with.
 */
function anchorCell({ upper }: LossCells): number {
  const heaviest = upper.reduce((most, mass) => Math.max(most, mass), 0);
  return upper.findIndex((mass) => mass >= ANCHOR_SHARE * heaviest);
}

/**
 * The shift of the mesh under which moving down costs least: of the heaviest cells' differences the one with the least
 * mean loss, under the tilted weights.
 */
function cheapestDip(
  above: Float64Array,
  held: Float64Array,
  { meshStep, tilt }: { readonly meshStep: number; readonly tilt: number },
): number {
  const logWeight = (i: number) => Math.log(held[i]!) + tilt * i * meshStep;
  const logWeights = Float64Array.from(held, (mass, i) => (mass > 0 ? logWeight(i) : -Infinity));
  const top = logWeights.reduce((most, log) => Math.max(most, log), -Infinity);
  const relevant: number[] = [];
  for (let i = 0; i < held.length; i++) if (logWeights[i]! > top - 20) relevant.push(i);
  const weights = Float64Array.from(relevant, (i) => Math.exp(logWeights[i]! - top));
  const deepest = relevant.reduce((worst, i) => (above[i]! < above[worst]! ? i : worst), relevant[0]!);
  const heavy = relevant.filter((i) => logWeights[i]! > top - 3);
  const stride = Math.max(1, Math.floor(heavy.length / 20));
  let best = { dip: 0, cost: Infinity };
  for (const candidate of [deepest, ...heavy.filter((_, k) => k % stride === 0)]) {
    const dip = Math.max(0, -above[candidate]!);
    const cost = relevant.reduce((sum, i, k) => {
      const raised = (above[i]! + dip) / meshStep + 1e-9;
      return sum + weights[k]! * (raised - Math.floor(raised));
    }, 0);
    if (cost < best.cost) best = { dip, cost };
  }
  return best.dip;
}

/**
 * The cumulant generating function of a loss and its slope.
 *
 * Formula: K(s) = ln Σ m_i e^{sℓ_i}; the mass at infinity is left out, as its callers add it to δ.
 */
export function cumulant(loss: LossMass, s: number): { readonly value: number; readonly slope: number } {
  const { mass, meshStep } = loss;
  const start = loss.first * meshStep + loss.shift;
  const end = start + (mass.length - 1) * meshStep;
  // The weights are taken relative to the end that s favours, and again from the top if that hides everything.
  const anchor = s > 0 ? end : start;
  let sum = 0;
  let moment = 0;
  for (let i = 0; i < mass.length; i++) {
    const at = start + i * meshStep;
    const weight = mass[i]! * Math.exp(s * (at - anchor));
    sum += weight;
    moment += weight * at;
  }
  if (sum > 1e-250) return { value: s * anchor + Math.log(sum), slope: moment / sum };
  return cumulantFromPeak(loss, s);
}

function cumulantFromPeak(loss: LossMass, s: number): { readonly value: number; readonly slope: number } {
  const { mass, meshStep } = loss;
  const start = loss.first * meshStep + loss.shift;
  let top = -Infinity;
  for (let i = 0; i < mass.length; i++) {
    if (mass[i]! > 0) top = Math.max(top, Math.log(mass[i]!) + s * (start + i * meshStep));
  }
  let sum = 0;
  let moment = 0;
  for (let i = 0; i < mass.length; i++) {
    if (!(mass[i]! > 0)) continue;
    const weight = Math.exp(Math.log(mass[i]!) + s * (start + i * meshStep) - top);
    sum += weight;
    moment += weight * (start + i * meshStep);
  }
  return { value: top + Math.log(sum), slope: moment / sum };
}
