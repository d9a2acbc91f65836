// Compositions of 1,024 steps and more by another method: a Laplace transform inverted on its saddle line, and exact binomials.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epsilon, epsilonInterval } from '../../src/core/privacy/index.ts';
import { gaussianDelta } from '../../src/core/privacy/accounting/analytic-gaussian.ts';
import { logBinomial } from '../../src/core/privacy/numerics/log-space.ts';
import { pldEpsilon } from '../../src/core/privacy/pld/pld-epsilon.ts';
import { subsampledGaussianPair } from '../../src/core/privacy/pld/gaussian-pair.ts';
import { checkPoint, gaussianPoint, laplacePoint } from './many-steps.ts';

test('PLD over 1,024 to a million sampled Gaussians: never below the inverted transform, and 2e-4 above it at most', () => {
  checkPoint(gaussianPoint(1e-6, [[0.8, 0.05, 1024]]), 2e-4);
  checkPoint(gaussianPoint(1e-12, [[5, 0.01, 100_000]]), 2e-4);
  checkPoint(gaussianPoint(1e-6, [[3, 1e-4, 1_000_000]]), 2e-4);
  const two = [
    [2, 0.1, 700],
    [4, 0.3, 500],
  ] as const;
  checkPoint(gaussianPoint(1e-9, two), 2e-4);
});

test('PLD over 2,048 Laplace releases, all and sampled: never below, and 1e-3 above at most', () => {
  checkPoint(laplacePoint(1e-6, [30, 1, 2048]));
  checkPoint(laplacePoint(1e-6, [3, 0.05, 2048]));
});

test('PLD over many Gaussians without sampling is the exact Gaussian, where it is told nothing of that', () => {
  for (const [mu, steps] of [
    [1, 1024],
    [3, 4096],
    [0.3, 1_000_000],
  ] as const) {
    const pair = subsampledGaussianPair(Math.sqrt(steps) / mu, 1);
    const found = pldEpsilon([{ pair, count: steps }], { delta: 1e-8 });
    assert.ok(gaussianDelta(mu, found) <= 1e-8, `μ ${mu}, T ${steps}: ${found}`);
    assert.ok(gaussianDelta(mu, found - 3e-4) > 1e-8, `μ ${mu}, T ${steps}: ${found}`);
  }
});

/** δ of T randomised responses on two answers: how often the true one was given is all that counts. */
function responseDelta(own: number, steps: number, eps: number): number {
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const loss = (2 * k - steps) * Math.log(own / (1 - own));
    if (loss <= eps) continue;
    const log = logBinomial(steps, k) + k * Math.log(own) + (steps - k) * Math.log1p(-own);
    sum += Math.exp(log) * -Math.expm1(eps - loss);
  }
  return sum;
}

test('PLD over 1,024 to 8,192 randomised responses is the exact binomial', () => {
  for (const [noiseParameter, steps, delta] of [
    [0.98, 1024, 1e-5],
    [0.95, 4096, 1e-9],
    [0.99, 8192, 1e-6],
  ] as const) {
    const response = { mechanism: 'randomized-response', noiseParameter, bucketCount: 2, steps, delta } as const;
    const { pld } = epsilon(response);
    const name = `p ${noiseParameter}, T ${steps}`;
    // Logarithms of factorials are good to 1e-13 of themselves: 1e-7 of δ.
    assert.ok(responseDelta(1 - noiseParameter / 2, steps, pld) <= delta * (1 + 1e-7), `${name}: ${pld}`);
    assert.ok(responseDelta(1 - noiseParameter / 2, steps, pld - 1e-3) > delta, `${name}: ${pld}`);
    if (steps > 1024) continue;
    const { lower } = epsilonInterval(response);
    assert.ok(responseDelta(1 - noiseParameter / 2, steps, lower) >= delta * (1 - 1e-7), `${name}: from ${lower}`);
  }
});
