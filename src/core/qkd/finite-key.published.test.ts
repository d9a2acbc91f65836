import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { finiteKeyLength } from './finite-key.ts';

/*
 * The figures that Lim et al. 2014 print as numbers (arXiv:1311.7129, section IV); the rest of their evaluation is
 * curves, and its other number is not met (docs/explanation/qkd.md). Rates are optimised over basis, intensities and their probabilities, as theirs; ε_sec = κ ℓ with κ = 1e-15.
 */

type Choice = readonly [basisX: number, p1: number, p2: number, mu1: number, mu2: number];

/** Key bits a pulse under a choice; 0 where the choice is none or the bounds give no key. */
function rate(blockSize: number, distanceKm: number, [basisX, p1, p2, mu1, mu2]: Choice): number {
  const p3 = 1 - p1 - p2;
  const mu3 = 2e-4;
  const isChoice =
    Math.min(p1, p2, p3) > 1e-4 && basisX > 0.01 && basisX < 0.999 && mu2 > 2 * mu3 && mu1 > mu2 + mu3 && mu1 < 1;
  if (!isChoice) return 0;
  // ε_sec = κ ℓ: a fixed point, from the block's size down.
  let epsilonSecrecy = 1e-15 * blockSize;
  let keyRate = 0;
  for (let i = 0; i < 4; i++) {
    const key = finiteKeyLength({
      blockSize,
      distanceKm,
      basisProbabilityX: basisX,
      intensities: [mu1, mu2, mu3],
      intensityProbabilities: [p1, p2, p3],
      detectorEfficiency: 0.1,
      darkCountProbability: 6e-7,
      afterPulseProbability: 0.04,
      misalignment: 0.005,
      attenuationDbPerKm: 0.2,
      errorCorrectionEfficiency: 1.16,
      epsilonSecrecy,
      epsilonCorrectness: 1e-15,
    });
    if (key.keyLengthBits === 0) return 0;
    epsilonSecrecy = 1e-15 * key.keyLengthBits;
    keyRate = key.keyRatePerPulse;
  }
  return keyRate;
}

/** The best rate that a seeded search finds: random choices, then smaller and smaller steps around the best. */
function optimisedRate(blockSize: number, distanceKm: number, start: Choice = [0.7, 0.4, 0.35, 0.5, 0.15]): number {
  const rng = createRng(2014);
  let best = start;
  let bestRate = rate(blockSize, distanceKm, best);
  for (let i = 0, scale = 0.5; i < 3000; i++, scale *= 0.9985) {
    const next = best.map((value) => value * Math.exp(scale * rng.gaussian())) as unknown as Choice;
    const found = rate(blockSize, distanceKm, next);
    if (found > bestRate) [best, bestRate] = [next, found];
  }
  return bestRate;
}

test('published: at 100 km a block of 1e9 gives "about 1.75 times" the rate of one of 1e7; ours is within 6 %', () => {
  const ratio = optimisedRate(1e9, 100) / optimisedRate(1e7, 100);
  assert.ok(Math.abs(ratio / 1.75 - 1) < 0.06, `${ratio}`);
});

test('published: figure 1 begins at about 1e-2 bits a pulse for a block of 1e9', () => {
  const found = optimisedRate(1e9, 0);
  assert.ok(found > 0.008 && found < 0.012, `${found}`);
});
