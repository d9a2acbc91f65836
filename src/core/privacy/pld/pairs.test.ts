// Dominating pairs against the definition of their two distributions: each cell holds what the densities say it does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalUpper } from '../numerics/erfc.ts';
import { approximatePair, discreteGaussianPair, discreteLaplacePair, randomizedResponsePair } from './atomic-pairs.ts';
import type { DominatingPair, LossGrid } from './dominating-pair.ts';
import { gaussianMixturePair, replacedGaussianPair, subsampledGaussianPair } from './gaussian-pair.ts';
import { subsampledLaplacePair } from './laplace-pair.ts';

const close = (actual: number, wanted: number, name: string, error = 1e-12) =>
  assert.ok(Math.abs(actual - wanted) <= error, `${name}: ${actual} instead of ${wanted}`);

/** A distribution by its density and the mass right of a place. */
type Law = { readonly density: (x: number) => number; readonly right: (x: number) => number };

const gaussians = (sigma: number, parts: readonly (readonly [weight: number, mean: number])[]): Law => ({
  density: (x) => parts.reduce((sum, [w, m]) => sum + w * Math.exp(-((x - m) ** 2) / (2 * sigma * sigma)), 0),
  right: (x) => parts.reduce((sum, [w, m]) => sum + w * normalUpper((x - m) / sigma), 0),
});
const laplaces = (b: number, parts: readonly (readonly [weight: number, mean: number])[]): Law => ({
  density: (x) => parts.reduce((sum, [w, m]) => sum + w * Math.exp(-Math.abs(x - m) / b), 0),
  right: (x) =>
    parts.reduce((sum, [w, m]) => sum + w * (x > m ? Math.exp((m - x) / b) / 2 : 1 - Math.exp((x - m) / b) / 2), 0),
});

