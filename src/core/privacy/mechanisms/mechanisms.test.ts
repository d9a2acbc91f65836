// Laws of the exact samplers. The draws come from a fixed seed; each bound is at least 5 standard errors, so that a
// correct sampler under a fresh seed fails one with probability below 1e-6.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createNodeEntropy } from '../../../adapters/entropy-node.ts';
import { createRng } from '../../random/rng.ts';
import {
  discreteGaussianNoise,
  discreteLaplaceNoise,
  skellamNoise,
  varianceOf,
  type IntegerNoise,
} from './integer-noise.ts';
import { discreteGaussianMass, discreteGaussianVariance, discreteLaplaceMass, skellamMass } from './laws.ts';
import { createPrivateSum, noiseGrid, quantiseClipped } from './private-sum.ts';
import { createIntegerSource } from './random-integers.ts';

function fixedEntropy(name: string): Entropy {
  const rng = createRng(2026).child('privacy', name);
  return {
    purpose: 'secret',
    fillBytes: (target) => {
      for (let i = 0; i < target.length; i++) target[i] = rng.uint32();
    },
  };
}

/** Chi-square over cells of expected count ≥ 10; compares with its mean plus six deviations (normal tail 1e-9). */
function checkLaw(noise: IntegerNoise, mass: (x: number) => number, draws: number, reach: number): void {
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const x = noise.next();
    counts.set(x, (counts.get(x) ?? 0) + 1);
  }
  let square = 0;
  let cells = 0;
  let restExpected = draws;
  let restCount = draws;
  for (let x = -reach; x <= reach; x++) {
    const expected = draws * mass(x);
    if (expected < 10) continue;
    const count = counts.get(x) ?? 0;
    square += (count - expected) ** 2 / expected;
    cells++;
    restExpected -= expected;
    restCount -= count;
  }
  if (restExpected > 1) square += (restCount - restExpected) ** 2 / restExpected;
  const limit = cells + 6 * Math.sqrt(2 * cells) + 36;
  assert.ok(square < limit, `chi-square ${square} over ${cells} cells exceeds ${limit}`);
  assert.ok(restCount <= restExpected + 6 * Math.sqrt(restExpected) + 10, `${restCount} draws in the tail`);
}

function moments(noise: IntegerNoise, draws: number) {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws; i++) {
    const x = noise.next();
    sum += x;
    squares += x * x;
  }
  return { mean: sum / draws, second: squares / draws };
}

