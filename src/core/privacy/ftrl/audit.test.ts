import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedEntropy } from '../../../simulation/world/simulated-entropy.ts';
import { boundedAggregator } from '../../aggregation/bounded.ts';
import { createRng } from '../../random/rng.ts';
import { gaussianEpsilon } from '../accounting/analytic-gaussian.ts';
import { auditLowerBound, guessCanaries } from '../audit.ts';
import { flipCoins } from '../coins.ts';
import { STRATEGIES } from './index.ts';
import { emptySums } from './strategy.ts';
import { drawSumNoise, releaseSum } from './sum-release.ts';

const DELTA = 1e-5;
const CANARIES = 6000;
const ROUNDS = 4;
const bound = boundedAggregator([{ rule: 'centered-clipping', radius: 1 }], CANARIES / 2);
const strategy = STRATEGIES.banded({ max: 1, separation: 3, bands: 4 });
/** The coefficients of four bands in 32nds, as by hand: C(2j, j) ÷ 4ʲ. */
const coefficients = [32, 16, 12, 10];

/**
 * One run of four rounds. Each canary is a client with a coordinate of its own that takes part in the first round where a
 * coin says so; the attacker undoes what the coordinator solved for and weighs the values by what a client puts into them,
 * which is the best test that there is.
 */
function audited(noiseMultiplier: number, seed: number): number {
  const entropy = createSimulatedEntropy(createRng(seed).child('audit'));
  assert.ok(bound.ok);
  const all = Array.from({ length: CANARIES }, (_, i) => i);
  const participants = flipCoins(entropy, all, 0.5);
  function* updates() {
    const canary = new Float64Array(CANARIES);
    for (const i of participants) {
      canary[i] = 5;
      yield canary;
      canary[i] = 0;
    }
  }
  let state = emptySums;
  const seen: Float32Array[] = [];
  const scores = new Float64Array(CANARIES);
  for (let t = 0; t < ROUNDS; t++) {
    const noise = drawSumNoise(entropy, { dimension: CANARIES, count: 1, clipNormL2: 1, noiseMultiplier });
    const options = { dimension: CANARIES, noiseMultiplier, strategy, state, noise };
    const made = releaseSum(bound.value, t === 0 ? updates() : [], options);
    state = made.state;
    seen.push(made.vector);
    for (let k = 0; k < CANARIES; k++) {
      let value = 0;
      for (let j = 0; j <= t; j++) value += coefficients[j]! * seen[t - j]![k]!;
      scores[k]! += coefficients[t]! * value;
    }
  }
  const isIncluded = all.map(() => false);
  for (const i of participants) isIncluded[i] = true;
  return auditLowerBound({ ...guessCanaries(scores, isIncluded, 500), delta: DELTA });
}

test('a one-run audit of DP-FTRL stays below the claimed ε, and catches half of the noise', () => {
  const square = strategy.price(0, []);
  const norm = Math.sqrt(square);
  assert.equal(
    square,
    coefficients.reduce((sum, c) => sum + c * c, 0),
  );
  const claimed = gaussianEpsilon(1 / 1.5, DELTA);
  // For a sound release the bound is wrong with probability 5 % at most.
  const [right, broken] = [audited(1.5 * norm, 1), audited(0.75 * norm, 1)];
  assert.ok(right > 0.3 && right < claimed, `${right} against ${claimed}`);
  assert.ok(broken > claimed, `${broken} against ${claimed}`);
});
