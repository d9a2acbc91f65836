import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { adaptedPace, adaptiveSchema, nothingMeasured, roundSeconds, smoothed } from './pace.ts';

const options = adaptiveSchema.parse({ roundSeconds: 12, stepsMin: 4 });
const measured = (secondsPerSample: number) => ({ secondsPerSample, transferSeconds: 2, samples: 100 });

test('adaptedPace() by hand: 10 s of training are steps of the batch, then smaller batches, then single samples', () => {
  assert.deepEqual(adaptedPace(options, measured(0.01), 32), { stepsMax: 31, batchSize: 32 }); // 1000 samples
  assert.deepEqual(adaptedPace(options, measured(0.1), 32), { stepsMax: 4, batchSize: 25 }); // 100 samples
  assert.deepEqual(adaptedPace(options, measured(3), 32), { stepsMax: 3, batchSize: 1 }); // 3.3 samples
  assert.deepEqual(adaptedPace(options, measured(100), 32), { stepsMax: 1, batchSize: 1 });
  assert.equal(adaptedPace(options, nothingMeasured, 32), undefined);
  assert.equal(adaptedPace(options, measured(0), 32), undefined);
});

test('adaptedPace() keeps within the time wherever one sample fits into it, and never has a larger batch', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 10, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (secondsPerSample, batch) => {
        const pace = adaptedPace(options, measured(secondsPerSample), batch)!;
        assert.ok(pace.batchSize >= 1 && pace.batchSize <= batch && pace.stepsMax >= 1);
        const seconds = pace.stepsMax * pace.batchSize * secondsPerSample;
        assert.ok(seconds <= Math.max(10 * (1 + 1e-12), secondsPerSample), `${seconds}`);
      },
    ),
    { seed: 12, numRuns: 500 },
  );
});

test('what was measured is smoothed, and gives the time of a round', () => {
  assert.equal(smoothed(null, 3), 3);
  assert.equal(smoothed(1, 3), 2);
  assert.equal(roundSeconds(measured(0.5)), 52);
  assert.equal(roundSeconds(nothingMeasured), undefined);
});
