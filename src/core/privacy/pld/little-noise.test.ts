import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalUpperQuantile } from '../numerics/erfc.ts';
import { gaussianEpsilon } from '../accounting/analytic-gaussian.ts';
import { epsilon } from '../accounting/epsilon.ts';
import { noiseMultiplier } from '../accounting/noise-multiplier.ts';
import { pldEpsilon } from './pld-epsilon.ts';
import { subsampledGaussianPair } from './gaussian-pair.ts';
import { emptyCells } from './dominating-pair.ts';

/** ln P[N(0, 1) > z] for z ≥ 10, by the asymptotic series. */
function logTail(z: number): number {
  const s = 1 / (z * z);
  return -(z * z) / 2 - Math.log(z * Math.sqrt(2 * Math.PI)) + Math.log1p(-s + 3 * s ** 2 - 15 * s ** 3 + 105 * s ** 4);
}

/** P[N(0, 1) > z], by bisection on its inverse. */
function tail(z: number): number {
  let [low, high] = [-40, Math.log(0.5)];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (normalUpperQuantile(Math.exp(middle)) > z) low = middle;
    else high = middle;
  }
  return Math.exp(low);
}

/** δ of one step at ε, in closed form. */
function exactDelta(sigma: number, q: number, eps: number): number {
  const x = sigma * sigma * (eps - Math.log(q)) + 0.5;
  return q * tail((x - 1) / sigma) - Math.exp(eps + logTail(x / sigma));
}

test('epsilon() holds where losses are too large for doubles: with so little noise nothing is taken for none', () => {
  for (const sigma of [0.035, 0.03, 0.027, 0.02, 0.01]) {
    const { pld } = epsilon({ noiseMultiplier: sigma, sampleRate: 0.1, steps: 1, delta: 1e-5 });
    const delta = exactDelta(sigma, 0.1, pld);
    assert.ok(delta <= 1e-5 * (1 + 1e-6), `σ = ${sigma}: δ(${pld}) is ${delta}`);
    const below = exactDelta(sigma, 0.1, pld * (1 - 1e-4));
    assert.ok(below > 1e-5, `σ = ${sigma}: ${pld} is not far above the truth`);
  }
});

test('an accountant that cannot compute says infinity, never nothing', () => {
  const pair = {
    ...subsampledGaussianPair(1, 0.5),
    cells: (grid: Parameters<typeof emptyCells>[0]) => ({
      ...emptyCells(grid),
      upper: new Float64Array(grid.count).fill(NaN),
    }),
  };
  assert.equal(pldEpsilon([{ pair, count: 1 }], { delta: 1e-5 }), Infinity);
});

test('noiseMultiplier() is not wasteful at a large ε, and ends at its least noise', () => {
  for (const eps of [1000, 5000, 1e5]) {
    const found = noiseMultiplier({ epsilon: eps, sampleRate: 1, steps: 5, delta: 1e-5 });
    assert.ok(found.epsilon <= eps && found.epsilon > 0.9999 * eps, `${found.epsilon} of ${eps}`);
  }
  assert.equal(noiseMultiplier({ epsilon: 1e9, sampleRate: 1, steps: 1, delta: 1e-5 }).noiseMultiplier, 1e-3);
});

test('a million steps with hardly any noise: few meshes are tried, and ε is at most a thousandth above the exact Gaussian', () => {
  for (const sigma of [0.1, 0.5, 20]) {
    const base = subsampledGaussianPair(sigma, 1);
    let meshes = 0;
    const pair = { ...base, cells: (grid: Parameters<typeof emptyCells>[0]) => (meshes++, base.cells(grid)) };
    const truth = gaussianEpsilon(1e3 / sigma, 1e-5);
    const found = pldEpsilon([{ pair, count: 1e6 }], { delta: 1e-5 });
    assert.ok(found >= truth && found < truth * (1 + 2e-3), `σ = ${sigma}: ${found} instead of ${truth}`);
    assert.ok(meshes <= 4, `${meshes} meshes`);
  }
});

test('discrete mechanisms hold where e^loss is no double: the loss is known in closed form', () => {
  // Truths by 50 digits, as sums over the outcomes.
  for (const [step, delta, truth] of [
    [{ mechanism: 'discrete-gaussian', sigma: 1, sensitivity: 50 }, 1e-5, 1449.93432262112],
    [{ mechanism: 'discrete-gaussian', sigma: 0.1, sensitivity: 50 }, 0.01, 124999.989949664],
    [{ mechanism: 'discrete-gaussian', sigma: 0.3, sensitivity: 50 }, 0.4, 13888.3793510757],
    [{ mechanism: 'discrete-laplace', parameter: 40, sensitivity: 30 }, 1e-18, 1200],
    [{ mechanism: 'laplace', noiseMultiplier: 1e-3, sampleRate: 0.3 }, 1e-18, 998.796027195674],
  ] as const) {
    const { pld } = epsilon({ ...step, steps: 1, delta });
    assert.ok(pld >= truth * (1 - 1e-14) && pld < truth * (1 + 1e-5), `${step.mechanism}: ${pld} instead of ${truth}`);
  }
  const all = epsilon({ mechanism: 'discrete-gaussian', sigma: 1, sensitivity: 1, steps: 1, delta: 0 });
  assert.equal(all.pld, Infinity, 'its losses have no bound, though those beyond 15 σ are left out');
  const pure = epsilon({ mechanism: 'approximate', epsilon: 800, deltaPerStep: 0, steps: 2, delta: 1e-9 });
  assert.ok(Math.abs(pure.pld - 1600) < 1e-2, `${pure.pld}`);
});