/** The first place from `from` to `to` where a growing loss reaches a value, by halving. */
function placeOf(loss: (x: number) => number, wanted: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (loss(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

const edgesOf = ({ meshStep, first, count, nudge }: LossGrid) =>
  Array.from({ length: count + 1 }, (_, i) => (first + i) * meshStep + (nudge?.[i] ?? 0));

function checkCells(
  name: string,
  pair: DominatingPair,
  grid: LossGrid,
  [upper, lower]: readonly [Law, Law],
  span: number,
) {
  const loss = (x: number) => Math.log(upper.density(x) / lower.density(x));
  const cells = pair.cells(grid);
  const places = edgesOf(grid).map((edge) => placeOf(loss, edge, -span, span));
  for (const [law, masses, below, above] of [
    [upper, cells.upper, cells.upperBelow, cells.upperAbove],
    [lower, cells.lower, cells.lowerBelow, cells.lowerAbove],
  ] as const) {
    const isEnd = (x: number) => Math.abs(x) >= span - 1e-9;
    const rightOf = (x: number) => (isEnd(x) ? (x < 0 ? 1 : 0) : law.right(x));
    close(below, 1 - rightOf(places[0]!), `${name}: below`);
    close(above, rightOf(places.at(-1)!), `${name}: above`);
    masses.forEach((mass, i) => close(mass, rightOf(places[i]!) - rightOf(places[i + 1]!), `${name}: cell ${i}`));
    close(
      masses.reduce((sum, mass) => sum + mass, below + above),
      1,
      `${name}: all of it`,
    );
  }
}

const grids: readonly LossGrid[] = [
  { meshStep: 0.25, first: -9, count: 24 },
  { meshStep: 0.4, first: -2.5, count: 7 },
  { meshStep: 0.5, first: -2, count: 4, nudge: Float64Array.of(0.1, -0.2, 0, 0.15, -0.1) },
];

test('Gaussian pairs: each cell holds the mass that both mixtures have between its losses', () => {
  for (const grid of grids) {
    for (const [sigma, q] of [
      [1, 0.3],
      [0.6, 0.05],
      [3, 0.9],
      [0.8, 1],
    ] as const) {
      const none = gaussians(sigma, [[1, 0]]);
      const sampled = gaussians(sigma, [
        [1 - q, 0],
        [q, 1],
      ]);
      checkCells(`sampled ${sigma} ${q}`, subsampledGaussianPair(sigma, q), grid, [sampled, none], 12 * sigma);
      const other = gaussians(sigma, [
        [1 - q, 0],
        [q, -1],
      ]);
      checkCells(`replaced ${sigma} ${q}`, replacedGaussianPair(sigma, q), grid, [sampled, other], 12 * sigma);
    }
    for (const [sigma, shifts, weights] of [
      [1, [0, 1, 2], [0.5, 0.3, 0.2]],
      [1.5, [2, 0, 1], [0.25, 0.25, 0.5]],
      [0.9, [1.5, 0.5], [0.6, 0.4]],
    ] as const) {
      const upper = gaussians(
        sigma,
        shifts.map((shift, k) => [weights[k]!, shift] as const),
      );
      const pair = gaussianMixturePair(sigma, shifts, weights);
      checkCells(`mixture ${sigma} ${shifts.join()}`, pair, grid, [upper, gaussians(sigma, [[1, 0]])], 14 * sigma);
    }
  }
});

test('a Gaussian pair says which losses its directions have, and where they lie', () => {
  const sampled = subsampledGaussianPair(2, 0.25);
  assert.deepEqual(sampled.lossMax, { remove: Infinity, add: -Math.log1p(-0.25) });
  assert.deepEqual([sampled.isSymmetric, subsampledGaussianPair(2, 1).isSymmetric], [false, true]);
  assert.deepEqual(replacedGaussianPair(2, 0.25).lossMax, { remove: Infinity, add: Infinity });
  assert.equal(replacedGaussianPair(2, 0.25).isSymmetric, true);
  const mixture = gaussianMixturePair(1, [0, 1, 0], [0.25, 0.25, 0.5]);
  assert.equal(mixture.isSymmetric, false);
  assert.deepEqual(mixture.lossMax, { remove: Infinity, add: -Math.log(0.75) });
  assert.equal(gaussianMixturePair(1, [2, 1], [0.5, 0.5]).lossMax.add, Infinity);
  // At q = 1, σ = 2 the loss is (2x − 1) ÷ 8; one mean is 0, the other 1; 1.6449 deviations leave 5 % outside.
  const { low, high } = subsampledGaussianPair(2, 1).lossRange(0.05);
  close(low, (2 * -2 * 1.6448536269514722 - 1) / 8, 'low', 1e-9);
  close(high, (2 * (1 + 2 * 1.6448536269514722) - 1) / 8, 'high', 1e-9);
  // Less than a quarter is never asked for, and less than 1e-300 neither.
  assert.deepEqual(subsampledGaussianPair(2, 1).lossRange(0.6), subsampledGaussianPair(2, 1).lossRange(0.25));
  assert.deepEqual(subsampledGaussianPair(2, 1).lossRange(0), subsampledGaussianPair(2, 1).lossRange(1e-300));
});

test('a Gaussian pair keeps its digits where losses are huge or hardly there', () => {
  // e^800 is no double: ln((e^ε − 1 + q) ÷ q) ≈ ε − ln q. The cell's lower edge is where x = σ²(ε − ln q) + ½.
  const sigma = 3;
  const cells = subsampledGaussianPair(sigma, 0.5).cells({ meshStep: 1, first: 1, count: 2 });
  const x = (loss: number) => sigma * sigma * Math.log((Math.exp(loss) - 0.5) / 0.5) + 0.5;
  const wanted = (from: number) => normalUpper(x(from) / sigma) / 2 + normalUpper((x(from) - 1) / sigma) / 2;
  assert.ok(Math.abs(cells.upper[0]! / wanted(1) - 1) < 1e-9, `${cells.upper[0]} instead of ${wanted(1)}`);
  const far = subsampledGaussianPair(0.03, 0.5).cells({ meshStep: 1, first: 800, count: 1 });
  const edge = (loss: number) => 0.03 ** 2 * (loss + Math.LN2) + 0.5;
  const share = (loss: number) => normalUpper((edge(loss) - 1) / 0.03) / 2;
  assert.ok(Math.abs(far.upper[0]! / (share(800) - share(801)) - 1) < 1e-9);
});

test('the Laplace pair: atoms at both ends of its losses and the density between them', () => {
  // Atoms stay where the mesh without nudges puts them.
  for (const grid of grids.filter(({ nudge }) => nudge === undefined)) {
    for (const [b, q] of [
      [1, 0.4],
      [2, 0.1],
      [0.7, 0.8],
    ] as const) {
      const none = laplaces(b, [[1, 0]]);
      const sampled = laplaces(b, [
        [1 - q, 0],
        [q, 1],
      ]);
      const { low, high } = subsampledLaplacePair(b, q).lossRange(0);
      close(low, Math.log(1 - q + q * Math.exp(-1 / b)), 'least loss');
      close(high, Math.log(1 - q + q * Math.exp(1 / b)), 'greatest loss');
      const loss = (x: number) => Math.log(sampled.density(x) / none.density(x));
      const cells = subsampledLaplacePair(b, q).cells(grid);
      const edges = edgesOf(grid);
      for (const [law, masses] of [
        [sampled, cells.upper],
        [none, cells.lower],
      ] as const) {
        const rightOf = (edge: number) => (edge <= low ? 1 : edge > high ? 0 : law.right(placeOf(loss, edge, 0, 1)));
        masses.forEach((mass, i) =>
          close(mass, rightOf(edges[i]!) - rightOf(edges[i + 1]!), `b ${b} q ${q} cell ${i}`, 1e-9),
        );
      }
    }
  }
  const plain = subsampledLaplacePair(2, 1);
  assert.deepEqual([plain.isSymmetric, plain.lossMax], [true, { remove: 0.5, add: 0.5 }]);
  const sampled = subsampledLaplacePair(2, 0.5);
  assert.deepEqual([sampled.isSymmetric, sampled.lossMax.add], [false, -sampled.lossRange(0).low]);
});

/** The hockey-stick divergence Σ (upper − e^ε lower)₊ that cells of a fine mesh show. */
function divergence(pair: DominatingPair, epsilon: number): number {
  const { low, high } = pair.lossRange(1e-12);
  const meshStep = 1e-4;
  const first = Math.floor(low / meshStep) - 1;
  const cells = pair.cells({ meshStep, first, count: Math.ceil(high / meshStep) + 2 - first });
  const growth = Math.exp(epsilon);
  return cells.upper.reduce((sum, u, i) => sum + Math.max(0, u - growth * cells.lower[i]!), cells.upperAbove);
}

test('pairs of atoms have the divergences of their mechanisms', () => {
  // Randomised response: the true answer with 1 − p + p/k, each other one with p/k.
  const response = randomizedResponsePair(0.6, 4);
  close(divergence(response, 0), 0.4, 'ε = 0');
  close(divergence(response, 1), 0.55 - Math.E * 0.15, 'ε = 1');
  close(response.lossMax.remove, Math.log(0.55 / 0.15), 'largest loss');
  assert.deepEqual([response.lossMax.add, response.isSymmetric], [response.lossMax.remove, true]);
  const cells = response.cells({ meshStep: 1, first: -2, count: 4 });
  [0.15, 0, 0.3, 0.55].forEach((mass, i) => close(cells.upper[i]!, mass, `upper ${i}`));
  [0.55, 0, 0.3, 0.15].forEach((mass, i) => close(cells.lower[i]!, mass, `lower ${i}`));

  // The worst (ε, δ) mechanism reaches δ at ε, and δ + (1 − δ)(e^ε − 1)/(e^ε + 1) at 0.
  const worst = approximatePair(0.7, 0.1);
  close(divergence(worst, 0.7), 0.1, 'δ at ε');
  close(divergence(worst, 0), 0.1 + 0.9 * Math.tanh(0.35), 'at 0');
  assert.deepEqual([worst.lossMax, worst.isSymmetric], [{ remove: Infinity, add: Infinity }, true]);
  assert.deepEqual(approximatePair(0.7, 0).lossMax.remove.toFixed(12), '0.700000000000');

  // Discrete Laplace, sums written out.
  const mass = (a: number, x: number) => Math.tanh(a / 2) * Math.exp(-a * Math.abs(x));
  for (const [a, s] of [
    [0.5, 1],
    [0.3, 3],
    [1.2, 2],
  ] as const) {
    for (const epsilon of [0, 0.2, 0.5]) {
      let wanted = 0;
      for (let x = -300; x <= 300; x++) wanted += Math.max(0, mass(a, x) - Math.exp(epsilon) * mass(a, x - s));
      close(divergence(discreteLaplacePair(a, s), epsilon), wanted, `discrete Laplace ${a} ${s} ${epsilon}`, 1e-10);
    }
    close(discreteLaplacePair(a, s).lossMax.remove, a * s, 'largest loss', 1e-9);
  }
  // Discrete Gaussian, sums written out.
  for (const [sigma, s] of [
    [1, 1],
    [2.5, 3],
  ] as const) {
    const weight = (x: number) => Math.exp((-x * x) / (2 * sigma * sigma));
    let total = 0;
    for (let x = -200; x <= 200; x++) total += weight(x);
    for (const epsilon of [0, 0.5, 1]) {
      let wanted = 0;
      for (let x = -200; x <= 200; x++) wanted += Math.max(0, weight(x) - Math.exp(epsilon) * weight(x - s)) / total;
      close(
        divergence(discreteGaussianPair(sigma, s), epsilon),
        wanted,
        `discrete Gaussian ${sigma} ${epsilon}`,
        1e-10,
      );
    }
    // All of it is there on both sides.
    const all = discreteGaussianPair(sigma, s).cells({ meshStep: 1000, first: -1, count: 2 });
    close(all.upper[0]! + all.upper[1]!, 1, 'upper');
    close(all.lower[0]! + all.lower[1]!, 1, 'lower');
  }
});

test('an atom on an edge belongs to the cell above it, one outside the grid is kept apart', () => {
  const pair = randomizedResponsePair(2 / (1 + Math.exp(2)), 2);
  close(pair.lossMax.remove, 2, 'losses of ±2');
  const held = pair.cells({ meshStep: 0.5, first: -4, count: 9 });
  assert.ok(held.upper[0]! > 0.1 && held.upper[8]! > 0.8 && held.upperAbove === 0 && held.lowerBelow === 0);
  const cut = pair.cells({ meshStep: 0.5, first: -3, count: 7 });
  close(cut.upperAbove, Math.exp(2) / (1 + Math.exp(2)), 'above');
  close(cut.lowerAbove, 1 / (1 + Math.exp(2)), 'above, lower');
  close(cut.upperBelow, cut.lowerAbove, 'below');
  close(cut.lowerBelow, cut.upperAbove, 'below, lower');
});
