import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entropy } from '../../ports/entropy.ts';
import { boundedAggregator } from '../aggregation/bounded.ts';
import { createRng } from '../random/rng.ts';
import { gaussianEpsilon } from './accounting/analytic-gaussian.ts';
import { auditLowerBound, guessCanaries } from './audit.ts';
import { releaseBounded } from './bounded-release.ts';
import { flipCoins } from './coins.ts';

const DELTA = 1e-5;
const CANARIES = 10_000;

const many = boundedAggregator([{ rule: 'centered-clipping', radius: 1 }], CANARIES / 2);

/**
 * The pipeline of a round: secret coins decide who takes part, updates are clipped around a reference, summed as integers,
 * noised and rescaled. Each canary is a client whose whole clipped vector lies on a coordinate of its own; the coins are
 * what the audit guesses, so the claim is that of sample rate 1.
 */
function auditRelease(noiseMultiplier: number, seed: number): number {
  const rng = createRng(seed).child('audit');
  const entropy: Entropy = {
    purpose: 'secret',
    fillBytes: (target) => {
      for (let i = 0; i < target.length; i++) target[i] = rng.uint32();
    },
  };
  assert.ok(many.ok);
  const participants = flipCoins(
    entropy,
    Array.from({ length: CANARIES }, (_, i) => i),
    0.5,
  );
  function* updates() {
    const canary = new Float64Array(CANARIES);
    for (const i of participants) {
      canary[i] = 5;
      yield canary;
      canary[i] = 0;
    }
  }
  const reference = new Float32Array(CANARIES);
  const { vector } = releaseBounded(many.value, updates(), { reference, noiseMultiplier, entropy });
  const isIncluded = Array.from({ length: CANARIES }, () => false);
  for (const i of participants) isIncluded[i] = true;
  return auditLowerBound({ ...guessCanaries(vector, isIncluded, 500), delta: DELTA });
}

describe('one-run audit of a private round', () => {
  // For a sound release the bound is wrong with probability 5 % at most; the broken one was caught under 12 seeds of 12.
  const claimed = gaussianEpsilon(1 / 1.5, DELTA);

  it('stays below the claimed ε and says something', () => {
    const bound = auditRelease(1.5, 1);
    assert.ok(bound > 0.3 && bound < claimed, `${bound} against ${claimed}`);
  });

  it('catches a release with half of the noise', () => {
    const bound = auditRelease(0.75, 1);
    assert.ok(bound > claimed, `${bound} against ${claimed}`);
  });

  it('refuses impossible counts', () => {
    assert.throws(() => auditLowerBound({ canaries: 5, guesses: 6, right: 1, delta: 0 }), /right ≤ guesses ≤ canaries/);
  });
});
