import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../ports/entropy.ts';
import { type BoundedAggregator, boundedAggregator, withRadius } from '../aggregation/bounded.ts';
import type { Pipeline } from '../aggregation/pipeline.ts';
import { createRng } from '../random/rng.ts';
import { releaseBounded, shrunkReference } from './bounded-release.ts';

const radius = 0.7;
const cohort = 8;

function bounded(pipeline: Pipeline): BoundedAggregator {
  const result = boundedAggregator(pipeline, cohort);
  assert.ok(result.ok);
  return result.value;
}

const centred = bounded([{ rule: 'centered-clipping', radius }]);
const clipped = bounded([{ rule: 'clipping', radius }, { rule: 'mean' }]);

/** The same bytes each time: two releases have the same noise, so they differ by what the updates make. */
function sameEntropy(): Entropy {
  const rng = createRng(3).child('noise');
  return { purpose: 'secret', fillBytes: (target) => void target.forEach((_, i) => (target[i] = rng.uint32())) };
}

function release(aggregator: BoundedAggregator, updates: readonly ArrayLike<number>[], reference: Float32Array) {
  return releaseBounded(aggregator, updates, { reference, noiseMultiplier: 0.02, entropy: sameEntropy() }).vector;
}

const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, k) => value - b[k]!));

for (const [name, aggregator] of Object.entries({ centred, clipped })) {
  test(`${name} clipping under fuzzing: removing moves a release ≤ τ/n̄, replacing ≤ 2τ/n̄, f attackers ≤ fτ/n̄`, () => {
    const rng = createRng(11).child(name);
    const worst = { removed: 0, replaced: 0, attacked: 0 };
    for (let trial = 0; trial < 300; trial++) {
      const d = 1 + rng.below(6);
      const scale = 10 ** (rng.below(9) - 4);
      const row = () => Float64Array.from({ length: d }, () => scale * rng.gaussian());
      const hostile = () => {
        const value = [Number.NaN, Infinity, -1e308, 1e30, 0, 1][rng.below(6)]!;
        return Float64Array.from({ length: d }, () => (rng.below(3) === 0 ? rng.gaussian() : value));
      };
      const reference = Float32Array.from({ length: d }, () => rng.gaussian());
      const honest = Array.from({ length: 1 + rng.below(12) }, row);
      const full = release(aggregator, honest, reference);
      const removed = distance(full, release(aggregator, honest.slice(1), reference));
      const other = rng.below(2) === 0 ? honest[0]!.map((value) => -1e6 * value) : hostile();
      const replaced = distance(full, release(aggregator, [other, ...honest.slice(1)], reference));
      const f = 1 + rng.below(4);
      const push =
        rng.below(2) === 0 ? Array.from({ length: f }, hostile) : Array(f).fill(honest[0]!.map((v) => 1e9 * v));
      const attacked = distance(full, release(aggregator, [...honest, ...push], reference));
      worst.removed = Math.max(worst.removed, removed / aggregator.sensitivityL2('add-remove'));
      worst.replaced = Math.max(worst.replaced, replaced / aggregator.sensitivityL2('replace'));
      worst.attacked = Math.max(worst.attacked, attacked / (f * aggregator.sensitivityL2('add-remove')));
    }
    for (const [what, share] of Object.entries(worst)) {
      assert.ok(share <= 1 + 1e-5, `${what}: ${share} of the bound`);
      assert.ok(share > 0.98, `${what}: the bound is tight: ${share}`);
    }
  });
}

test('the noise of a release has the deviation z τ/n̄ on each coordinate, also without any update', () => {
  const d = 20_000;
  const options = { reference: new Float32Array(d), noiseMultiplier: 3, entropy: sameEntropy() };
  const { vector, noise, noiseNorm } = releaseBounded(centred, [], options);
  const variance = vector.reduce((sum, value) => sum + value * value, 0) / d;
  const sigma = (3 * radius) / cohort;
  // Six deviations of a chi-square: a false alarm has a probability of 10⁻⁹.
  assert.ok(Math.abs(variance / sigma ** 2 - 1) < 6 * Math.sqrt(2 / d), `${variance / sigma ** 2}`);
  assert.ok(Math.abs(noiseNorm / (sigma * Math.sqrt(d)) - 1) < 1e-5);
  assert.equal(noise, 'secret');
  assert.equal(
    releaseBounded(centred, [], { ...options, entropy: { ...sameEntropy(), isSimulated: true } }).noise,
    'simulated',
  );
});

test('the adaptive radius finds the median distance, and its count is paid for with more noise on the sum', () => {
  const rng = createRng(5);
  const reference = new Float32Array(4);
  const updates = Array.from({ length: 400 }, (_, i) => Float64Array.of((i + 1) / 100, 0, 0, 0));
  const many = boundedAggregator([{ rule: 'centered-clipping', radius: 40 }], 400);
  assert.ok(many.ok);
  const entropy = {
    ...sameEntropy(),
    fillBytes: (target: Uint8Array) => void target.forEach((_, i) => (target[i] = rng.uint32())),
  };
  let now = 40;
  let noiseNorm = 0;
  for (let round = 0; round < 60; round++) {
    const adaptiveClip = { quantile: 0.5, rate: 0.3 };
    const released = releaseBounded(withRadius(many.value, now), updates, {
      reference,
      noiseMultiplier: 1,
      entropy,
      adaptiveClip,
    });
    noiseNorm = released.noiseNorm / ((released.radius * 2) / 400);
    now = released.nextRadius;
  }
  assert.ok(now > 1.6 && now < 2.5, `the median distance is 2: ${now}`);
  assert.ok(noiseNorm > 1 && noiseNorm < 1.02, `${noiseNorm} of the noise without a count`);
});

test('shrunkReference() keeps a clear signal and drops what is likely noise', () => {
  assert.deepEqual(shrunkReference([3, 4], 0), Float32Array.of(3, 4));
  assert.deepEqual(shrunkReference([3, 4], 5), Float32Array.of(0, 0));
  assert.deepEqual(shrunkReference([0, 0], 1), Float32Array.of(0, 0));
  const half = shrunkReference([3, 4], Math.sqrt(12.5));
  assert.ok(Math.abs(half[0]! - 1.5) < 1e-6 && Math.abs(half[1]! - 2) < 1e-6);
});
