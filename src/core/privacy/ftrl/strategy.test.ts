import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createSimulatedEntropy } from '../../../simulation/world/simulated-entropy.ts';
import { createRng } from '../../random/rng.ts';
import { treeSensitivitySquare } from '../accounting/tree-participation.ts';
import { STRATEGIES, strategyIds } from './index.ts';
import { emptySums, type Strategy, type StrategyOptions } from './strategy.ts';
import { checkSumRange, drawSumNoise } from './sum-release.ts';

const options = (changes: Partial<StrategyOptions> = {}): StrategyOptions => ({
  steps: 8,
  max: 1,
  separation: 3,
  restartEvery: 0,
  bands: 4,
  ...changes,
});

/** The estimated prefix sums of scalar leaves; noise by leaf and value. */
function prefixes(
  strategy: Strategy,
  leaves: readonly number[],
  noiseAt: (leaf: number, value: number) => number,
): number[] {
  let state = emptySums;
  let total = 0;
  const out: number[] = [];
  for (const [t, leaf] of leaves.entries()) {
    const noise = Array.from({ length: strategy.valuesAt(t) }, (_, i) => Int32Array.of(noiseAt(t, i)));
    const next = strategy.step(state, Float64Array.of(leaf), noise);
    state = next.state;
    total += next.increment[0]!;
    out.push(total);
  }
  return out;
}

