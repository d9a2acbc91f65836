import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from './plan.ts';

const parse = (privacy: object) =>
  parsePlan({
    model: { kind: 'softmax-regression', inputs: 2, classes: 2 },
    cohort: { expected: 10 },
    rounds: { count: 20 },
    privacy: { mode: 'central', epsilon: 4, delta: 1e-5, ...privacy } as never,
  });

test('what may be solved anew is said beforehand, each with its range', () => {
  const replan = { noise: [0.5, 3], clipNorm: [0.5, 2], sampleRate: [0.2, 0.8], rounds: [10, 30] };
  const { privacy } = parse({ sampleRate: 0.5, adaptiveClip: {}, replan });
  assert.deepEqual(privacy.mode === 'central' && privacy.replan, replan);
});

const refused: readonly (readonly [object, RegExp])[] = [
  [
    { sampleRate: 0.5, replan: { sampleRate: [0.6, 1] } },
    /privacy\.replan\.sampleRate: must hold privacy\.sampleRate, which is 0\.5 \(nearest: \[0\.5, 1\]\): current value is \[0\.6, 1\]/,
  ],
  [
    { replan: { rounds: [21, 40] } },
    /privacy\.replan\.rounds: must hold rounds\.count, which is 20 \(nearest: \[20, 40\]\)/,
  ],
  [{ replan: { clipNorm: [0.5, 2] } }, /privacy\.replan\.clipNorm: must be left out without adaptiveClip/],
  [
    { adaptiveClip: {}, replan: { clipNorm: [2, 3] } },
    /privacy\.replan\.clipNorm: must hold privacy\.clipNorm, which is 1 \(nearest: \[1, 3\]\)/,
  ],
  [{ replanEvery: 0, replan: { rounds: [10, 30] } }, /privacy\.replanEvery: must be above 0 with privacy\.replan/],
  [{ replan: { rounds: [30, 10] } }, /privacy\.replan\.rounds: must be \[least, most\], the least first/],
  [{ mechanism: 'dp-ftrl', replan: { rounds: [10, 30] } }, /privacy\.replan: must be left out with dp-ftrl/],
];

test('a plan that cannot be solved anew as it asks is refused with the reason and the nearest plan', () => {
  for (const [privacy, message] of refused) assert.throws(() => parse(privacy), message, JSON.stringify(privacy));
});
