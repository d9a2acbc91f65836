import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createRng } from '../../random/rng.ts';
import { gaussianEpsilon } from '../accounting/analytic-gaussian.ts';
import { localNoise, noisyUpdate } from './noisy-update.ts';

test('localNoise(): T updates together cost ε at δ, for a change of two clip norms in each', () => {
  for (const [epsilon, delta, releases] of [
    [8, 1e-5, 2],
    [0.5, 1e-6, 40],
  ] as const) {
    const noise = localNoise({ epsilon, delta, releases });
    const spent = gaussianEpsilon((2 * Math.sqrt(releases)) / noise, delta);
    assert.ok(spent <= epsilon && spent > 0.999 * epsilon, `${spent}`);
  }
});

test('noisyUpdate(): two neighbours under the same noise differ by at most two clip norms', () => {
  const same = (): Entropy => {
    const rng = createRng(4);
    return { purpose: 'secret', fillBytes: (target) => void target.forEach((_, i) => (target[i] = rng.uint32())) };
  };
  const [a, b] = [
    [1e9, 3],
    [-1e9, Number.NaN],
  ].map((update) => noisyUpdate(update, { clipNorm: 0.5, noise: 3, entropy: same() }));
  const apart = Math.hypot(...a!.map((value, k) => value - b![k]!));
  assert.ok(apart <= 1 + 1e-5 && apart > 0.99, `${apart}`);
});
