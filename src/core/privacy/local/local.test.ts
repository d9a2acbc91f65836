// Fixed seeds; bounds of six standard errors, so a false alarm under a fresh seed has probability below 1e-6.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createRng } from '../../random/rng.ts';
import {
  FREQUENCY_ORACLES,
  frequencyVariance,
  hadamardFrequencies,
  hadamardOrder,
  hadamardReport,
  unaryFrequencies,
  unaryReport,
} from './frequency.ts';
import { privUnit, privUnitReport } from './priv-unit.ts';

const rng = createRng(11).child('local');
const entropy: Entropy = {
  purpose: 'secret',
  fillBytes: (target) => {
    for (let i = 0; i < target.length; i++) target[i] = rng.uint32();
  },
};

/** Two in five clients hold 0, the others 2. */
const held = Array.from({ length: 3000 }, (_, i) => (i % 5 < 2 ? 0 : 2));
const truth = [0.4, 0, 0.6, 0, 0];

describe('local reports', () => {
  for (const id of ['rappor', 'oue'] as const) {
    it(`${id} estimates frequencies without bias`, () => {
      const law = FREQUENCY_ORACLES[id](1.5);
      const counts = new Float64Array(5);
      for (const value of held) unaryReport(entropy, value, 5, law).forEach((bit, i) => (counts[i]! += bit));
      const found = unaryFrequencies(counts, held.length, law);
      const error = 6 * Math.sqrt(frequencyVariance(law, held.length) + 0.25 / held.length);
      truth.forEach((share, i) => assert.ok(Math.abs(found[i]! - share) < error, `${id} at ${i}: ${found[i]}`));
    });
  }

  it('Hadamard responses estimate frequencies without bias', () => {
    const counts = new Float64Array(hadamardOrder(5));
    for (const value of held) counts[hadamardReport(entropy, value, 5, 1.5)]!++;
    const found = hadamardFrequencies(counts, 5, 1.5);
    const error = (6 * (Math.exp(1.5) + 1)) / Math.expm1(1.5) / Math.sqrt(held.length);
    truth.forEach((share, i) => assert.ok(Math.abs(found[i]! - share) < error, `at ${i}: ${found[i]}`));
  });

  it('PrivUnit keeps the direction on average and its budget exactly', () => {
    const setting = privUnit(8, 3);
    const { p, capShare } = setting;
    assert.ok(Math.abs(Math.log(p / (1 - p)) + Math.log((1 - capShare) / capShare) - 3) < 1e-9);
    const vector = Float64Array.from({ length: 8 }, (_, i) => (i === 3 ? 1 : 0));
    const mean = new Float64Array(8);
    const reports = 1500;
    for (let i = 0; i < reports; i++)
      privUnitReport(entropy, vector, setting).forEach((x, k) => (mean[k]! += x / reports));
    const error = 6 * Math.sqrt((setting.variance + 1) / reports);
    mean.forEach((x, k) => assert.ok(Math.abs(x - vector[k]!) < error, `coordinate ${k}: ${x}`));
  });

  it('refuses a value outside its domain and a vector that is no unit', () => {
    assert.throws(
      () => unaryReport(entropy, 5, 5, FREQUENCY_ORACLES.oue(1)),
      /value must be below 5: current value is 5/,
    );
    assert.throws(() => privUnitReport(entropy, [1, 1], privUnit(2, 1)), /norm 1/);
  });
});
