// Rényi curves against the integrals and sums that define them, and what each mechanism contributes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advancedComposition, adaptiveFilterEpsilon, basicComposition } from './composition.ts';
import {
  analyticGaussianSigma,
  gaussianDelta,
  gaussianEpsilon,
  gdpCentralLimitMu,
  zcdpEpsilon,
} from './analytic-gaussian.ts';
import { epsilon } from './epsilon.ts';
import { MECHANISMS, type Contribution, type MechanismId } from './mechanisms.ts';
import {
  exponentialRdp,
  laplaceRdp,
  randomizedResponseRdp,
  RDP_ORDERS,
  rdpEpsilon,
  subsampledGaussianRdp,
} from './rdp.ts';

const near = (actual: number, wanted: number, relative: number, name: string) =>
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${name}: ${actual} instead of ${wanted}`);

/** ∫ f by the trapezoidal rule on equal steps. */
function integral(f: (x: number) => number, from: number, to: number, count = 40_000): number {
  const step = (to - from) / count;
  let sum = (f(from) + f(to)) / 2;
  for (let i = 1; i < count; i++) sum += f(from + i * step);
  return sum * step;
}

test('subsampledGaussianRdp() equals its integral at whole and fractional orders', () => {
  for (const [sigma, q] of [
    [1, 0.1],
    [2, 0.5],
    [0.7, 0.02],
    [4, 0.9],
  ] as const) {
    for (const order of [1.1, 1.5, 2, 2.5, 3, 4.7, 8]) {
      const ratio = (z: number) => 1 - q + q * Math.exp((2 * z - 1) / (2 * sigma * sigma));
      const density = (z: number) => Math.exp((-z * z) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
      // A_α − 1, so that nothing is lost where A_α is nearly 1.
      const excess = integral(
        (z) => density(z) * (Math.expm1(order * Math.log(ratio(z))) - order * (ratio(z) - 1)),
        -14 * sigma,
        14 * sigma + order,
      );
      near(
        subsampledGaussianRdp(sigma, q, order),
        Math.log1p(excess) / (order - 1),
        2e-7,
        `σ ${sigma} q ${q} α ${order}`,
      );
    }
  }
});

test('subsampledGaussianRdp() at its ends: no sampling, no noise, everybody, hardly any and a huge moment', () => {
  assert.equal(subsampledGaussianRdp(1, 0, 3), 0);
  assert.equal(subsampledGaussianRdp(0, 0.5, 3), Infinity);
  assert.equal(subsampledGaussianRdp(2, 1, 3), 3 / 8);
  // A_2 = 1 + q² (e^{1/σ²} − 1), at order 2 by hand.
  near(subsampledGaussianRdp(1, 1e-6, 2), Math.log1p(1e-12 * Math.expm1(1)), 1e-12, 'q = 1e-6');
  near(subsampledGaussianRdp(1, 0.25, 2), Math.log1p(Math.expm1(1) / 16), 1e-13, 'q = ¼');
  // Between whole orders it lies between them, also where doubles overflow: σ = 0.05 makes e^{200 α²}.
  for (const [sigma, q] of [
    [0.05, 0.01],
    [0.2, 0.3],
    [0.054, 0.2],
    [0.5, 1e-7],
    [30, 0.01],
  ] as const) {
    const [below, at, above] = [2, 2.5, 3].map((order) => subsampledGaussianRdp(sigma, q, order));
    assert.ok(below! < at! && at! < above!, `σ ${sigma} q ${q}: ${below}, ${at}, ${above}`);
    near(subsampledGaussianRdp(sigma, q, 3 + 1e-9), above!, 1e-6, `σ ${sigma} q ${q} beside 3`);
    near(subsampledGaussianRdp(sigma, q, 2 - 1e-9), below!, 1e-6, `σ ${sigma} q ${q} beside 2`);
  }
});

test('laplaceRdp(), exponentialRdp() and randomizedResponseRdp() equal their definitions', () => {
  for (const epsilon of [0.3, 1, 2.5]) {
    for (const order of [1.5, 2, 7]) {
      // Lap(0, 1/ε) against Lap(1, 1/ε): ∫ p^α r^{1−α}, in three parts.
      const p = (x: number) => (epsilon / 2) * Math.exp(-epsilon * Math.abs(x));
      const moment =
        integral((x) => p(x) ** order * p(x - 1) ** (1 - order), 0, 1) +
        integral((x) => p(x) ** order * p(x - 1) ** (1 - order), -40 / epsilon, 0) +
        integral((x) => p(x) ** order * p(x - 1) ** (1 - order), 1, 1 + 40 / epsilon);
      near(laplaceRdp(epsilon, order), Math.log(moment) / (order - 1), 1e-5, `Laplace ${epsilon} α ${order}`);
      const k = 4;
      const share = 0.3;
      const [own, other] = [1 - share + share / k, share / k];
      const sum = own ** order * other ** (1 - order) + other ** order * own ** (1 - order) + (k - 2) * other;
      near(randomizedResponseRdp(share, k, order), Math.log(sum) / (order - 1), 1e-12, `response α ${order}`);
    }
  }
  near(randomizedResponseRdp(0.3, 4, Infinity), Math.log(0.775 / 0.075), 1e-12, 'response at ∞');
  assert.deepEqual([randomizedResponseRdp(0.5, 1, 2), randomizedResponseRdp(1, 3, 2)], [0, 0]);
  assert.equal(randomizedResponseRdp(0, 3, 2), Infinity);
  // ξ + α ε²/8 with ε = 1: ξ = 1/(e − 1) − 1 + ln(e − 1) − ⅛; never more than ε.
  const slack = 1 / (Math.E - 1) - 1 + Math.log(Math.E - 1) - 1 / 8;
  near(exponentialRdp(1, 2), slack + 2 / 8, 1e-12, 'exponential at 2');
  const ratio = 0.5 / Math.expm1(0.5);
  near(exponentialRdp(0.5, 3), ratio - 1 - Math.log(ratio) - 1 / 32 + 3 / 32, 1e-12, 'exponential of ½ at 3');
  assert.deepEqual([exponentialRdp(1, 100), exponentialRdp(0, 5)], [1, 0]);
});

test('rdpEpsilon() takes the least over the orders, by the formula with ln(1 − 1/α)', () => {
  const byHand = (r: number, order: number, delta: number) =>
    r + Math.log(1 - 1 / order) - Math.log(delta * order) / (order - 1);
  assert.deepEqual(
    rdpEpsilon(() => 0.5, 1e-5, [4]),
    { epsilon: byHand(0.5, 4, 1e-5), order: 4 },
  );
  const least = rdpEpsilon((order) => 0.05 * order, 1e-5);
  const all = RDP_ORDERS.filter((order) => order > 1.01).map((order) => byHand(0.05 * order, order, 1e-5));
  near(least.epsilon, Math.min(...all), 1e-14, 'the least');
  near(byHand(0.05 * least.order, least.order, 1e-5), least.epsilon, 1e-14, 'at its order');
  // δ² > 1 − e^{−r}: no privacy is lost. Below that something is; never less than 0.
  assert.equal(rdpEpsilon(() => 1e-12, 1e-5, [2]).epsilon, 0);
  assert.ok(rdpEpsilon(() => 1e-9, 1e-5, [2]).epsilon > 0);
  assert.equal(rdpEpsilon(() => 0.01, 0.9, [2]).epsilon, 0);
  assert.deepEqual(
    rdpEpsilon(() => 1, 1e-5, [1.01]),
    { epsilon: Infinity, order: 0 },
  );
  assert.deepEqual(
    [RDP_ORDERS.length, RDP_ORDERS[0], RDP_ORDERS[98], RDP_ORDERS[99], RDP_ORDERS[151]],
    [156, 1.1, 10.9, 11, 63],
  );
  assert.deepEqual(RDP_ORDERS.slice(152), [128, 256, 512, 1024]);
});

test('the analytic Gaussian: δ and ε are inverse to each other, σ is the least that is enough', () => {
  // μ = 1, ε = 0: δ = Φ(½) − Φ(−½) = 0.3829249225480262.
  near(gaussianDelta(1, 0), 0.3829249225480262, 1e-12, 'total variation');
  assert.equal(gaussianDelta(0, 0.5), 0);
  for (const mu of [0.1, 1, 5]) {
    for (const delta of [1e-12, 1e-5, 0.02]) {
      const epsilon = gaussianEpsilon(mu, delta);
      near(gaussianDelta(mu, epsilon), delta, 1e-9, `μ ${mu} δ ${delta}`);
      near(analyticGaussianSigma(epsilon, delta), 1 / mu, 1e-9, `σ of μ ${mu}`);
    }
  }
  assert.deepEqual([gaussianEpsilon(0, 1e-5), gaussianEpsilon(1, 0.4)], [0, 0]);
  near(gdpCentralLimitMu(1, 0.5, 4), Math.sqrt(Math.E - 1), 1e-14, 'central limit');
  near(zcdpEpsilon(0.25, Math.exp(-4)), 0.25 + 2, 1e-14, 'zCDP');
  for (const call of [() => gaussianEpsilon(-1, 1e-5), () => gaussianEpsilon(1, 0), () => zcdpEpsilon(-1, 0.1)])
    assert.throws(call, RangeError);
  for (const call of [() => zcdpEpsilon(1, 0), () => analyticGaussianSigma(-1, 0.1), () => analyticGaussianSigma(1, 0)])
    assert.throws(call, RangeError);
});

test('compositions by hand', () => {
  assert.deepEqual(basicComposition([]), { epsilon: 0, delta: 0 });
  assert.deepEqual(
    basicComposition([
      { epsilon: 1, delta: 0.25 },
      { epsilon: 2, delta: 0.5 },
    ]),
    { epsilon: 3, delta: 0.75 },
  );
  // Two steps of ε: kε for δ = 0; 0 for δ = (e^ε − 1)(e^{2ε} − 1)… by the optimal rule: δ₁ = (e^{2ε} − 1) ÷ (1 + e^ε)².
  const [epsilon, k] = [0.5, 2];
  assert.equal(advancedComposition({ epsilon, delta: 0 }, k, 0), 1);
  const enough = (Math.exp(2 * epsilon) - 1) / (1 + Math.exp(epsilon)) ** 2;
  assert.equal(advancedComposition({ epsilon, delta: 0 }, k, enough * 1.0001), 0);
  assert.equal(advancedComposition({ epsilon, delta: 0 }, k, enough * 0.9999), 1);
  // Five steps by the optimal rule, the sums written out: δ₂ at ε(5 − 4), with C(5, 1) = 5.
  const e = (times: number) => Math.exp(times * epsilon);
  const [one, two] = [e(5) - e(3), e(5) - e(1) + 5 * (e(4) - e(2))].map((sum) => sum / (1 + e(1)) ** 5) as [
    number,
    number,
  ];
  for (const [delta, left] of [
    [one * 0.999, 5],
    [one * 1.001, 3],
    [two * 0.999, 3],
    [two * 1.001, 1],
  ] as const)
    near(advancedComposition({ epsilon, delta: 0 }, 5, delta)!, left * epsilon, 1e-12, `δ ${delta}`);
  // δ of each step is spent first: 1 − (1 − δ)² is needed.
  assert.equal(advancedComposition({ epsilon, delta: 0.1 }, k, 0.1899), undefined);
  assert.equal(advancedComposition({ epsilon, delta: 0.1 }, k, 0.1901), 1);
  near(adaptiveFilterEpsilon([0.3, 0.4], Math.exp(-2)), 0.125 + 1, 1e-14, 'filter');
  for (const call of [
    () => advancedComposition({ epsilon: -1, delta: 0 }, 1, 0),
    () => advancedComposition({ epsilon: 1, delta: 1 }, 1, 0),
    () => advancedComposition({ epsilon: 1, delta: 0 }, 0, 0),
    () => advancedComposition({ epsilon: 1, delta: 0 }, 1, 1),
    () => adaptiveFilterEpsilon([1], 0),
  ])
    assert.throws(call, RangeError);
});

test('each mechanism: nothing is lost where nothing is done, everything without noise, and its curve in between', () => {
  const of = (id: MechanismId, options: object, adjacency = 'add-or-remove-one') =>
    (MECHANISMS[id].contribution as (options: object, adjacency: string) => Contribution)(options, adjacency);
  const isFree = (found: Contribution) => found.pair === undefined && found.mu === undefined && found.rdp!(7) === 0;
  const free: [MechanismId, object][] = [
    ['gaussian', { noiseMultiplier: 0, sampleRate: 0 }],
    ['laplace', { noiseMultiplier: 0, sampleRate: 0 }],
    ['randomized-response', { noiseParameter: 0, bucketCount: 1 }],
    ['randomized-response', { noiseParameter: 1, bucketCount: 2 }],
    ['exponential', { epsilon: 0 }],
    ['permute-and-flip', { epsilon: 0 }],
    ['approximate', { epsilon: 0, deltaPerStep: 0 }],
    ['gaussian-mixture', { standardDeviation: 0, sensitivities: [0, 5], probabilities: [1, 0] }],
    ['gaussian-group', { noiseMultiplier: 0, sampleRate: 0, groupSize: 3 }],
  ];
  for (const [id, options] of free) assert.ok(isFree(of(id, options)), `${id} ${JSON.stringify(options)}`);
  const open: [MechanismId, object][] = [
    ['gaussian', { noiseMultiplier: 0, sampleRate: 0.1 }],
    ['laplace', { noiseMultiplier: 0 }],
    ['discrete-gaussian', { sigma: 0, sensitivity: 1 }],
    ['randomized-response', { noiseParameter: 0, bucketCount: 2 }],
    ['gaussian-mixture', { standardDeviation: 0, sensitivities: [0, 5], probabilities: [0.5, 0.5] }],
    ['gaussian-group', { noiseMultiplier: 0, sampleRate: 1, groupSize: 3 }],
    ['tree-aggregation', { noiseMultiplier: 0, treeSteps: 8 }],
  ];
  for (const [id, options] of open) assert.equal(of(id, options).isUnbounded, true, `${id} ${JSON.stringify(options)}`);

  const exact: [Contribution, mu: number][] = [
    [of('gaussian', { noiseMultiplier: 4, sampleRate: 1 }), 1 / 4],
    [of('gaussian', { noiseMultiplier: 4, sampleRate: 1 }, 'replace-one'), 2 / 4],
    [of('gaussian-group', { noiseMultiplier: 4, sampleRate: 1, groupSize: 3 }), 3 / 4],
    // Eight releases need a tree of depth 4, seven one of depth 3.
    [of('tree-aggregation', { noiseMultiplier: 4, treeSteps: 8 }), 2 / 4],
    [of('tree-aggregation', { noiseMultiplier: 4, treeSteps: 7 }), Math.sqrt(3) / 4],
  ];
  for (const [found, mu] of exact) {
    near(found.mu!, mu, 1e-14, 'μ');
    near(found.rdp!(6), (6 * mu * mu) / 2, 1e-14, 'α μ² ÷ 2');
    assert.equal(found.pair, undefined);
  }
  near(of('discrete-gaussian', { sigma: 2, sensitivity: 3 }).rdp!(5), (5 * 9) / 8, 1e-14, 'discrete Gaussian');
  near(of('laplace', { noiseMultiplier: 2 }).rdp!(5), laplaceRdp(0.5, 5), 1e-14, 'Laplace');
  near(of('permute-and-flip', { epsilon: 0.5 }).rdp!(5), laplaceRdp(0.5, 5), 1e-14, 'permute and flip');
  near(of('permute-and-flip', { epsilon: 0.5 }).pair!.lossMax.remove, 0.5, 1e-14, 'permute and flip');
  assert.equal(of('laplace', { noiseMultiplier: 2, sampleRate: 0.5 }).rdp, undefined);
  assert.equal(of('gaussian', { noiseMultiplier: 2, sampleRate: 0.5 }, 'replace-one').rdp, undefined);
  assert.equal(of('gaussian', { noiseMultiplier: 2, sampleRate: 0.5 }, 'replace-one').pair!.isSymmetric, true);
  assert.equal(of('gaussian', { noiseMultiplier: 2, sampleRate: 0.5 }).pair!.isSymmetric, false);
  near(of('exponential', { epsilon: 0.5 }).pair!.lossMax.add, 0.5, 1e-12, 'exponential');
  assert.equal(of('approximate', { epsilon: 0, deltaPerStep: 0.1 }).pair!.lossMax.add, Infinity);
  // A group of two at q = ½: nobody with ¼, so the least loss is ln ¼.
  near(
    of('gaussian-group', { noiseMultiplier: 1, sampleRate: 0.5, groupSize: 2 }).pair!.lossMax.add,
    Math.log(4),
    1e-12,
    'group',
  );
  // Probabilities that sum to 1 + 5e-10 are taken for what they mean; what never happens is left out.
  const mixture = of('gaussian-mixture', {
    standardDeviation: 1,
    sensitivities: [0, 1, 9],
    probabilities: [0.25, 0.75 + 5e-10, 0],
  });
  near(mixture.pair!.lossMax.add, Math.log(4), 1e-9, 'mixture');

  const bad: [MechanismId, object, RegExp][] = [
    ['gaussian-mixture', { standardDeviation: 1, sensitivities: [0, 1], probabilities: [1] }, /1 for 2 that sum to 1$/],
    ['gaussian-mixture', { standardDeviation: 1, sensitivities: [0, 1], probabilities: [0.5, 0.4] }, /sum to 0.9$/],
    ['gaussian-mixture', { standardDeviation: 1, sensitivities: [-1], probabilities: [1] }, /each sensitivity must be/],
    ['gaussian-mixture', { standardDeviation: 1, sensitivities: [1], probabilities: [2] }, /each probability must be/],
    [
      'gaussian-mixture',
      { standardDeviation: -1, sensitivities: [1], probabilities: [1] },
      /standardDeviation must be/,
    ],
    ['gaussian', { noiseMultiplier: 1, sampleRate: -0.1 }, /sampleRate must be/],
    ['laplace', { noiseMultiplier: -1 }, /noiseMultiplier must be/],
    ['discrete-laplace', { parameter: 0, sensitivity: 1 }, /parameter must be/],
    ['discrete-laplace', { parameter: 1, sensitivity: 0 }, /sensitivity must be/],
    ['discrete-gaussian', { sigma: -1, sensitivity: 1 }, /sigma must be/],
    ['discrete-gaussian', { sigma: 1, sensitivity: 1.5 }, /sensitivity must be/],
    ['randomized-response', { noiseParameter: 2, bucketCount: 2 }, /noiseParameter must be/],
    ['randomized-response', { noiseParameter: 0.5, bucketCount: 0 }, /bucketCount must be/],
    ['exponential', { epsilon: -1 }, /epsilon must be/],
    ['permute-and-flip', { epsilon: -1 }, /epsilon must be/],
    ['approximate', { epsilon: -1, deltaPerStep: 0 }, /epsilon must be/],
    ['approximate', { epsilon: 1, deltaPerStep: 1 }, /deltaPerStep must be/],
    ['gaussian-group', { noiseMultiplier: 1, sampleRate: 0.5, groupSize: 0 }, /groupSize must be/],
    ['gaussian-group', { noiseMultiplier: -1, sampleRate: 0.5, groupSize: 1 }, /noiseMultiplier must be/],
    ['gaussian-group', { noiseMultiplier: 1, sampleRate: 1.5, groupSize: 1 }, /sampleRate must be/],
    ['tree-aggregation', { noiseMultiplier: -1, treeSteps: 1 }, /noiseMultiplier must be/],
    ['tree-aggregation', { noiseMultiplier: 1, treeSteps: 0 }, /treeSteps must be/],
  ];
  for (const [id, options, message] of bad)
    assert.throws(() => of(id, options), message, `${id} ${JSON.stringify(options)}`);
});

test('gaussianEpsilon() is not below the truth where two nearly equal terms are subtracted', () => {
  // By 70 digits; the last two are of the same order as δ itself.
  for (const [mu, delta, truth] of [
    [1e-5, 1e-18, 7.07738910372459e-5],
    [1e-5, 1e-10, 3.92356589721477e-5],
    [2e-5, 1e-30, 2.05240240661268e-4],
  ] as const) {
    const found = gaussianEpsilon(mu, delta);
    assert.ok(found >= truth * (1 - 1e-14), `${mu}, ${delta}: ${found} instead of ${truth}`);
    near(found, truth, 1e-6, `${mu}, ${delta}`);
  }
});

test('advancedComposition() tells a δ of 1e-18 from nothing', () => {
  // 40 releases of ε₀ = 1, by the sum itself.
  const wanted = (total: number) => {
    const choose = (n: number, m: number): number => (m === 0 ? 1 : (choose(n, m - 1) * (n - m + 1)) / m);
    for (let i = 20; i >= 0; i--) {
      let sum = 0;
      for (let l = 0; l < i; l++) sum += choose(40, l) * (Math.exp(40 - l) - Math.exp(40 - 2 * i + l));
      if (sum / (1 + Math.E) ** 40 <= total) return 40 - 2 * i;
    }
    return undefined;
  };
  for (const total of [1e-18, 1e-17, 1e-9, 1e-5]) {
    assert.equal(advancedComposition({ epsilon: 1, delta: 0 }, 40, total), wanted(total), `${total}`);
  }
  assert.equal(advancedComposition({ epsilon: 0.5, delta: 1e-20 }, 10, 5e-20), undefined, 'ten times 1e-20 is more');
});

test('replace-one costs what twice the distance costs, where nothing is sampled', () => {
  const both = (step: object, further: object) => {
    const replaced = epsilon({ ...step, steps: 3, delta: 1e-6, adjacency: 'replace-one' } as never);
    const moved = epsilon({ ...further, steps: 3, delta: 1e-6 } as never);
    assert.deepEqual([replaced.pld, replaced.rdp], [moved.pld, moved.rdp], JSON.stringify(step));
  };
  const laplace = { mechanism: 'laplace', noiseMultiplier: 3 };
  both(laplace, { ...laplace, noiseMultiplier: 1.5 });
  const discrete = { mechanism: 'discrete-laplace', parameter: 0.4, sensitivity: 2 };
  both(discrete, { ...discrete, sensitivity: 4 });
  const gaussian = { mechanism: 'discrete-gaussian', sigma: 4, sensitivity: 1 };
  both(gaussian, { ...gaussian, sensitivity: 2 });
  const tree = { mechanism: 'tree-aggregation', noiseMultiplier: 8, treeSteps: 7 };
  both(tree, { ...tree, noiseMultiplier: 4 });
  const sampled = { ...laplace, sampleRate: 0.5, steps: 1, delta: 1e-6, adjacency: 'replace-one' } as const;
  const one = epsilon(sampled as never);
  assert.ok(one.pld < epsilon({ ...sampled, sampleRate: 1 } as never).pld && one.rdp === Infinity, `${one.pld}`);
});
