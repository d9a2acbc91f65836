// Noise for a budget, samples of fixed size and shuffling, against closed forms and sums over all outcomes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyticGaussianSigma } from './analytic-gaussian.ts';
import { logBinomial } from '../numerics/log-space.ts';
import { epsilon, epsilonInterval, type EpsilonInput } from './epsilon.ts';
import { logCentralMoment } from '../numerics/central-moment.ts';
import { fixedSizeEpsilon, fixedSizeLogMoment } from './fixed-size.ts';
import { noiseMultiplier } from './noise-multiplier.ts';
import { rdpEpsilon } from './rdp.ts';
import { shuffleClosedForm, shuffleEpsilon } from './shuffling.ts';

const near = (actual: number, wanted: number, relative: number, name: string) =>
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${name}: ${actual} instead of ${wanted}`);

test('noiseMultiplier() where everybody takes part is √T times the σ of the analytic Gaussian, less what is spent', () => {
  for (const [wish, delta, steps] of [
    [0.5, 1e-6, 1],
    [3, 1e-5, 40],
    [30, 1e-3, 7],
  ] as const) {
    const most = 1 / analyticGaussianSigma(wish, delta);
    const found = noiseMultiplier({ epsilon: wish, delta, sampleRate: 1, steps });
    near(found.noiseMultiplier, Math.sqrt(steps) / most, 4e-6, `ε ${wish}`);
    assert.ok(found.epsilon <= wish);
    // A step of μ² / 4 has been paid: three quarters are left.
    const spent = [{ noiseMultiplier: 2 / most, sampleRate: 1, steps: 1 }];
    const rest = noiseMultiplier({ epsilon: wish, delta, sampleRate: 1, steps, spent });
    near(rest.noiseMultiplier, Math.sqrt(steps / 0.75) / most, 4e-6, `ε ${wish}, a quarter spent`);
    const replaced = noiseMultiplier({ epsilon: wish, delta, sampleRate: 1, steps, adjacency: 'replace-one' });
    near(replaced.noiseMultiplier, (2 * Math.sqrt(steps)) / most, 4e-6, `ε ${wish}, replaced`);
  }
});

test('noiseMultiplier() by each accountant meets the wish with that one, and says when nothing is left', () => {
  const wish = { epsilon: 2, delta: 1e-5, sampleRate: 0.1, steps: 50 };
  for (const accountant of ['rdp', 'pld', 'epsilon'] as const) {
    const found = noiseMultiplier({ ...wish, accountant });
    assert.ok(found[accountant] <= 2 && found[accountant] > 2 * (1 - 1e-4), `${accountant}: ${found[accountant]}`);
    const { noiseMultiplier: sigma } = found;
    assert.ok(epsilon({ ...wish, noiseMultiplier: sigma / 1.0001 })[accountant] > 2, 'a little less is too little');
  }
  assert.equal(noiseMultiplier({ ...wish, steps: 0 }).noiseMultiplier, 0);
  assert.equal(noiseMultiplier({ ...wish, sampleRate: 0 }).noiseMultiplier, 0);
  const spent = [{ noiseMultiplier: 0.5, sampleRate: 1, steps: 1 }];
  assert.throws(() => noiseMultiplier({ ...wish, spent }), /must leave room for more steps: none is left/);
  for (const bad of [{ delta: 0 }, { epsilon: -1 }, { sampleRate: 2 }, { steps: 0.5 }])
    assert.throws(() => noiseMultiplier({ ...wish, ...bad }), RangeError);
  // So much may be lost that hardly any noise is needed.
  const loud = noiseMultiplier({ epsilon: 1e7, delta: 1e-5, sampleRate: 1, steps: 1 });
  assert.ok(loud.noiseMultiplier < 0.02 && loud.noiseMultiplier > 0 && loud.epsilon <= 1e7, `${loud.noiseMultiplier}`);
});

test('fixedSizeEpsilon() of everybody is the Gaussian, of fewer is less, and of nobody is refused', () => {
  const all = { population: 50, sample: 50, noiseMultiplier: 3, steps: 10, delta: 1e-5 };
  const plain = rdpEpsilon((order) => 10 * (order / 18), 1e-5);
  assert.deepEqual(fixedSizeEpsilon(all), plain);
  const sizes = [1, 5, 20, 40].map((sample) => fixedSizeEpsilon({ ...all, sample }).epsilon);
  assert.ok(
    sizes.every((value, i) => i === 0 || value > sizes[i - 1]!),
    sizes.join(),
  );
  assert.ok(fixedSizeEpsilon({ ...all, sample: 5, steps: 20 }).epsilon > sizes[1]!);
  assert.equal(fixedSizeEpsilon({ ...all, sample: 5, steps: 0 }).epsilon, 0);
  assert.deepEqual(fixedSizeEpsilon({ ...all, sample: 5 }).epsilon, sizes[1], 'what is kept is the same');
  for (const bad of [
    { sample: 51 },
    { sample: 0 },
    { population: 0 },
    { noiseMultiplier: 0 },
    { steps: -1 },
    { delta: 0 },
    { sample: 1.5 },
  ])
    assert.throws(() => fixedSizeEpsilon({ ...all, ...bad }), RangeError, JSON.stringify(bad));
});

// Alternating sums in 800 digits (mpmath 1.3): σ, k, ln E[(L − 1)^k].
const centralMoments = [
  [0.05, 2, 399.99999999999994],
  [0.05, 100, 1979999.9999999998],
  [0.3, 6, 166.66666666666669],
  [1, 2, 0.5413248546129181],
  [1, 30, 434.9999999999924],
  [1.7, 100, 1712.80276816609],
  [6, 10, -9.021196525486229],
  [12, 30, -31.49434913615431],
  [50, 100, -200.93205591432198],
  [1000, 2, -13.815510057964232],
  [1000, 100, -510.0518633223729],
  [1e6, 4, -54.163429943182656],
] as const;

// Theorem 27 in at least 80 digits: σ, q, order, ln of the moment's bound. With alternating sums in doubles the fourth to
// sixth came out up to 1.7 times too large, the last two 1.1e-9 of themselves too small.
const fixedMoments = [
  [0.1, 1e-9, 48, 111805.97638700712],
  [0.5, 0.01, 7, 52.456955905069265],
  [3, 1e-4, 16, 5.642951659407533e-7],
  [10, 0.7, 48, 7.591884528200292],
  [100, 0.2, 48, 0.01886765689954609],
  [100, 0.7, 48, 0.23798922282220455],
  [1e4, 1e-9, 2, 4.0000000200000005e-26],
  [1e4, 0.7, 16, 0.0000023533285365776436],
] as const;

test('a step of a sample of fixed size costs what theorem 27 says in 80 digits, and never a digit less', () => {
  for (const [sigma, k, log] of centralMoments) {
    const error = Math.abs(logCentralMoment(sigma, k) - log) / Math.max(1, Math.abs(log));
    assert.ok(error < 1e-13, `σ ${sigma}, k ${k}: ${error}`);
  }
  for (const [sigma, q, order, log] of fixedMoments) {
    const plain = (order * (order - 1)) / (2 * sigma * sigma);
    const over = fixedSizeLogMoment(sigma, q, order) / Math.min(log, plain) - 1;
    assert.ok(over >= -1e-15 && over < 2e-11, `σ ${sigma}, q ${q}, order ${order}: ${over}`);
  }
});

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);

/** δ(ε) of the clones, over all outcomes: C ~ Bin(n − 1, e^{−ε₀}), A ~ Bin(C, ½), Δ ~ Bernoulli(e^{ε₀} ÷ (1 + e^{ε₀})). */
function clonesDelta(e: number, local: number, clients: number): number {
  const p = 1 / (1 + Math.exp(-local));
  const share = Math.exp(-local);
  let total = 0;
  for (let c = 0; c < clients; c++) {
    const weight = choose(clients - 1, c) * share ** c * (1 - share) ** (clients - 1 - c);
    const half = (k: number) => (k < 0 || k > c ? 0 : choose(c, k) / 2 ** c);
    for (let k = 0; k <= c + 1; k++) {
      const [mine, other] = [p * half(k - 1) + (1 - p) * half(k), (1 - p) * half(k - 1) + p * half(k)];
      total += weight * Math.max(0, mine - Math.exp(e) * other);
    }
  }
  return total;
}

test('shuffleEpsilon() equals the sum over all outcomes of few clients, and one client gains nothing', () => {
  for (const [local, clients, delta] of [
    [1, 1, 1e-3],
    [1, 2, 0.01],
    [0.5, 8, 0.02],
    [2, 12, 0.05],
    [1.5, 30, 1e-3],
  ] as const) {
    const found = shuffleEpsilon(local, clients, delta);
    let [low, high]: [number, number] = [0, local];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (clonesDelta(middle, local, clients) > delta) low = middle;
      else high = middle;
    }
    assert.ok(Math.abs(found - high) < 5e-6 * (1 + high), `ε₀ ${local} n ${clients}: ${found} instead of ${high}`);
  }
  near(shuffleEpsilon(1, 1, 1e-9), 1, 1e-5, 'one client');
  assert.equal(shuffleEpsilon(0, 10, 1e-5), 0);
});

test('shuffleEpsilon() is not below what binary answers really lose, where e^ε is no double either', () => {
  // All answer 0 but one, who has 1 in one of two worlds: the count of ones is all that is seen.
  for (const [local, clients, delta] of [
    [0.1, 50, 1e-5],
    [4, 20, 1e-10],
    [30, 5, 1e-5],
    [40, 30, 1e-2],
  ] as const) {
    const flip = 1 / (1 + Math.exp(local));
    const others = (k: number) =>
      k < 0 || k > clients - 1
        ? 0
        : Math.exp(logBinomial(clients - 1, k) + k * Math.log(flip) + (clients - 1 - k) * Math.log1p(-flip));
    const found = shuffleEpsilon(local, clients, delta);
    let lost = 0;
    for (let k = 0; k <= clients; k++) {
      const [without, withOne] = [others(k), others(k - 1)];
      const one = withOne * (1 - flip) + without * flip;
      const none = withOne * flip + without * (1 - flip);
      lost += Math.max(0, one - Math.exp(found) * none);
    }
    assert.ok(lost <= delta * (1 + 1e-6), `ε₀ ${local}, n ${clients}: δ(${found}) is ${lost}`);
  }
  for (const local of [700, 1500]) near(shuffleEpsilon(local, 10, 1e-5), local, 1e-3, `ε₀ ${local}`);
});

test('shuffleClosedForm() is the formula where it holds, above the numerical bound, and undefined where it does not', () => {
  const [local, clients, delta] = [0.5, 1000, 1e-3];
  const growth = Math.exp(local);
  const spread = (8 * Math.sqrt(growth * Math.log(4 / delta))) / Math.sqrt(clients) + (8 * growth) / clients;
  const wanted = Math.log(1 + ((growth - 1) / (growth + 1)) * spread);
  near(shuffleClosedForm(local, clients, delta)!, wanted, 1e-12, 'closed form');
  const numerical = shuffleEpsilon(local, clients, delta);
  assert.ok(numerical < wanted && numerical > wanted / 20, `${numerical} below ${wanted}`);
  // ε₀ may be ln(n ÷ 16 ln(2/δ)) at most.
  const most = Math.log(clients / (16 * Math.log(2 / delta)));
  assert.ok(shuffleClosedForm(most - 1e-9, clients, delta) !== undefined);
  assert.equal(shuffleClosedForm(most + 1e-9, clients, delta), undefined);
  for (const call of [shuffleClosedForm, shuffleEpsilon])
    for (const args of [
      [-1, 10, 0.1],
      [1, 0, 0.1],
      [1, 10, 0],
      [1, 10, 1],
    ] as const)
      assert.throws(() => call(args[0], args[1], args[2]), RangeError, args.join());
});

test('epsilon() of schedules: equal steps are one, unbounded ones are infinite, exact ones need no mesh', () => {
  const step = { noiseMultiplier: 2, sampleRate: 1, steps: 4 };
  const twice = epsilon({ schedule: [step, step], delta: 1e-5 });
  assert.deepEqual(twice, epsilon({ ...step, steps: 8, delta: 1e-5 }));
  assert.deepEqual(
    [twice.adjacency, twice.delta, twice.epsilon],
    ['add-or-remove-one', 1e-5, Math.min(twice.pld, twice.rdp)],
  );
  assert.deepEqual(epsilonInterval({ ...step, delta: 1e-5 }), {
    lower: epsilon({ ...step, delta: 1e-5 }).pld,
    upper: epsilon({ ...step, delta: 1e-5 }).pld,
  });
  const silent = { noiseMultiplier: 0, sampleRate: 0.5, steps: 1 };
  assert.deepEqual(epsilonInterval({ ...silent, delta: 1e-5 }), { lower: Infinity, upper: Infinity });
  const { pld, rdp } = epsilon({ schedule: [step, silent], delta: 1e-5 });
  assert.deepEqual([pld, rdp], [Infinity, Infinity]);
  assert.equal(
    epsilon({ schedule: [step, { ...silent, steps: 0 }], delta: 1e-5 }).pld,
    epsilon({ ...step, delta: 1e-5 }).pld,
  );
  // δ = 0: pure ε adds up, a Gaussian has none.
  const pure = epsilon({ mechanism: 'laplace', noiseMultiplier: 4, steps: 3, delta: 0 });
  near(pure.pld, 0.75, 1e-12, 'three Laplace steps');
  assert.equal(pure.rdp, Infinity);
  assert.equal(epsilon({ ...step, delta: 0 }).epsilon, Infinity);
  assert.equal(epsilon({ mechanism: 'exponential', epsilon: 0, steps: 9, delta: 0 }).epsilon, 0);
  // No Rényi bound is known for a mechanism of the schedule: then there is none for the schedule.
  assert.equal(
    epsilon({ mechanism: 'discrete-laplace', parameter: 1, sensitivity: 1, steps: 1, delta: 1e-5 }).rdp,
    Infinity,
  );
  const response = { mechanism: 'randomized-response', noiseParameter: 0.5, bucketCount: 2, steps: 1 } as const;
  assert.equal(epsilon({ ...response, delta: 1e-5 }).adjacency, 'replace-one');
  assert.throws(
    () => epsilon({ schedule: [response, step], delta: 1e-5 }),
    /adjacency of randomized-response must be replace-one/,
  );
  assert.throws(
    () => epsilon({ schedule: 'all', delta: 1e-5 } as unknown as EpsilonInput),
    /schedule must be a list of steps: current value is all/,
  );
  assert.throws(
    () => epsilon({ ...step, delta: 1e-5, adjacency: 'x' } as unknown as EpsilonInput),
    /adjacency of gaussian must be add-or-remove-one or replace-one: current value is x/,
  );
  // A Gaussian beside a sampled one: both are counted.
  const sampled = { noiseMultiplier: 1, sampleRate: 0.1, steps: 10 };
  const both = epsilon({ schedule: [step, sampled], delta: 1e-5 }).pld;
  const alone = [step, sampled].map((one) => epsilon({ ...one, delta: 1e-5 }).pld);
  assert.ok(both > Math.max(...alone) && both < alone[0]! + alone[1]!, `${both} of ${alone.join()}`);
});
