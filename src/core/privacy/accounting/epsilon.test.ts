import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { normalUpper } from '../numerics/erfc.ts';
import {
  basicComposition,
  epsilon,
  epsilonInterval,
  gaussianEpsilon,
  noiseMultiplier,
  type EpsilonInput,
} from '../index.ts';

const at = (noiseMultiplier: number, sampleRate: number, steps: number, delta: number) =>
  epsilon({ noiseMultiplier, sampleRate, steps, delta });

describe('epsilon()', () => {
  it('equals the analytic Gaussian where everybody takes part', () => {
    assert.equal(at(10, 1, 100, 1e-5).epsilon, gaussianEpsilon(1, 1e-5));
    const mixed = epsilon({
      schedule: [
        { noiseMultiplier: 5, sampleRate: 1, steps: 9 },
        { noiseMultiplier: 1.25, sampleRate: 1, steps: 1 },
      ],
      delta: 1e-5,
    });
    assert.equal(mixed.epsilon, gaussianEpsilon(1, 1e-5));
  });

  it('equals one exact subsampled step by its closed form', () => {
    // δ(ε) = P[L > ε] − e^ε Q[L > ε], and L > ε where x > x* = σ² ln((e^ε − 1 + q)/q) + ½.
    const [q, delta] = [0.01, 1e-5];
    const deltaAt = (e: number) => {
      const x = Math.log((Math.expm1(e) + q) / q) + 0.5;
      return (1 - q) * normalUpper(x) + q * normalUpper(x - 1) - Math.exp(e) * normalUpper(x);
    };
    const { pld } = at(1, q, 1, delta);
    assert.ok(deltaAt(pld) <= delta && deltaAt(pld - 1e-4) > delta, `${pld}`);
  });

  it('is 0 without steps or without sampling and infinite without noise or with δ = 0', () => {
    assert.equal(at(1, 0.01, 0, 1e-5).epsilon, 0);
    assert.equal(at(1, 0, 100, 1e-5).epsilon, 0);
    assert.equal(at(0, 0.01, 1, 1e-5).epsilon, Infinity);
    assert.equal(at(1, 0.01, 10, 0).epsilon, Infinity);
    assert.equal(epsilon({ schedule: [], delta: 1e-5 }).epsilon, 0);
  });

  it('grows with q, T and 1/δ and falls with σ (seeded settings)', () => {
    const rng = createRng(5).child('monotone');
    for (let i = 0; i < 12; i++) {
      const sigma = 0.6 + 3 * rng.float();
      const q = 0.002 + 0.5 * rng.float();
      const steps = 1 + rng.below(400);
      const base = at(sigma, q, steps, 1e-6).pld;
      const name = `σ ${sigma} q ${q} T ${steps}`;
      assert.ok(at(sigma * 1.2, q, steps, 1e-6).pld < base, name);
      assert.ok(at(sigma, q * 1.2, steps, 1e-6).pld > base, name);
      assert.ok(at(sigma, q, 2 * steps, 1e-6).pld > base, name);
      assert.ok(at(sigma, q, steps, 1e-8).pld > base, name);
      assert.ok(base <= at(sigma, q, steps, 1e-6).rdp, name);
    }
  });

  it('never exceeds basic composition', () => {
    const step = at(1.2, 0.3, 1, 1e-7).pld;
    const { epsilon: total, delta } = basicComposition(
      Array.from({ length: 20 }, () => ({ epsilon: step, delta: 1e-7 })),
    );
    assert.ok(at(1.2, 0.3, 20, delta).pld <= total);
  });

  it('does not depend on the order or the grouping of a schedule', () => {
    const a = { noiseMultiplier: 1, sampleRate: 0.1, steps: 7 };
    const b = { noiseMultiplier: 2, sampleRate: 0.2, steps: 11 };
    const once = epsilon({ schedule: [a, b], delta: 1e-5 }).epsilon;
    const split = epsilon({ schedule: [{ ...b, steps: 5 }, a, { ...b, steps: 6 }], delta: 1e-5 }).epsilon;
    assert.ok(Math.abs(once - split) < 1e-5);
  });

  it('groups: two records cost more than one and a group of one is the record', () => {
    const group = (groupSize: number) =>
      epsilon({ mechanism: 'gaussian-group', noiseMultiplier: 1, sampleRate: 0.01, groupSize, steps: 500, delta: 1e-5 })
        .pld;
    const single = at(1, 0.01, 500, 1e-5).pld;
    assert.ok(Math.abs(group(1) - single) < 3e-4);
    assert.ok(group(2) > single && group(2) < 4 * single);
  });

  it('answers extreme settings with ordered figures', () => {
    const settings = [
      [0.1, 0.01, 10, 1e-5],
      [50, 0.5, 20_000, 1e-6],
      [1, 1e-5, 100_000, 1e-7],
      [1000, 0.9, 10, 1e-5],
      [1, 0.1, 100, 0.3],
      [2, 0.5, 7, 1e-15],
      [1, 0.01, 1, 1e-5],
    ] as const;
    for (const [sigma, q, steps, delta] of settings) {
      const { pld, rdp } = at(sigma, q, steps, delta);
      assert.ok(pld >= 0 && pld <= rdp, `σ ${sigma} q ${q} T ${steps} δ ${delta}: ${pld}, ${rdp}`);
    }
  });

  it('refuses bad input with the wish and the value', () => {
    const base = { noiseMultiplier: 1, sampleRate: 0.1, steps: 10, delta: 1e-5 };
    const bad: [Partial<typeof base>, RegExp][] = [
      [{ delta: 1 }, /delta must be at least 0 and below 1: current value is 1$/],
      [{ delta: Number.NaN }, /delta must be/],
      [{ sampleRate: 1.5 }, /sampleRate must be from 0 to 1: current value is 1.5$/],
      [{ steps: 2.5 }, /steps must be an integer of at least 0: current value is 2.5$/],
      [{ noiseMultiplier: -1 }, /noiseMultiplier must be a finite number of at least 0: current value is -1$/],
    ];
    for (const [change, message] of bad) assert.throws(() => epsilon({ ...base, ...change }), message);
    assert.throws(
      () => epsilon({ ...base, mechanism: 'magic' } as unknown as EpsilonInput),
      /mechanism must be one of gaussian/,
    );
    assert.throws(
      () => epsilon({ mechanism: 'permute-and-flip', epsilon: 1, steps: 1, delta: 0, adjacency: 'replace-one' }),
      /adjacency of permute-and-flip must be add-or-remove-one/,
    );
  });
});

