// Privacy losses on a mesh, their tails and their sums, against sums that are written out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalUpper } from '../numerics/erfc.ts';
import { randomizedResponsePair } from './atomic-pairs.ts';
import { bestOrder, lowerTiltedChernoff, totalCumulant, upperChernoff, upperTiltedChernoff } from './chernoff.ts';
import { composeLosses, epsilonAtDelta, meshStepMin } from './composition.ts';
import type { Direction, DominatingPair } from './dominating-pair.ts';
import { subsampledGaussianPair } from './gaussian-pair.ts';
import { subsampledLaplacePair } from './laplace-pair.ts';
import { centredCells, cumulant, type LossMass, optimisticMass, pessimisticMass } from './loss-mass.ts';
import { pldEpsilon, pldEpsilonInterval } from './pld-epsilon.ts';

const near = (actual: number, wanted: number, relative: number, name: string) =>
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${name}: ${actual} instead of ${wanted}`);

/** Losses as pairs of loss and mass. */
const pointsOf = (loss: LossMass) =>
  [...loss.mass].map((mass, i) => [(loss.first + i) * loss.meshStep + loss.shift, mass] as const);
/** δ(ε) = m_∞ + Σ p(ℓ)(1 − e^{ε−ℓ})₊ */
const deltaOf = (points: readonly (readonly [number, number])[], infinityMass: number, epsilon: number) =>
  points.reduce((sum, [at, mass]) => (at > epsilon ? sum + mass * -Math.expm1(epsilon - at) : sum), infinityMass);

/** δ(ε) of the sampled Gaussian, σ = 1: the loss is above ε where x > ln((e^ε − 1 + q)/q) + ½, for "remove". */
function sampledGaussianDelta(q: number, epsilon: number, direction: Direction): number {
  const place = (loss: number) => (Math.expm1(loss) + q > 0 ? Math.log((Math.expm1(loss) + q) / q) + 0.5 : -Infinity);
  const upper = (x: number) => (1 - q) * normalUpper(x) + q * normalUpper(x - 1);
  if (direction === 'remove') return upper(place(epsilon)) - Math.exp(epsilon) * normalUpper(place(epsilon));
  const x = place(-epsilon);
  return normalUpper(-x) - Math.exp(epsilon) * (1 - upper(x));
}

const cases: readonly (readonly [string, DominatingPair, (epsilon: number, direction: Direction) => number])[] = [
  ['sampled Gaussian', subsampledGaussianPair(1, 0.3), (e, direction) => sampledGaussianDelta(0.3, e, direction)],
  ['Laplace', subsampledLaplacePair(1, 1), (e) => Math.max(0, e < -1 ? 1 - Math.exp(e) : 1 - Math.exp((e - 1) / 2))],
  ['response', randomizedResponsePair(0.5, 2), (e) => Math.max(0, 0.75 - Math.exp(e) * 0.25)],
];

test('rounding up never lowers a divergence, rounding down never raises one, and both lie within a mesh step', () => {
  const meshStep = 0.05;
  for (const [name, pair, delta] of cases) {
    for (const direction of ['remove', 'add'] as const) {
      const { low, high } = pair.lossRange(1e-13);
      const first = Math.floor(low / meshStep);
      const grid = { meshStep, first, count: Math.floor(high / meshStep + 1e-6) + 1 - first };
      const above = pessimisticMass(pair.cells(grid), direction);
      const below = optimisticMass(centredCells(pair, grid), direction, 1);
      assert.equal(below.infinityMass, 0);
      near(
        pointsOf(above).reduce((sum, [, mass]) => sum + mass, above.infinityMass),
        1,
        1e-9,
        `${name}: all mass`,
      );
      for (const epsilon of [0.1, 0.33, 0.5, 0.81, 1.2]) {
        const truth = delta(epsilon, direction);
        const most = deltaOf(pointsOf(above), above.infinityMass, epsilon);
        const least = deltaOf(pointsOf(below), 0, epsilon);
        const label = `${name} ${direction} at ${epsilon}: ${least} ≤ ${truth} ≤ ${most}`;
        assert.ok(most >= truth - 1e-11 && least <= truth + 1e-11, label);
        assert.ok(most - truth < 1.5e-3 && truth - least < 6e-3, label);
      }
    }
  }
});

test('rounding up keeps both masses of a cell, and moves what lies outside to the ends', () => {
  const pair = subsampledGaussianPair(1, 0.3);
  const grid = { meshStep: 0.1, first: -2, count: 12 };
  const cells = pair.cells(grid);
  for (const [direction, heavy, light, heavyBelow, heavyAbove] of [
    ['remove', cells.upper, cells.lower, cells.upperBelow, cells.upperAbove],
    ['add', cells.lower, cells.upper, cells.lowerAbove, cells.lowerBelow],
  ] as const) {
    const loss = pessimisticMass(cells, direction);
    assert.equal(loss.first, direction === 'remove' ? -2 : -10);
    assert.deepEqual([loss.mass.length, loss.shift, loss.meshStep], [13, 0, 0.1]);
    assert.equal(loss.infinityMass, heavyAbove);
    const points = pointsOf(loss);
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
    near(sum(loss.mass), sum(heavy) + heavyBelow, 1e-12, 'heavy masses');
    // Under the other distribution a loss ℓ has e^−ℓ of its mass.
    const lowest = Math.exp(-points[0]![0]) * heavyBelow;
    near(sum(points.map(([at, mass]) => mass * Math.exp(-at))), sum(light) + lowest, 1e-12, 'light masses');
  }
  // One atom in the middle of a cell of width 1: u + v = a, u + v/e = b.
  const atom = pessimisticMass(
    randomizedResponsePair(2 / (1 + Math.exp(0.5)), 2).cells({ meshStep: 1, first: 0, count: 1 }),
    'remove',
  );
  const [a, b] = [1 / (1 + Math.exp(-0.5)), 1 / (1 + Math.exp(0.5))];
  near(atom.mass[1]!, (a - b) / (1 - Math.exp(-1)), 1e-12, 'v');
  near(atom.mass[0]!, a - atom.mass[1]! + b, 1e-12, 'u and what lies below');
});

/** A Gaussian loss N(μ²/2, μ²) on a mesh: K(s) = s μ²/2 + s² μ²/2, K′(s) = μ²/2 + s μ². */
function gaussianLoss(mu: number, meshStep = 0.01): LossMass {
  const first = Math.round((mu * mu) / 2 / meshStep - (30 * mu) / meshStep);
  const mass = Float64Array.from({ length: Math.round((60 * mu) / meshStep) + 1 }, (_, i) => {
    const z = ((first + i) * meshStep - (mu * mu) / 2) / mu;
    return (Math.exp((-z * z) / 2) / (mu * Math.sqrt(2 * Math.PI))) * meshStep;
  });
  return { meshStep, first, shift: 0, mass, infinityMass: 0 };
}

test('cumulant() and its slope are those of a Gaussian, and of two points far apart at any order', () => {
  for (const mu of [0.5, 1.3]) {
    for (const s of [-3, -1, 0, 0.5, 1, 2, 5]) {
      const { value, slope } = cumulant(gaussianLoss(mu), s);
      assert.ok(Math.abs(value - (s * mu * mu + s * s * mu * mu) / 2) < 1e-9, `K(${s}) = ${value}`);
      assert.ok(Math.abs(slope - (mu * mu) / 2 - s * mu * mu) < 1e-9, `K′(${s}) = ${slope}`);
    }
  }
  // ¼ at −1.9 and ½ at 2.1, and mass that is nil at the ends: at orders of ±400 the ends hide both.
  const mass = new Float64Array(41);
  mass[10] = 0.25;
  mass[30] = 0.5;
  const loss = { meshStep: 0.2, first: -20, shift: 0.1, mass, infinityMass: 0.25 };
  for (const s of [-2000, -400, -1, 0, 1, 400, 2000]) {
    const [x, y] = [Math.log(0.25) - 1.9 * s, Math.log(0.5) + 2.1 * s];
    const top = Math.max(x, y);
    const total = Math.exp(x - top) + Math.exp(y - top);
    const { value, slope } = cumulant(loss, s);
    near(value, top + Math.log(total), 1e-12, `K(${s})`);
    near(slope, (-1.9 * Math.exp(x - top) + 2.1 * Math.exp(y - top)) / total, 1e-9, `K′(${s})`);
  }
  const both = totalCumulant(
    [
      { loss, count: 3 },
      { loss: gaussianLoss(1), count: 2 },
    ],
    1.5,
  );
  near(both.value, 3 * cumulant(loss, 1.5).value + 2 * cumulant(gaussianLoss(1), 1.5).value, 1e-14, 'sum of values');
  near(both.slope, 3 * cumulant(loss, 1.5).slope + 2 * cumulant(gaussianLoss(1), 1.5).slope, 1e-14, 'sum of slopes');
});

test('Chernoff bounds of a Gaussian: mean ± √(2 ln 1/tail) deviations, whatever the tilt, and never too near', () => {
  for (const [mu, count] of [
    [1, 1],
    [0.3, 4],
    [0.2, 100],
  ] as const) {
    const steps = [{ loss: gaussianLoss(mu, mu / 50), count }];
    const [mean, deviation] = [(count * mu * mu) / 2, mu * Math.sqrt(count)];
    for (const logTail of [Math.log(0.1), -20, -45]) {
      const reach = Math.sqrt(-2 * logTail);
      const name = `μ ${mu} × ${count} at e^${logTail}`;
      const top = upperChernoff(steps, logTail);
      const wanted = mean + deviation * reach;
      assert.ok(
        top.loss >= wanted * (1 - 1e-9) && top.loss < mean + deviation * reach * 1.004,
        `${name}: ${top.loss} for ${wanted}`,
      );
      assert.ok(
        top.order >= (reach / deviation) * (1 - 1e-9) && top.order <= (reach / deviation) * 1.081,
        `${name}: order ${top.order}`,
      );
      for (const tilt of [0.5, 3, 8]) {
        // Tilting a Gaussian moves its mean by λ times its variance.
        const middle = mean + tilt * deviation ** 2;
        const high = upperTiltedChernoff(steps, tilt, logTail);
        const low = lowerTiltedChernoff(steps, tilt, logTail);
        const error = deviation * reach * 0.004;
        assert.ok(
          high >= middle + deviation * reach - 1e-6 && high < middle + deviation * reach + error,
          `${name} high ${tilt}: ${high}`,
        );
        assert.ok(
          low <= middle - deviation * reach + 1e-6 && low > middle - deviation * reach - error,
          `${name} low ${tilt}: ${low}`,
        );
      }
    }
    for (const delta of [1e-2, 1e-6, 1e-12]) {
      // s² v/2 + ln δ + ln(1 + s) = 0 has its root within 8 % below the order that is found.
      const excess = (s: number) => (s * deviation) ** 2 / 2 + Math.log(delta) + Math.log1p(s);
      const order = bestOrder(steps, delta);
      assert.ok(excess(order) >= -1e-6 && excess(order / 1.081) < 0, `μ ${mu} × ${count} δ ${delta}: order ${order}`);
    }
  }
});

test('an order ends where doubles cannot tell losses apart: at 20,000 over the width of the losses, 50 at least', () => {
  // Two points whose top is ½: the bound of a tail below ½ⁿ is the top itself, at an order without end.
  const points = (meshStep: number) => ({
    meshStep,
    first: 0,
    shift: 0,
    mass: Float64Array.of(0.5, 0.5),
    infinityMass: 0,
  });
  const narrow = upperChernoff([{ loss: points(0.5), count: 1 }], Math.log(0.1));
  assert.equal(narrow.order, 20_000);
  near(narrow.loss, 0.5 + (Math.log(0.5) - Math.log(0.1)) / 20_000, 1e-12, 'the top, nearly');
  assert.equal(upperChernoff([{ loss: points(1000), count: 1 }], Math.log(0.1)).order, 50);
});

test('composeLosses() is convolution, whatever the tilt, and the window only says where it is read', () => {
  const loss = {
    meshStep: 0.5,
    first: -2,
    shift: 0.1,
    mass: Float64Array.of(0.1, 0.2, 0.3, 0, 0.2),
    infinityMass: 0.2,
  };
  const other = { meshStep: 0.5, first: 3, shift: -0.2, mass: Float64Array.of(0.5, 0.4), infinityMass: 0.1 };
  const wanted = new Map<number, number>();
  for (const [i, a] of loss.mass.entries())
    for (const [j, b] of loss.mass.entries())
      for (const [k, c] of other.mass.entries())
        wanted.set(i + j + k - 1, (wanted.get(i + j + k - 1) ?? 0) + a * b * c);
  for (const tilt of [0, 0.7, 3]) {
    for (const low of [-1.5, -0.4, -20]) {
      const total = composeLosses(
        [
          { loss, count: 2 },
          { loss: other, count: 1 },
        ],
        { tilt, low, high: low + 20 },
      );
      assert.ok(Math.abs(total.shift) < 1e-15 && total.mass.length === 64 && total.tilt === tilt);
      assert.equal(total.first, Math.ceil((low - total.shift) / 0.5));
      near(total.infinityMass, 1 - 0.8 * 0.8 * 0.9, 1e-12, 'infinite');
      total.mass.forEach((mass, i) => {
        const at = total.first + i;
        const truth = (wanted.get(at) ?? 0) * Math.exp(tilt * at * 0.5 - total.logScale);
        // A window of 64 points that begins above −1.5 holds what lies below it at its other end.
        if (at < 40) assert.ok(Math.abs(mass - truth) < 1e-12, `tilt ${tilt} low ${low} at ${at}: ${mass}, ${truth}`);
      });
    }
  }
  assert.equal(meshStepMin({ tilt: 0, low: -1, high: 2 }), 3 / (2 ** 23 - 2));
});

test('epsilonAtDelta() solves δ(ε) = δ exactly, with its slope', () => {
  const loss = {
    meshStep: 0.25,
    first: -4,
    shift: 0.05,
    mass: Float64Array.from([1, 2, 3, 4, 5, 4, 3, 2, 1, 1, 1], (v) => v / 30),
    infinityMass: 0.1,
  };
  for (const tilt of [0, 1, 6]) {
    const composed = composeLosses([{ loss, count: 2 }], { tilt, low: -2, high: 6 });
    // Without rounding to allow for: what that does is the next test's.
    const total = { ...composed, noise: 0 };
    const points = [...total.mass].map((mass, i) => {
      const at = (total.first + i) * 0.25 + total.shift;
      return [at, mass * Math.exp(total.logScale - tilt * at)] as const;
    });
    for (const extra of [0, 0.005]) {
      for (const delta of [0.5, 0.3, 0.25, 0.21, 0.2]) {
        const { epsilon, slope, isInside } = epsilonAtDelta(total, delta, extra);
        assert.ok(isInside);
        near(deltaOf(points, 0.19 + extra, epsilon), delta, 1e-10, `tilt ${tilt} δ ${delta}`);
        const h = 1e-6;
        const part = (e: number) => deltaOf(points, 0, e);
        near(slope, (Math.log(part(epsilon - h)) - Math.log(part(epsilon + h))) / (2 * h), 1e-4, `slope at ${delta}`);
      }
    }
    assert.deepEqual(epsilonAtDelta(total, 0.19, 0), { epsilon: Infinity, slope: 0, noiseShare: 0, isInside: true });
    assert.deepEqual(epsilonAtDelta(total, 0.2, 0.02), { epsilon: Infinity, slope: 0, noiseShare: 0, isInside: true });
    // More than all of the mass above the window's bottom: the answer lies below it.
    const below = epsilonAtDelta(total, 0.9999, 0);
    assert.deepEqual(below, { epsilon: total.first * 0.25 + total.shift, slope: tilt, noiseShare: 0, isInside: false });
  }
});

test('epsilonAtDelta() allows for the rounding of the transform, each value at its worst', () => {
  const loss = { meshStep: 0.25, first: -4, shift: 0, mass: new Float64Array(12).fill(1 / 12), infinityMass: 0 };
  for (const tilt of [0, 1]) {
    const total = composeLosses([{ loss, count: 3 }], { tilt, low: -3, high: 9 });
    assert.ok(total.noise > 0 && total.noise < 1e-13, `${total.noise}`);
    const noisy = { ...total, noise: 1e-4 };
    const moved = (sign: number) => ({ ...total, noise: 0, mass: total.mass.map((m) => Math.max(0, m + sign * 1e-4)) });
    const above = epsilonAtDelta(noisy, 0.01, 0).epsilon;
    const below = epsilonAtDelta(noisy, 0.01, 0, 'optimistic').epsilon;
    assert.ok(above >= epsilonAtDelta(moved(1), 0.01, 0).epsilon - 1e-9, 'every value may be that much larger');
    assert.ok(below <= epsilonAtDelta(moved(-1), 0.01, 0).epsilon + 1e-9, 'or smaller');
    assert.ok(above - below < 1, `${below} to ${above}`);
    const buried = epsilonAtDelta({ ...total, noise: 1 }, 0.01, 0);
    assert.ok(buried.epsilon > above && buried.isInside, 'where noise hides everything the bound is large, not small');
  }
  const single = composeLosses([{ loss, count: 1 }], { tilt: 1, low: -3, high: 9 });
  assert.equal(single.noise, 0, 'one step needs no transform');
});

test('pldEpsilon() is not below the truth where a tail lies e^−70 under the bulk: σ = 0.3, q = 1e-12', () => {
  // By 60 digits: δ(ε) = q Q((x − 1)/σ) + (1 − q) Q(x/σ) − e^ε Q(x/σ), x = σ² ln((e^ε − 1 + q)/q) + ½.
  const pair = subsampledGaussianPair(0.3, 1e-12);
  const at = (delta: number) => pldEpsilon([{ pair, count: 1 }], { delta });
  near(at(1e-30), 6.62708575450197, 2e-4, 'δ = 1e-30');
  assert.ok(at(1e-30) >= 6.62708575450197);
  near(at(1e-18), 0.00105910776023, 2e-4, 'δ = 1e-18');
  assert.ok(at(1e-18) >= 0.00105910776023);
});

test('pldEpsilon() finds its mesh where losses are smaller than the wanted error: σ = 50, q = 1e-5', () => {
  // ε is 8.7509e-7 by a convolution of doubles on two meshes, extrapolated; the Rényi bound is 1.5e-2.
  const found = pldEpsilon([{ pair: subsampledGaussianPair(50, 1e-5), count: 2 }], { delta: 1e-10 });
  assert.ok(found >= 8.75094e-7 && found < 8.9e-7, `${found}`);
  const many = pldEpsilon([{ pair: subsampledGaussianPair(50, 1e-5), count: 1_000_000 }], { delta: 1e-10 });
  assert.ok(many > 9e-4 && many < 1e-3, `${many}`);
});

test('pldEpsilon() solves one step of each kind to a ten-thousandth from above, and the interval holds the truth', () => {
  for (const [name, pair, delta] of cases) {
    for (const wanted of [0.2, 0.6, 0.9]) {
      const target = Math.max(delta(wanted, 'remove'), delta(wanted, 'add'));
      const found = pldEpsilon([{ pair, count: 1 }], { delta: target });
      assert.ok(found >= wanted - 1e-9 && found < wanted + 1e-4, `${name}: ${found} instead of ${wanted}`);
      const { lower, upper } = pldEpsilonInterval([{ pair, count: 1 }], { delta: target });
      assert.ok(
        lower <= wanted + 1e-9 && upper >= wanted - 1e-9 && upper - lower < 2e-3,
        `${name}: ${lower} to ${upper}`,
      );
    }
  }
  assert.equal(pldEpsilon([{ pair: cases[0]![1], count: 0 }], { delta: 1e-5 }), 0);
  assert.deepEqual(pldEpsilonInterval([], { delta: 1e-5 }), { lower: 0, upper: 0 });
});

test('randomised response, several times: ε of the binomial sum that is written out', () => {
  // n answers with loss ±ln 3: δ(ε) = Σ_k C(n, k) ¾^k ¼^{n−k} (1 − e^{ε − (2k−n) ln 3})₊.
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
  for (const n of [2, 7, 20]) {
    const points = Array.from({ length: n + 1 }, (_, k) => {
      return [(2 * k - n) * Math.log(3), choose(n, k) * 0.75 ** k * 0.25 ** (n - k)] as const;
    });
    for (const wanted of [1, 2.5, 0.4 * n]) {
      const target = deltaOf(points, 0, wanted);
      if (target < 1e-12) continue;
      const found = pldEpsilon([{ pair: randomizedResponsePair(0.5, 2), count: n }], { delta: target });
      assert.ok(found >= wanted - 1e-7 && found < wanted + 2e-3, `${n} answers: ${found} instead of ${wanted}`);
    }
    // With hardly any δ only the largest loss is left.
    const all = pldEpsilon([{ pair: randomizedResponsePair(0.5, 2), count: n }], { delta: 1e-30 });
    near(all, n * Math.log(3), 1e-3, 'all answers');
  }
});
