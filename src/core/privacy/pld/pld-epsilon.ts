import { centredCells, optimisticMass, pessimisticMass } from './loss-mass.ts';
import { bestOrder, lowerTiltedChernoff, totalCumulant, upperChernoff, upperTiltedChernoff } from './chernoff.ts';
import { composeLosses, epsilonAtDelta, meshStepMin } from './composition.ts';
import type { EpsilonPoint, LossStep, Window } from './composition.ts';
import { composeRare, rarestSplit } from './rare-tail.ts';
import type { Direction, DominatingPair, LossCells, LossGrid } from './dominating-pair.ts';

/** Steps that share a dominating pair. */
export type PairSteps = { readonly pair: DominatingPair; readonly count: number };

export type PldOptions = {
  readonly delta: number;
  /** Wanted error of ε: 2e-4, or 2e-5 up to a hundred steps, unless said. */
  readonly tolerance?: number;
  /** As sharp where ε is in the hundreds and above as elsewhere. */
  readonly isSharp?: boolean;
};

/** An interval that holds the true ε. */
export type EpsilonInterval = { readonly lower: number; readonly upper: number };

const TOLERANCE = 2e-4;
/** An ε in the thousands needs no fourth decimal, */
const RELATIVE_TOLERANCE = 2e-6;
/** and one that promises nothing no fourth digit: a thousandth of what lies above this. */
const EPSILON_OF_USE = 300;
const LARGE_TOLERANCE = 1e-3;
/** A first look at what would need more points than the second: there ε is large, or the mesh as fine as it can be. */
const ROUGH_POINTS = 2 ** 18;
const POINTS_WITHOUT_LOOK = 2 ** 20;
const CELLS_MAX = { pessimistic: 2e6, optimistic: 4e6 };
const SURVEY_CELLS = 2048;
const LOSS_CELLS_MIN = 64;
/** The transform's noise is about e^−30 of the total and raises δ; it may raise it by e^−11. */
const NOISE_LOG_MAX = 19;
/** Share of δ that may be spent on tails that are cut: the bound on δ is that much above the mesh's. */
const CUT_SHARE = 1e-8;

/**
 * An upper bound of ε for composed mechanisms, by their privacy loss distribution.
 *
 * Formula:  losses on a mesh of step h, rounded pessimistically, composed by FFT under exponential tilting. The rounding
 *           adds at most h²/4 of variance a step, so ε grows by at most about (λ + 1) T h² ÷ 8, with λ = −d ln δ / dε; the
 *           mesh is chosen from that and checked against a second mesh (the error falls with h²).
 * Needs:    0 < δ < 1; tolerance > 0.
 * Promises: never below the truth; both directions of the neighbouring relation; relative accuracy in δ.
 * Cost:     milliseconds; grows with the square root of the number of steps.
 * Source:   Koskela et al. 2020; Gopi, Lee and Wutschitz 2021, arXiv:2106.02848; Doroshenko et al. 2022.
 */
export function pldEpsilon(steps: readonly PairSteps[], options: PldOptions): number {
  return bothDirections(steps, options, 'pessimistic');
}

/**
 * An interval that is certain to hold ε: pessimistic rounding above, optimistic rounding below.
 *
 * Formula:  the lower end's mesh is refined until the interval is narrower than 9e-4, three times at most.
 * Promises: it holds ε. It is narrower than 1e-3 for subsampled Gaussians with σ ≥ 0.3. Atoms may leave it wider.
 * Cost:     several calls of pldEpsilon; half a minute where rare large losses are summed over thousands of steps.
 */
export function pldEpsilonInterval(steps: readonly PairSteps[], options: PldOptions): EpsilonInterval {
  const { tolerance = TOLERANCE } = options;
  const upper = bothDirections(steps, { ...options, isSharp: true }, 'pessimistic');
  let lower = 0;
  for (const finer of [1, 4, 16]) {
    const before = lower;
    lower = Math.max(
      lower,
      bothDirections(steps, { ...options, tolerance: tolerance / finer, isSharp: true }, 'optimistic'),
    );
    if (upper - lower < 4.5 * tolerance || (finer > 1 && lower - before < tolerance / 10)) break;
  }
  return { lower: Math.min(lower, upper), upper };
}

type Rounding = 'pessimistic' | 'optimistic';

function bothDirections(steps: readonly PairSteps[], options: PldOptions, rounding: Rounding): number {
  const active = steps.filter(({ count }) => count > 0);
  if (active.length === 0) return 0;
  const surveyor = createMesher(active, options, rounding);
  const remove = refine(surveyor, 'remove');
  if (active.every(({ pair }) => pair.isSymmetric)) return remove.epsilon;
  if (rounding === 'pessimistic') {
    // The other direction is usually smaller: a coarse bound that says so is proof enough.
    if (isBelow(surveyor, 'add', remove)) return remove.epsilon;
  }
  return Math.max(remove.epsilon, refine(surveyor, 'add').epsilon);
}

