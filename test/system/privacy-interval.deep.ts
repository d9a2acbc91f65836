import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epsilonInterval } from '../../src/core/privacy/index.ts';

describe('epsilonInterval(), small noise', () => {
  for (const [noiseMultiplier, sampleRate, steps] of [
    [0.3, 1e-4, 1000],
    [0.4, 1e-3, 3000],
    [0.5, 0.1, 2000],
    [0.7, 0.01, 5000],
  ] as const) {
    it(`σ ${noiseMultiplier}, q ${sampleRate}, T ${steps}: narrower than 1e-3`, () => {
      const { lower, upper } = epsilonInterval({ noiseMultiplier, sampleRate, steps, delta: 1e-6 });
      assert.ok(lower <= upper && upper - lower < 1e-3, `${lower} to ${upper}`);
    });
  }
});