describe('integer noise', () => {
  for (const sigma of [0.1, 0.5, 3, 50]) {
    it(`discreteGaussianNoise() follows its law at σ = ${sigma}`, () => {
      const noise = discreteGaussianNoise(fixedEntropy(`gauss ${sigma}`), varianceOf(sigma));
      checkLaw(noise, (x) => discreteGaussianMass(sigma, x), 150_000, Math.ceil(8 * sigma) + 2);
      const { mean, second } = moments(noise, 100_000);
      const variance = discreteGaussianVariance(sigma);
      assert.ok(Math.abs(mean) <= 6 * Math.sqrt(variance / 1e5) + 1e-9, `mean ${mean}`);
      assert.ok(Math.abs(second - variance) <= 10 * variance * Math.sqrt(2 / 1e5) + 1e-9, `second moment ${second}`);
    });
  }

  it('a deviation passed where a variance is due is caught by these bounds', () => {
    const wrong = discreteGaussianNoise(fixedEntropy('wrong'), { n: 3, d: 1 });
    assert.throws(() => checkLaw(wrong, (x) => discreteGaussianMass(3, x), 20_000, 30), /chi-square|tail/);
  });

  it('discreteGaussianNoise() agrees with itself where numbers outgrow 2⁵³', () => {
    const noise = discreteGaussianNoise(fixedEntropy('big'), { n: 9e12, d: 1e12 });
    checkLaw(noise, (x) => discreteGaussianMass(3, x), 10_000, 30);
  });

  it('discreteGaussianNoise() follows its law on the grid of releases, σ = 2²⁰ steps: forty equal cells', () => {
    const sigma = 2 ** 20;
    const noise = discreteGaussianNoise(fixedEntropy('grid'), { n: sigma ** 2, d: 1 });
    // Φ at the cells' edges, by the same sum that gives the mass: a trapezium on a mesh of 2¹² steps.
    const mesh = 2 ** 12;
    const cells = new Float64Array(40);
    for (let x = -20 * sigma; x < 20 * sigma; x += mesh) {
      const cell = Math.min(39, Math.max(0, Math.floor((x / sigma + 4) * 5)));
      cells[cell]! +=
        (mesh / (sigma * Math.sqrt(2 * Math.PI))) * Math.exp(-((x + mesh / 2) ** 2) / (2 * sigma * sigma));
    }
    const draws = 100_000;
    const counts = new Float64Array(40);
    let squares = 0;
    for (let i = 0; i < draws; i++) {
      const x = noise.next();
      assert.ok(Number.isSafeInteger(x));
      counts[Math.min(39, Math.max(0, Math.floor((x / sigma + 4) * 5)))]! += 1;
      squares += (x / sigma) ** 2 / draws;
    }
    const square = cells.reduce((sum, mass, i) => sum + (counts[i]! - draws * mass) ** 2 / (draws * mass), 0);
    assert.ok(square < 39 + 6 * Math.sqrt(78) + 36, `chi-square ${square}`);
    assert.ok(Math.abs(squares - 1) < 6 * Math.sqrt(2 / draws), `variance ratio ${squares}`);
  });

  it('bernoulliExpRatio() compares integers where the first 32 bits do not tell, and agrees with integers alone', () => {
    // γ = 3/8: the first word of the coin falls into the cell that holds γ, so the rest of the number decides.
    const cell = Math.floor((3 / 8) * 2 ** 32);
    for (const [next, kept] of [
      [0, false],
      [0xffffffff, true],
    ] as const) {
      // The coin of γ with k = 1: in the cell. Below γ the series goes on, and the coin with k = 2 fails at once.
      const words = [cell, next, next, 0xffffffff];
      const entropy: Entropy = {
        purpose: 'secret',
        fillBytes: (target) => new Uint32Array(target.buffer).forEach((_, i, all) => (all[i] = words[i] ?? 0)),
      };
      let asked = 0;
      const exact = () => {
        asked += 1;
        return [3n * 2n ** 40n + 1n, 2n ** 43n] as const;
      };
      assert.equal(createIntegerSource(entropy).bernoulliExpRatio(3 / 8, exact), kept);
      assert.equal(asked, 1);
    }
    const source = createIntegerSource(fixedEntropy('ratio'));
    for (const [numerator, denominator] of [
      [3, 8],
      [9, 4],
      [40, 1],
      [0, 7],
      [2, 1],
    ] as const) {
      const exact = () => [BigInt(numerator), BigInt(denominator)] as const;
      let kept = 0;
      for (let i = 0; i < 20_000; i++) if (source.bernoulliExpRatio(numerator / denominator, exact)) kept += 1;
      const p = Math.exp(-numerator / denominator);
      assert.ok(Math.abs(kept / 20_000 - p) <= 6 * Math.sqrt((p * (1 - p)) / 20_000), `${numerator}/${denominator}`);
    }
  });

  it('shares of discrete Gaussian noise sum to the convolution of their laws: three shares of σ = 1.5', () => {
    const share = discreteGaussianNoise(fixedEntropy('shares'), varianceOf(1.5));
    const reach = 40;
    const one = Array.from({ length: 2 * reach + 1 }, (_, i) => discreteGaussianMass(1.5, i - reach));
    const convolved = (a: readonly number[], b: readonly number[]) =>
      Array.from({ length: 2 * reach + 1 }, (_, i) =>
        a.reduce((sum, mass, j) => sum + mass * (b[i - j + reach] ?? 0), 0),
      );
    const three = convolved(convolved(one, one), one);
    const sum: IntegerNoise = { next: () => share.next() + share.next() + share.next() };
    checkLaw(sum, (x) => three[x + reach] ?? 0, 60_000, reach);
    const { mean, second } = moments(sum, 60_000);
    const variance = 3 * discreteGaussianVariance(1.5);
    assert.ok(Math.abs(mean) <= 6 * Math.sqrt(variance / 6e4) && Math.abs(second - variance) <= 0.06 * variance);
  });

  it('discreteLaplaceNoise() follows its law at scales 3/2 and 7', () => {
    for (const [t, s] of [
      [3, 2],
      [7, 1],
    ] as const) {
      const noise = discreteLaplaceNoise(fixedEntropy(`laplace ${t}`), { t, s });
      checkLaw(noise, (x) => discreteLaplaceMass(s / t, x), 100_000, 100);
      const { mean, second } = moments(noise, 60_000);
      const ratio = Math.exp(-s / t);
      const variance = (2 * ratio) / (1 - ratio) ** 2;
      // The fourth moment of a Laplace law is six variances squared.
      assert.ok(Math.abs(mean) <= 6 * Math.sqrt(variance / 6e4), `mean ${mean}`);
      assert.ok(Math.abs(second - variance) <= 6 * variance * Math.sqrt(6 / 6e4), `second moment ${second}`);
    }
  });

  it('skellamNoise() follows its law at μ = 2, 5/4, 1/3, 12 and 300', () => {
    for (const [n, d] of [
      [2, 1],
      [5, 4],
      [1, 3],
      [12, 1],
      [300, 1],
    ] as const) {
      const draws = 30_000;
      const noise = skellamNoise(fixedEntropy(`skellam ${n}`), { n, d });
      checkLaw(noise, (x) => skellamMass(n / d, x), draws, 160);
      const { mean, second } = moments(noise, draws);
      const variance = (2 * n) / d;
      assert.ok(Math.abs(mean) <= 6 * Math.sqrt(variance / draws), `mean ${mean}`);
      assert.ok(
        Math.abs(second - variance) <= 6 * variance * Math.sqrt((2 + 1 / variance) / draws),
        `second ${second}`,
      );
    }
  });

  it('varianceOf() never rounds the variance down', () => {
    for (const sigma of [0.1, 1 / 3, 3, 50, 777.7]) {
      const { n, d } = varianceOf(sigma);
      assert.ok(n / d >= sigma * sigma * (1 - 1e-15) && n / d < sigma * sigma + 2 / d);
    }
  });

  it('below() is uniform across word sizes and refuses nothing in range', () => {
    const source = createIntegerSource(fixedEntropy('below'));
    assert.equal(source.below(1), 0);
    for (const bound of [3, 1000, 2 ** 32, 2 ** 32 + 7, 2 ** 45 + 1]) {
      let sum = 0;
      for (let i = 0; i < 20_000; i++) {
        const value = source.below(bound);
        assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
        sum += value / bound;
      }
      const mean = (bound - 1) / (2 * bound);
      assert.ok(Math.abs(sum / 20_000 - mean) < 6 * Math.sqrt(1 / 12 / 20_000), `bound ${bound}`);
    }
  });

  it('the operating system’s entropy fills the pool', () => {
    const bytes = new Uint8Array(64);
    createNodeEntropy().fillBytes(bytes);
    assert.ok(bytes.some((byte) => byte !== 0));
  });
});

