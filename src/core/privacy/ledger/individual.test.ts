import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createNodeEntropy } from '../../../adapters/entropy-node.ts';
import { boundedAggregator } from '../../aggregation/bounded.ts';
import { releaseBounded } from '../bounded-release.ts';
import { subsampledGaussianRdp } from '../accounting/rdp.ts';
import { addSaved, individualDivergences, savedBy } from './individual.ts';
import { divergencesOf, ODOMETER_ORDERS, odometerEpsilon } from './odometer.ts';

const close = (a: number, b: number, tolerance: number) => assert.ok(Math.abs(a - b) <= tolerance, `${a} ≠ ${b}`);

test('an individual odometer by hand: four rounds of σ = 2, a deviation of half of the clip norm', () => {
  const step = { noiseMultiplier: 2, sampleRate: 1, steps: 1 };
  const worst = divergencesOf([{ ...step, steps: 4 }]);
  // ρ(α) = 4 · α/(2 · 2²) = α/2 at worst; of a quarter of the square it is α/8.
  close(worst[ODOMETER_ORDERS.indexOf(8)]!, 4, 1e-12);
  const saved = [1, 2, 3, 4].reduce<readonly number[] | undefined>(
    (sum) => addSaved(sum, savedBy(1 / 4, step)),
    undefined,
  );
  const own = individualDivergences(worst, saved);
  close(own[ODOMETER_ORDERS.indexOf(8)]!, 1, 1e-11);
  // min over α of α/2 + ln(16 · 10⁵) ÷ (α − 1): at 6, 3 + 14.2855/5; of α/8: at 12, 1.5 + 14.2855/11.
  close(odometerEpsilon(worst, 1e-5), 3 + Math.log(16e5) / 5, 1e-9);
  close(odometerEpsilon(own, 1e-5), 1.5 + Math.log(16e5) / 11, 1e-9);
  assert.equal(individualDivergences(worst, undefined), worst, 'nothing known is the worst case');
  assert.equal(odometerEpsilon(divergencesOf([]), 1e-5), 0);
});

test('the individual loss is at most the worst case, order by order, and falls with the share (law)', () => {
  const inputs = fc.record({
    noise: fc.double({ min: 0.5, max: 10, noNaN: true }),
    sampleRate: fc.constantFrom(0.01, 0.2, 1),
    shares: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  fc.assert(
    fc.property(inputs, ({ noise, sampleRate, shares }) => {
      const step = { noiseMultiplier: noise, sampleRate, steps: 1 };
      const worst = divergencesOf([{ ...step, steps: shares.length }]);
      const saved = shares.reduce<readonly number[] | undefined>(
        (sum, s) => addSaved(sum, savedBy(s, step)),
        undefined,
      );
      const own = individualDivergences(worst, saved);
      assert.ok(own.every((value, k) => value >= 0 && value <= worst[k]!));
      assert.ok(odometerEpsilon(own, 1e-5) <= odometerEpsilon(worst, 1e-5));
      // Never below what these deviations really cost.
      for (const [k, order] of ODOMETER_ORDERS.entries()) {
        const truth = shares.reduce(
          (sum, s) => sum + (s === 0 ? 0 : subsampledGaussianRdp(noise / Math.sqrt(s), sampleRate, order)),
          0,
        );
        assert.ok(own[k]! >= truth * (1 - 1e-9) - 1e-12 * worst[k]!, `${order}: ${own[k]} ≥ ${truth}`);
      }
    }),
    { seed: 7, numRuns: 25 },
  );
});

test('an odometer holds at every step at once: simulated privacy losses exceed it in at most δ of the runs', () => {
  // Adaptive noise: after a step whose loss was high, the next is taken with less noise. Losses of Gaussian steps are
  // N(μ²/2, μ²) for μ = 1/σ. At δ = 0.05 of 4,000 runs 200 may exceed; a false alarm is 6 deviations away.
  const [runs, delta] = [4000, 0.05];
  let state = 1;
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const gaussian = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  let exceeded = 0;
  for (let run = 0; run < runs; run++) {
    const spent = ODOMETER_ORDERS.map(() => 0);
    let [loss, sigma, isAbove] = [0, 4, false];
    for (let t = 0; t < 20 && !isAbove; t++) {
      const mu = 1 / sigma;
      const step = mu * mu * 0.5 + mu * gaussian();
      loss += step;
      for (const [k, order] of ODOMETER_ORDERS.entries()) spent[k]! += order / (2 * sigma * sigma);
      isAbove = loss > odometerEpsilon(spent, delta);
      sigma = step > 0 ? 2 : 6;
    }
    if (isAbove) exceeded += 1;
  }
  assert.ok(exceeded <= runs * delta + 6 * Math.sqrt(runs * delta * (1 - delta)), `${exceeded}`);
});

test('a release measures the share of each update on its own grid; an adaptive clip charges the count to everybody', () => {
  const bound = boundedAggregator([{ rule: 'centered-clipping', radius: 2, iterations: 1 }], 4);
  assert.ok(bound.ok);
  const reference = Float32Array.of(1, 0, 0);
  const updates = [Float32Array.of(1, 0, 0), Float32Array.of(2, 0, 0), Float32Array.of(99, 0, 0)];
  const measure = (adaptiveClip?: { quantile: number; rate: number }) => {
    let heard: readonly number[] = [];
    const onLossShares = (shares: readonly number[]) => void (heard = shares);
    const options = { reference, noiseMultiplier: 1, entropy: createNodeEntropy(), onLossShares };
    releaseBounded(bound.value, updates, { ...options, ...(adaptiveClip && { adaptiveClip }) });
    return heard;
  };
  // At the reference, half of the radius away, and clipped.
  for (const [i, share] of [0, 0.25, 1].entries()) close(measure()[i]!, share, 1e-5);
  // The count has noise of 5 for an indicator ±½ on a grid of half steps: its part is 1/(4 · (5² − 1)).
  const count = 1 / (4 * 24);
  const shares = measure({ quantile: 0.5, rate: 0.2 });
  for (const [i, share] of [0, 0.25, 1].entries()) close(shares[i]!, share * (1 - count) + count, 1e-5);
});