/** What both directions share: the surveys and the cells of the meshes tried. */
type Mesher = {
  readonly steps: readonly PairSteps[];
  readonly delta: number;
  readonly tolerance: number;
  readonly isSharp: boolean;
  readonly rounding: Rounding;
  readonly total: number;
  readonly range: LossRange;
  readonly lossMax: (direction: Direction) => number;
  readonly cellsAt: (meshStep: number) => readonly LossCells[];
  readonly survey: (direction: Direction) => Survey;
};

/** A coarse look at the composition: the tilt, and Chernoff's bounds on where its losses lie. */
type Survey = Window & { readonly highOrder: number };

function createMesher(steps: readonly PairSteps[], options: PldOptions, rounding: Rounding): Mesher {
  const { delta } = options;
  const total = steps.reduce((sum, { count }) => sum + count, 0);
  const tolerance = options.tolerance ?? (total <= 100 ? TOLERANCE / 10 : TOLERANCE);
  const tailMass = (CUT_SHARE * delta) / total;
  const ranges = steps.map(({ pair }) => pair.lossRange(tailMass));
  const range = { low: Math.min(...ranges.map((r) => r.low)), high: Math.max(...ranges.map((r) => r.high)) };
  const cut = rounding === 'pessimistic' ? (pair: DominatingPair, grid: LossGrid) => pair.cells(grid) : centredCells;
  let cached: { readonly meshStep: number; readonly cells: readonly LossCells[] } | undefined;
  const cellsAt = (meshStep: number) => {
    if (cached?.meshStep === meshStep) return cached.cells;
    const cells = steps.map(({ pair }, k) => cut(pair, gridOf(ranges[k]!, meshStep)));
    cached = { meshStep, cells };
    return cells;
  };
  const surveyStep = Math.max((range.high - range.low) / Math.max(256, SURVEY_CELLS / steps.length), 1e-12);
  const surveyCells = steps.map(({ pair }, k) => pair.cells(gridOf(ranges[k]!, surveyStep)));
  const surveys: { [Key in Direction]?: Survey } = {};
  return {
    steps,
    delta,
    tolerance,
    isSharp: options.isSharp === true,
    rounding,
    total,
    range,
    cellsAt,
    lossMax: (direction: Direction) => steps.reduce((sum, { pair, count }) => sum + count * pair.lossMax[direction], 0),
    survey: (direction: Direction) => (surveys[direction] ??= survey(steps, surveyCells, direction, delta)),
  };
}

type LossRange = { readonly low: number; readonly high: number };

function gridOf(range: LossRange, meshStep: number): LossGrid {
  const first = Math.floor(range.low / meshStep);
  // The last edge lies above the range, so that an atom at its very end has a cell.
  return { meshStep, first, count: Math.floor(range.high / meshStep + 1e-6) + 1 - first };
}

function survey(steps: readonly PairSteps[], cells: readonly LossCells[], direction: Direction, delta: number): Survey {
  const rounded = steps.map(({ count }, k) => ({ count, loss: pessimisticMass(cells[k]!, direction) }));
  const order = bestOrder(rounded, delta);
  const top = upperChernoff(rounded, Math.log(CUT_SHARE * delta));
  const widest = windowFor(rounded, order, top.loss, delta);
  let best = widest;
  for (const tilt of [order / 2, order / 4, order / 8]) {
    // A weaker tilt narrows the window of rare large losses, as long as the transform's noise stays far below δ.
    const noise = totalCumulant(rounded, tilt).value - tilt * Math.max(0, widest.low) - Math.log(delta);
    if (noise > NOISE_LOG_MAX) break;
    const window = windowFor(rounded, tilt, top.loss, delta);
    if (window.high - window.low < 0.8 * (best.high - best.low)) best = window;
  }
  return { ...best, highOrder: top.order };
}

/**
 * The window of losses for a tilt. What lies outside wraps to its other end: from below with a weight e^{K − λ·high},
 * from above with one of up to e^{K − λ·low}. Both bounds keep that below a small share of δ.
 */
function windowFor(steps: readonly LossStep[], tilt: number, top: number, delta: number): Window {
  const logShare = Math.log(CUT_SHARE * delta) - totalCumulant(steps, tilt).value;
  const low = Math.min(lowerTiltedChernoff(steps, tilt, Math.min(logShare + tilt * top, Math.log(0.1))), top);
  const logAbove = Math.min(logShare + tilt * Math.max(0, low), Math.log(0.1));
  return { tilt, low, high: Math.max(top, upperTiltedChernoff(steps, tilt, logAbove)) };
}

