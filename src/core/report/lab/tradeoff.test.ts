import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { elementsOf } from '../well-formed.fixture.ts';
import { bestTrials, type SearchRecord, tradeoffCsv, tradeoffSvg } from './tradeoff.ts';

const trial = { rounds: 10, clipNorm: 1, noiseMultiplier: 2.5, sampleRate: 0.5, cohort: 30, deviation: null };
const record: SearchRecord = {
  name: 'tradeoff',
  simulated: true,
  data: 'blobs',
  delta: 1e-5,
  clients: 60,
  trials: [
    { ...trial, epsilon: 8, accuracy: 0.9, isBest: true },
    { ...trial, epsilon: 2, accuracy: 0.7, isBest: false },
    { ...trial, epsilon: 1, accuracy: 0.8, isBest: true },
  ],
  pending: 0,
};

describe('the trade-off', () => {
  it('the front is shown by ε, the table in the order of the search', () => {
    assert.deepEqual(
      bestTrials(record).map(({ epsilon }) => epsilon),
      [1, 8],
    );
    const [head, first, second] = tradeoffCsv(record).split('\r\n');
    assert.equal(head, 'epsilon,accuracy,deviation,rounds,clip_norm,noise_multiplier,sample_rate,cohort,best');
    assert.equal(first, '8,0.9,,10,1,2.5,0.5,30,1');
    assert.equal(second, '2,0.7,,10,1,2.5,0.5,30,0');
  });

  it('the picture is well-formed, says what is simulated, and shows every trial', () => {
    const svg = tradeoffSvg(record);
    assert.ok(elementsOf(svg).includes('svg'));
    assert.match(svg, /blobs, 60 simulated clients, δ = 0.00001/);
    assert.equal(svg.match(/cohort 30\.0/g)!.length, 3);
    assert.match(svg, /2 of 3 trials are beaten by none/);
  });
});
