// What must not compile: each line below is an error of types, and `tsc` fails where one of them is none any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { releaseBounded, type Release } from './bounded-release.ts';
import { flipCoins } from './coins.ts';
import { noisyUpdate } from './local/noisy-update.ts';
import { unitUpdate, unitUpdates } from './local/priv-unit-update.ts';
import { hadamardReport, unaryReport } from './local/frequency.ts';
import { createPrivateSum } from './mechanisms/private-sum.ts';
import { discreteGaussianNoise, discreteLaplaceNoise, skellamNoise } from './mechanisms/integer-noise.ts';

const rng = createRng(1);
const half = { p: 0.5, q: 0.25 };

/** Noise from a seed: every way to draw it wants `Entropy`. */
const seeded: readonly (() => unknown)[] = [
  // @ts-expect-error a seeded generator is no entropy
  () => discreteGaussianNoise(rng, { n: 9, d: 1 }).next(),
  // @ts-expect-error a seeded generator is no entropy
  () => discreteLaplaceNoise(rng, { t: 2, s: 1 }).next(),
  // @ts-expect-error a seeded generator is no entropy
  () => skellamNoise(rng, { n: 2, d: 1 }).next(),
  // @ts-expect-error a seeded generator is no entropy
  () => createPrivateSum({ dimension: 2, clipNormL2: 1, noiseMultiplier: 1, entropy: rng }).release(),
  // @ts-expect-error a seeded generator is no entropy
  () => noisyUpdate([1, 2], { clipNorm: 1, noise: 1, entropy: rng }),
  () =>
    unitUpdate([1, 2], {
      clipNorm: 1,
      setting: unitUpdates(2, { epsilon: 1, delta: 1e-5, releases: 1 }),
      // @ts-expect-error a seeded generator is no entropy
      entropy: rng,
    }),
  // @ts-expect-error a seeded generator is no entropy
  () => unaryReport(rng, 0, 2, half),
  // @ts-expect-error a seeded generator is no entropy
  () => hadamardReport(rng, 0, 2, 1),
  // @ts-expect-error a seeded generator is no entropy
  () => flipCoins(rng, ['a', 'b'], 0.5),
  // @ts-expect-error bytes without a purpose are no entropy either
  () => discreteGaussianNoise({ fillBytes: (target: Uint8Array) => void target.fill(0) }, { n: 9, d: 1 }),
];

/** A release that was not made with integer noise, or whose rule has no proven bound. */
const unproven: readonly (() => unknown)[] = [
  (): Release => {
    const vector = Float32Array.from({ length: 2 }, () => rng.gaussian());
    // @ts-expect-error floating-point noise is no release: only releaseBounded makes one
    return { vector, radius: 1, nextRadius: 1, noiseMultiplier: 1, noiseNorm: 1, noise: 'secret' };
  },
  () =>
    // @ts-expect-error a rule without a proven sensitivity cannot be released
    releaseBounded({ rule: 'krum', f: 1 }, [], { reference: [0], noiseMultiplier: 1, entropy: rng }),
];

test('a seed is no entropy and a noisy vector no release: refused by types, and noise from a seed at run time too', () => {
  assert.equal(unproven.length, 2);
  for (const draw of seeded.slice(0, -1)) assert.throws(draw, TypeError, String(draw));
});