describe('the tree strategy', () => {
  it('traces four leaves as by hand', () => {
    // Leaves 5, 7, −2, 4. Noise: leaf 0: 3; leaf 1: −1, root of the first two: 6; leaf 2: 2; leaf 3: 0, its pair −4, all: 9.
    const noise = [[3], [-1, 6], [2], [0, -4, 9]];
    const made = prefixes(STRATEGIES.tree(options({ steps: 4 })), [5, 7, -2, 4], (t, i) => noise[t]![i]!);
    // Weights: 1, 2/3, 4/7 (variances of the estimates by height).
    const first = 5 + 3;
    const second = (2 / 3) * (12 + 6) + (1 / 3) * (first + (7 - 1));
    const third = second + (-2 + 2);
    const pair = (2 / 3) * (2 - 4) + (1 / 3) * (0 + (4 + 0));
    const all = (4 / 7) * (14 + 9) + (3 / 7) * (second + pair);
    [first, second, third, all].forEach((value, t) => assert.ok(Math.abs(made[t]! - value) < 1e-12, `prefix ${t + 1}`));
  });

  it('begins anew after a restart: nothing of the trees before is held', () => {
    const strategy = STRATEGIES.tree(options({ steps: 8, restartEvery: 2 }));
    assert.deepEqual([0, 1, 2, 3].map(strategy.valuesAt), [1, 2, 1, 2]);
    let state = emptySums;
    for (let t = 0; t < 5; t++) {
      const noise = Array.from({ length: strategy.valuesAt(t) }, () => Int32Array.of(1));
      state = strategy.step(state, Float64Array.of(1), noise).state;
    }
    assert.equal(state.nodes.length, 1, 'the fifth leaf stands alone');
  });

  it('prices add up to the squared counts below every complete node', () => {
    const arbitrary = fc.record({
      steps: fc.integer({ min: 1, max: 40 }),
      restartEvery: fc.constantFrom(0, 1, 2, 4, 8, 64),
      picked: fc.uniqueArray(fc.nat(39), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ steps, restartEvery, picked }) => {
        const leaves = picked.filter((leaf) => leaf < steps).sort((a, b) => a - b);
        const strategy = STRATEGIES.tree(options({ steps, restartEvery }));
        const paid = leaves.reduce((sum, leaf, i) => sum + strategy.price(leaf, leaves.slice(0, i)), 0);
        assert.equal(paid, squares(leaves, steps, restartEvery));
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

/** Σ over complete aligned nodes of (leaves below)², each tree for itself. */
function squares(leaves: readonly number[], steps: number, restartEvery: number): number {
  const size = restartEvery === 0 ? steps : restartEvery;
  let sum = 0;
  for (let start = 0; start < steps; start += size) {
    const end = Math.min(steps, start + size);
    for (let width = 1; width <= end - start; width *= 2) {
      for (let from = start; from + width <= end; from += width) {
        sum += leaves.filter((leaf) => leaf >= from && leaf < from + width).length ** 2;
      }
    }
  }
  return sum;
}

describe('treeSensitivitySquare() with restarts', () => {
  it('is what trying every set of leaves gives', () => {
    for (const steps of [1, 5, 8, 10]) {
      for (const restartEvery of [1, 2, 4, 8]) {
        for (const [max, separation] of [
          [1, 0],
          [2, 1],
          [3, 0],
          [4, 2],
        ] as const) {
          let most = 0;
          for (let set = 1; set < 2 ** steps; set++) {
            const leaves = Array.from({ length: steps }, (_, i) => i).filter((i) => (set >> i) & 1);
            const isTooOften = leaves.length > max || leaves.some((l, i) => i > 0 && l - leaves[i - 1]! <= separation);
            if (!isTooOften) most = Math.max(most, squares(leaves, steps, restartEvery));
          }
          const name = `${steps} steps, a tree every ${restartEvery}, ${max} times, ${separation} between`;
          assert.equal(treeSensitivitySquare(steps, { max, separation }, restartEvery), most, name);
        }
      }
    }
  });
});

describe('the banded strategy', () => {
  it('traces three leaves as by hand', () => {
    // Coefficients 1, ½ in 32nds: y = 32 g_t + 16 g_{t−1} + z.
    const strategy = STRATEGIES.banded(options({ bands: 2, separation: 1 }));
    const made = prefixes(strategy, [5, 7, -2], (t) => [32, -64, 96][t]!);
    const first = 5 + 1;
    const second = (32 * 7 + 16 * 5 - 64 - 16 * first) / 32;
    const third = (32 * -2 + 16 * 7 + 96 - 16 * second) / 32;
    [first, first + second, first + second + third].forEach((value, t) =>
      assert.ok(Math.abs(made[t]! - value) < 1e-12, `prefix ${t + 1}`),
    );
    assert.equal(strategy.price(0, []), 32 * 32 + 16 * 16);
  });
});

describe('every strategy', () => {
  const all = strategyIds.flatMap((id) =>
    [
      options({ steps: 13, max: 4, separation: 2, bands: 3 }),
      options({ steps: 16, max: 2, separation: 7, bands: 8 }),
      ...(id === 'tree' ? [options({ steps: 20, max: 3, separation: 1, restartEvery: 4 })] : []),
    ].map((given) => ({ id, given, strategy: STRATEGIES[id](given) })),
  );

  it('gives the prefix sums themselves where there is no noise', () => {
    for (const { id, given, strategy } of all) {
      const leaves = Array.from({ length: given.steps }, (_, t) => 3 * t - 7);
      const made = prefixes(strategy, leaves, () => 0);
      leaves.reduce((sum, leaf, t) => {
        assert.ok(Math.abs(made[t]! - (sum + leaf)) < 1e-9, `${id} at ${t}`);
        return sum + leaf;
      }, 0);
    }
  });

  it('never asks for more than its sensitivity of a client that keeps to the participation', () => {
    for (const { id, given, strategy } of all) {
      const pattern = fc.array(fc.nat(given.steps), { maxLength: given.max }).map((gaps) => {
        const leaves: number[] = [];
        let at = -1;
        for (const gap of gaps) {
          at += leaves.length === 0 ? gap + 1 : gap + given.separation + 1;
          if (at < given.steps) leaves.push(at);
        }
        return leaves;
      });
      fc.assert(
        fc.property(pattern, (leaves) => {
          const paid = leaves.reduce((sum, leaf, i) => sum + strategy.price(leaf, leaves.slice(0, i)), 0);
          assert.ok(paid <= strategy.sensitivitySquare(), `${id}: ${leaves.join(', ')}`);
        }),
        { seed: 7, numRuns: 200 },
      );
    }
  });

  it('moves banded values by no more than a client was charged for', () => {
    for (const { given, strategy } of all.filter(({ id }) => id === 'banded')) {
      const leaves = [0, given.separation + 1].slice(0, given.max);
      const paid = leaves.reduce((sum, leaf, i) => sum + strategy.price(leaf, leaves.slice(0, i)), 0);
      const moved = movedSquare(given, leaves);
      assert.ok(moved <= paid * (1 + 1e-9) && moved > 0.9 * paid, `${moved} of ${paid}`);
    }
  });

  it('has noise of the variance that it says, in the change and in the prefix', () => {
    const draws = 4000;
    for (const { id, given, strategy } of all) {
      const drawn = drawSumNoise(createSimulatedEntropy(createRng(11)), {
        dimension: draws,
        count: 2 * given.steps,
        clipNormL2: 1,
        noiseMultiplier: 3,
      });
      let used = 0;
      let state = emptySums;
      const total = new Float64Array(draws);
      for (let t = 0; t < given.steps; t++) {
        const noise = drawn.slice(used, (used += strategy.valuesAt(t)));
        const next = strategy.step(state, new Float64Array(draws), noise);
        state = next.state;
        for (let k = 0; k < draws; k++) total[k]! += next.increment[k]!;
        const { increment, prefix } = strategy.variancesAt(t);
        const restart = id === 'tree' ? Math.floor(t / (given.restartEvery || given.steps)) : 0;
        const before = restart === 0 ? 0 : restart * strategy.variancesAt(given.restartEvery - 1).prefix;
        // Six standard errors of a variance: a false alarm has a probability of about 10⁻⁷.
        const tolerance = 6 * Math.sqrt(2 / draws);
        const seen = (values: Float64Array) => values.reduce((sum, v) => sum + v * v, 0) / draws / 2 ** 40;
        assert.ok(Math.abs(seen(next.increment) / increment - 1) < tolerance, `${id}: change at ${t}`);
        assert.ok(Math.abs(seen(total) / (prefix + before) - 1) < tolerance, `${id}: prefix at ${t}`);
      }
    }
  });
});

/** Σ over all banded values of the square of what unit leaves put into them, found by what unit noise does alone. */
function movedSquare(given: StrategyOptions, leaves: readonly number[]): number {
  // ĝ = g + C⁻¹ z: the columns of C⁻¹ are the answers to unit noise, and y = C x solves C⁻¹ y = x.
  const n = given.steps;
  const nothing = Array.from({ length: n }, () => 0);
  const inverse = nothing.map((_, s) => {
    const made = prefixes(STRATEGIES.banded(given), nothing, (t) => (t === s ? 1 : 0));
    return made.map((value, t) => value - (t === 0 ? 0 : made[t - 1]!));
  });
  const y: number[] = [];
  for (let t = 0; t < n; t++) {
    let rest = leaves.includes(t) ? 1 : 0;
    for (let s = 0; s < t; s++) rest -= inverse[s]![t]! * y[s]!;
    y.push(rest / inverse[t]![t]!);
  }
  return y.reduce((sum, value) => sum + value * value, 0);
}

describe('sums of a run', () => {
  it('refuses more contributions than doubles can add exactly', () => {
    checkSumRange({ clipNormL2: 1, noiseMultiplier: 10 }, 1e6);
    assert.throws(
      () => checkSumRange({ clipNormL2: 1, noiseMultiplier: 0.02 }, 1e8),
      /rounds × clients must be below \d+ with this noise: current value is 100000000$/,
    );
  });
});
