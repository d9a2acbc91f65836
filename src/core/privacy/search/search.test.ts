import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epsilon } from '../index.ts';
import { createRng } from '../../random/rng.ts';
import { gaussianProcess, type Observation } from './gaussian-process.ts';
import { expectedImprovement, hypervolume, paretoFront } from './pareto.ts';
import { bestOfRunsEpsilon } from './private-choice.ts';
import { proposePoints } from './propose.ts';

describe('Pareto fronts', () => {
  const all = [
    { cost: 1, score: 0.5 },
    { cost: 2, score: 0.4 },
    { cost: 3, score: 0.9 },
    { cost: 3, score: 0.7 },
  ];

  it('keep what nothing beats; area by hand', () => {
    const front = paretoFront(all);
    assert.deepEqual(front, [all[0], all[2]]);
    assert.equal(hypervolume(front, 5), 2 * 0.5 + 2 * 0.9);
    assert.equal(hypervolume([], 5), 0);
  });

  it('expect of a certain score exactly the area that it adds (seeded)', () => {
    const rng = createRng(4);
    for (let i = 0; i < 200; i++) {
      const point = { cost: 5 * rng.float(), score: rng.float() };
      const front = paretoFront(all);
      const gain = hypervolume(paretoFront([...front, point]), 5) - hypervolume(front, 5);
      const expected = expectedImprovement(front, { cost: point.cost, mean: point.score, deviation: 0 }, 5);
      assert.ok(Math.abs(gain - expected) < 1e-12, `${gain} ${expected}`);
    }
  });

  it('expect of an uncertain score the mean over its law (100,000 draws)', () => {
    const front = paretoFront(all);
    const point = { cost: 0.5, mean: 0.6, deviation: 0.2 };
    const rng = createRng(5);
    let sum = 0;
    for (let i = 0; i < 100_000; i++) {
      sum += expectedImprovement(front, { ...point, mean: 0.6 + 0.2 * rng.gaussian(), deviation: 0 }, 5);
    }
    assert.ok(Math.abs(sum / 100_000 - expectedImprovement(front, point, 5)) < 0.005);
  });
});

describe('gaussianProcess()', () => {
  it('goes through what was seen, and is less sure elsewhere', () => {
    const seen = Array.from({ length: 12 }, (_, i) => ({ at: [i / 11], value: Math.sin((6 * i) / 11) }));
    const process = gaussianProcess(seen, createRng(1));
    for (const { at, value } of seen) assert.ok(Math.abs(process.predict(at).mean - value) < 0.02);
    assert.ok(Math.abs(process.predict([0.5]).mean - Math.sin(3)) < 0.02);
    const gappy = gaussianProcess(seen.slice(0, 6), createRng(1));
    assert.ok(gappy.predict([1]).deviation > 5 * gappy.predict([0.2]).deviation);
  });
});

describe('proposePoints()', () => {
  // Accuracy that grows with ε and has one best clip and one best number of rounds, which moves with ε.
  const scoreAt = ([cost, rounds, clip]: readonly number[]) =>
    Math.max(0, 0.5 + 0.4 * cost! - 2 * (rounds! - 0.2 - 0.6 * cost!) ** 2 - 2 * (clip! - 0.35) ** 2);
  const areaOf = (seen: readonly Observation[]) =>
    hypervolume(paretoFront(seen.map(({ at, value }) => ({ cost: at[0]!, score: value }))), 1.1);

  it('finds more area in 24 trials than as many points at random, on the mean of four seeds', () => {
    let [searched, random] = [0, 0];
    for (let seed = 0; seed < 4; seed++) {
      const seen: Observation[] = [];
      while (seen.length < 24) {
        const next = { dimension: 3, count: 4, initial: 8, rng: createRng(seed) };
        for (const at of proposePoints(seen, next)) seen.push({ at, value: scoreAt(at) });
      }
      searched += areaOf(seen) / 4;
      const rng = createRng(seed).child('random');
      const drawn = Array.from({ length: 24 }, () => [rng.float(), rng.float(), rng.float()]);
      random += areaOf(drawn.map((at) => ({ at, value: scoreAt(at) }))) / 4;
    }
    assert.ok(searched > random * 1.04, `${searched} ${random}`);
  });

  it('is a function of what was seen', () => {
    const options = { dimension: 2, count: 3, initial: 2 };
    const seen = [0.1, 0.6, 0.9].map((x) => ({ at: [x, 1 - x], value: x }));
    const [a, b] = [1, 1].map((seed) => proposePoints(seen, { ...options, rng: createRng(seed) }));
    assert.deepEqual(a, b);
    assert.ok(a!.every((point) => point.every((x) => x >= 0 && x <= 1)));
  });
});

describe('bestOfRunsEpsilon()', () => {
  const curve = (order: number) => order / 200;

  it('costs more than one run, grows slowly with the runs, and is below what all the runs would cost', () => {
    const one = epsilon({ noiseMultiplier: 10, sampleRate: 1, steps: 1, delta: 1e-6 }).rdp;
    const [few, many] = [10, 100].map((mean) => bestOfRunsEpsilon(curve, mean, 1e-6));
    assert.ok(few! > one && many! > few! && many! < 4 * one, `${one} ${few} ${many}`);
    assert.ok(many! < epsilon({ noiseMultiplier: 10, sampleRate: 1, steps: 100, delta: 1e-6 }).rdp);
  });

  it('three times ε at most where the runs are purely ε-private', () => {
    const price = bestOfRunsEpsilon(() => 0.5, 50, 1e-9);
    assert.ok(price < 3 * 0.5 + 0.2 && price > 0.5, `${price}`);
    assert.throws(() => bestOfRunsEpsilon(curve, 0.5, 1e-6), /meanRuns must be at least 1: current value is 0.5/);
  });
});