describe('epsilonInterval()', () => {
  it('holds the truth of the Gaussian and is narrower than 1e-3', () => {
    const settings = [
      [1, 0.01, 1000, 1e-5],
      [0.8, 0.05, 100, 1e-6],
      [3, 0.001, 20_000, 1e-6],
      [0.4, 0.02, 200, 1e-6],
    ] as const;
    for (const [noiseMultiplier, sampleRate, steps, delta] of settings) {
      const { lower, upper } = epsilonInterval({ noiseMultiplier, sampleRate, steps, delta });
      assert.ok(lower <= upper && upper - lower < 1e-3, `${lower} to ${upper}`);
    }
    const { lower, upper } = epsilonInterval({ noiseMultiplier: 10, sampleRate: 1 - 1e-12, steps: 100, delta: 1e-9 });
    const truth = gaussianEpsilon(1, 1e-9);
    assert.ok(lower <= truth && truth <= upper + 1e-9 && upper - lower < 1e-3, `${lower} to ${upper} around ${truth}`);
  });
});

describe('noiseMultiplier()', () => {
  it('spends all of the wish and never more', () => {
    for (const [wish, sampleRate, steps, delta] of [
      [8, 0.1, 100, 1e-5],
      [0.5, 0.05, 500, 1e-6],
      [2, 1, 50, 1e-5],
    ] as const) {
      const found = noiseMultiplier({ epsilon: wish, sampleRate, steps, delta });
      assert.ok(found.epsilon <= wish && found.epsilon > 0.999 * wish, `${found.epsilon} of ${wish}`);
    }
  });

  it('asks the accountant once where no noise is needed, and about ten times where it is', () => {
    let evaluations = 0;
    const counted = (input: EpsilonInput) => {
      evaluations++;
      return epsilon(input);
    };
    const seldom = noiseMultiplier({ epsilon: 1, sampleRate: 1e-9, steps: 100, delta: 1e-5 }, counted);
    assert.deepEqual([evaluations, seldom.epsilon, seldom.noiseMultiplier], [1, 0, 1e-3]);
    evaluations = 0;
    const often = noiseMultiplier({ epsilon: 2, sampleRate: 0.1, steps: 100, delta: 1e-5 }, counted);
    assert.ok(often.epsilon > 1.99 && evaluations > 1 && evaluations < 16, `${evaluations}`);
  });

  it('ε is 0 where a record is sampled at all with a chance of at most δ, and only there', () => {
    const base = { noiseMultiplier: 0.1, sampleRate: 1e-3, steps: 2 } as const;
    const chance = 1 - (1 - 1e-3) ** 2;
    for (const adjacency of ['add-or-remove-one', 'replace-one'] as const) {
      assert.equal(epsilon({ ...base, adjacency, delta: chance * 1.0001 }).pld, 0);
      assert.ok(epsilon({ ...base, adjacency, delta: chance * 0.9 }).pld > 0);
    }
    const mixed = { schedule: [base, { noiseMultiplier: 5, sampleRate: 1, steps: 1 }], delta: 0.01 };
    assert.ok(epsilon(mixed).pld > 0, 'a step without sampling counts');
  });

  it('is 0 where nothing is sampled and refuses ε = 0', () => {
    assert.equal(noiseMultiplier({ epsilon: 1, sampleRate: 0, steps: 5, delta: 1e-5 }).noiseMultiplier, 0);
    assert.throws(
      () => noiseMultiplier({ epsilon: 0, sampleRate: 0.1, steps: 5, delta: 1e-5 }),
      /epsilon must be a finite number above 0/,
    );
  });
});