/** Whether a coarse bound of one direction is below the ε of the other. */
function isBelow(mesher: Mesher, direction: Direction, other: { readonly epsilon: number; readonly meshStep: number }) {
  const survey = mesher.survey(direction);
  const wanted = other.meshStep * 1.5;
  // Where ε lies below the window, the window's end is a bound: how far below need not be known.
  if (survey.low > 0 && survey.low + 2 * wanted < other.epsilon) {
    const { epsilon, isInside, meshStep } = measureIn(mesher, direction, wanted, survey.low);
    if (!isInside && survey.low + meshStep <= other.epsilon) return true;
    if (isInside && epsilon >= 0) return Math.min(epsilon, mesher.lossMax(direction)) <= other.epsilon;
  }
  return measure(mesher, direction, wanted).epsilon <= other.epsilon;
}

/** The tolerance at an ε. */
function toleranceAt({ tolerance, isSharp }: Mesher, epsilon: number): number {
  const known = Math.min(epsilon, 1e9);
  const large = isSharp ? 0 : LARGE_TOLERANCE * (known - EPSILON_OF_USE);
  return Math.max(tolerance, RELATIVE_TOLERANCE * known, large);
}

/** Tries meshes until two of them agree that the error is within the tolerance, or the mesh cannot be finer. */
function refine(mesher: Mesher, direction: Direction): { readonly epsilon: number; readonly meshStep: number } {
  const survey = mesher.survey(direction);
  const { tilt } = survey;
  let coarse = firstLook(mesher, direction, 2 * meshFor(mesher, tilt, mesher.tolerance));
  const tolerance = toleranceAt(mesher, coarse.epsilon);
  const byFormula = meshFor(mesher, coarse.slope > 0 ? coarse.slope : tilt, tolerance);
  // Where rare losses make ε large the formula asks for far more than it takes: four times finer shows the error.
  let wanted =
    coarse.epsilon > EPSILON_OF_USE && !mesher.isSharp ? Math.max(byFormula, coarse.meshStep / 4) : byFormula;
  for (let round = 0; round < 6; round++) {
    if (coarse.meshStep <= 1.01 * Math.max(meshStepMin(survey), cellStepMin(mesher))) return coarse;
    const fine = measure(mesher, direction, Math.min(wanted, coarse.meshStep / 1.5));
    const ratio = coarse.meshStep / fine.meshStep;
    if (ratio < 1.01) return fine;
    const error = Math.abs(coarse.epsilon - fine.epsilon) / (ratio * ratio - 1);
    if (error <= 1.5 * tolerance) return fine;
    if (fine.meshStep <= tolerance / mesher.total) return fine;
    wanted = fine.meshStep * Math.max(0.1, 0.9 * Math.sqrt(tolerance / error));
    coarse = fine;
  }
  return coarse;
}

/** The first of the meshes: a very coarse one where a large ε would let the next be coarse too. */
function firstLook(mesher: Mesher, direction: Direction, wantedStep: number): Measured {
  const { low, high } = mesher.survey(direction);
  if (!mesher.isSharp && (high - low) / wantedStep > POINTS_WITHOUT_LOOK) {
    const rough = measure(mesher, direction, (high - low) / ROUGH_POINTS);
    if (rough.epsilon > EPSILON_OF_USE) return rough;
  }
  return measure(mesher, direction, wantedStep);
}

/**
 * The step whose rounding costs the tolerance; no finer than where whole steps of every release would not exceed it, and
 * no coarser than where the losses of one release have cells to lie in.
 */
function meshFor({ total, range }: Mesher, slope: number, tolerance: number): number {
  const wanted = Math.max(Math.sqrt((8 * tolerance) / ((slope + 1) * total)), tolerance / total);
  return Math.min(wanted, (range.high - range.low) / LOSS_CELLS_MIN);
}

type Measured = EpsilonPoint & { readonly meshStep: number };

function measure(mesher: Mesher, direction: Direction, wantedStep: number): Measured {
  const survey = mesher.survey(direction);
  let { low } = survey;
  for (;;) {
    const point = measureIn(mesher, direction, wantedStep, low);
    if (point.isInside && point.epsilon >= 0) {
      return { ...point, epsilon: Math.min(point.epsilon, mesher.lossMax(direction)) };
    }
    if (low <= 0) return { ...point, epsilon: 0, isInside: true };
    low = Math.min(0, low - (survey.high - low));
  }
}