describe('private sum', () => {
  const grid = noiseGrid(1.5, 1.1);

  it('quantiseClipped() keeps the exact norm within the bound, whatever comes (seeded fuzzing)', () => {
    const rng = createRng(7).child('quantise');
    for (let round = 0; round < 400; round++) {
      const size = 1 + rng.below(200);
      const scale = 10 ** (rng.below(12) - 6);
      const vector = Float64Array.from({ length: size }, () => scale * rng.gaussian());
      if (round % 10 === 0) vector[0] = [Number.NaN, Infinity, -Infinity, 1e308][round % 4]!;
      const units = quantiseClipped(vector, grid);
      const square = Array.from(units, (unit) => BigInt(unit) ** 2n).reduce((sum, one) => sum + one, 0n);
      assert.ok(square <= BigInt(grid.normMaxUnits) ** 2n, `round ${round}: ${square}`);
    }
  });

  it('noiseGrid() of little noise: the multiplier that is proven is smaller by two units of the kernel', () => {
    // Four units of noise on a norm of 2²⁶ units: √(16 − 4) are proven; of two units nothing is.
    const { sigmaUnits, normMaxUnits, noiseMultiplier, provenMultiplier, step } = noiseGrid(3, 2 ** -24);
    assert.deepEqual([sigmaUnits, normMaxUnits, noiseMultiplier, step], [4, 2 ** 26, 2 ** -24, 3 / 2 ** 26]);
    assert.ok(Math.abs(provenMultiplier * 2 ** 26 - Math.sqrt(12)) < 1e-12);
    assert.equal(noiseGrid(3, 2 ** -25).provenMultiplier, 0);
    for (const bad of [0, -1, Number.NaN, 2 ** 21]) assert.throws(() => noiseGrid(1, bad), RangeError);
    assert.throws(() => noiseGrid(0, 1), RangeError);
  });

  it('quantiseClipped() leaves a short vector where it is, up to half a step', () => {
    const vector = [0.3, -0.2, 0.1];
    const units = quantiseClipped(vector, grid);
    vector.forEach((value, i) => assert.ok(Math.abs(units[i]! * grid.step - value) <= grid.step / 2 + 1e-12));
  });

  it('release() adds noise of σ = multiplier × clip and never draws it twice', () => {
    const sum = createPrivateSum({
      dimension: 20_000,
      clipNormL2: 1.5,
      noiseMultiplier: 1.1,
      entropy: fixedEntropy('sum'),
    });
    sum.add(Float64Array.from({ length: 20_000 }, (_, i) => (i === 0 ? 9 : 0)));
    const first = sum.release();
    assert.deepEqual(sum.release(), first);
    assert.throws(() => sum.add(new Float64Array(20_000)), /must come before the release/);
    const sigma = 1.5 * sum.grid.noiseMultiplier;
    const second = first.slice(1).reduce((total, x) => total + x * x, 0) / 19_999;
    assert.ok(Math.abs(second / sigma ** 2 - 1) < 6 * Math.sqrt(2 / 19_999), `variance ratio ${second / sigma ** 2}`);
    assert.ok(Math.abs(first[0]! - 1.5) < 6 * sigma, 'the clipped value is in the sum');
    assert.ok(sum.grid.noiseMultiplier >= 1.1 && sum.grid.noiseMultiplier < 1.102);
  });
});