/** ε as a window from `low` up shows it. */
function measureIn(mesher: Mesher, direction: Direction, wantedStep: number, low: number): Measured {
  const survey = mesher.survey(direction);
  const meshStep = Math.max(wantedStep, meshStepMin({ ...survey, low }), cellStepMin(mesher));
  const steps = roundedSteps(mesher, direction, meshStep, survey.tilt);
  // A mass that is no number would be taken for none: no bound is said where it cannot be computed.
  if (steps.some(({ loss }) => loss.mass.some(Number.isNaN))) {
    return {
      epsilon: mesher.rounding === 'pessimistic' ? Infinity : 0,
      slope: 0,
      noiseShare: 0,
      isInside: true,
      meshStep,
    };
  }
  const high = windowTop(steps, survey, low);
  return { ...solve(mesher, steps, { tilt: survey.tilt, low, high }, survey), meshStep };
}

function cellStepMin({ range, rounding }: Mesher): number {
  return (range.high - range.low) / CELLS_MAX[rounding];
}

/** The window's top: that of the losses themselves where it is near, as nothing is cut then. */
function windowTop(steps: readonly LossStep[], survey: Survey, low: number): number {
  const top = lossTop(steps);
  return top < survey.high + (survey.high - low) / 4 ? top : survey.high;
}

function lossTop(steps: readonly LossStep[]): number {
  return steps.reduce((sum, { loss, count }) => {
    return sum + count * ((loss.first + loss.mass.length - 1) * loss.meshStep + loss.shift);
  }, 0);
}

function roundedSteps(mesher: Mesher, direction: Direction, meshStep: number, tilt: number): readonly LossStep[] {
  const cells = mesher.cellsAt(meshStep);
  const isUpper = mesher.rounding === 'pessimistic';
  return mesher.steps.map(({ count }, k) => ({
    count,
    loss: isUpper ? pessimisticMass(cells[k]!, direction) : optimisticMass(cells[k]!, direction, tilt),
  }));
}

/** Solves δ(ε) = δ with what was cut, and what the transform may have lost, put on the safe side. */
function solve(mesher: Mesher, steps: readonly LossStep[], window: Window, survey: Survey): EpsilonPoint {
  const { delta } = mesher;
  const total = composeLosses(steps, window);
  if (mesher.rounding === 'optimistic') {
    return epsilonAtDelta(total, delta * (1 + 10 * CUT_SHARE), 0, 'optimistic');
  }
  const above = massAbove(steps, window, survey, delta);
  const point = epsilonAtDelta(total, delta * (1 - CUT_SHARE), above);
  const [step] = steps;
  if (steps.length !== 1 || step!.count === 1 || !point.isInside) return point;
  // The noise adds about noiseShare ÷ slope to ε.
  if (point.noiseShare <= (point.slope * mesher.tolerance) / 4) return point;
  const free = epsilonAtDelta({ ...total, noise: 0 }, delta * (1 - CUT_SHARE), above);
  if (point.epsilon - free.epsilon <= mesher.tolerance / 2) return point;
  return withRareTail(mesher, step!, survey, { noisy: point, free });
}

/** Weaker tilts than the survey's, under which rare losses do not hide all others. */
const RARE_TILTS = [1, 1 / 8, 1 / 64, 1 / 512];
const RARE_POINTS_MAX = 2 ** 18;

/**
 * ε where the transform's rounding hides a rare tail: the tail alone is transformed. The bulk's own bound, Chernoff's, must
 * hold at the ε that is said, so what is set apart as bulk shrinks with it.
 */
function withRareTail(
  { delta }: Mesher,
  step: LossStep,
  survey: Survey,
  { noisy, free }: { readonly noisy: EpsilonPoint; readonly free: EpsilonPoint },
): EpsilonPoint {
  let best = noisy;
  let floor = free.epsilon;
  for (const share of RARE_TILTS) {
    const split = floor > 0 ? rarestSplit(step, floor, Math.log(CUT_SHARE * delta)) : undefined;
    const window = windowFor([step], survey.tilt * share, survey.high, delta);
    if (split === undefined || (window.high - window.low) / step.loss.meshStep > RARE_POINTS_MAX) break;
    const extra = massAbove([step], window, survey, delta) + CUT_SHARE * delta;
    const point = epsilonAtDelta(composeRare(step, split, window), delta * (1 - CUT_SHARE), extra);
    const epsilon = Math.max(floor, point.epsilon);
    if (point.isInside && epsilon < best.epsilon) best = { ...point, epsilon };
    // Rounding had raised what the floor was taken from: the next one is lower.
    if (point.isInside && point.epsilon < floor) floor = point.epsilon;
  }
  return best;
}

/** Chernoff's bound on the mass above the window, on this mesh. */
function massAbove(steps: readonly LossStep[], window: Window, survey: Survey, delta: number): number {
  if (window.high >= lossTop(steps)) return 0;
  let least = 1;
  for (const order of [survey.highOrder, survey.highOrder / 2, survey.highOrder / 4]) {
    least = Math.min(least, Math.exp(totalCumulant(steps, order).value - order * window.high));
    if (least < 1e-6 * delta) break;
  }
  return least;
}
