// Attacks whose updates can be reckoned by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { alieZMax } from './alie.ts';
import { blend, counts, seen } from './attack.ts';
import { hiddenDrift } from './hidden-drift.ts';
import { attacks } from './index.ts';
import { worstStrength } from './line-search.ts';
import { mimic } from './mimic.ts';
import { minMax } from './min-max.ts';
import { minSum } from './min-sum.ts';
import { poisons } from './poison/index.ts';
import { signDrift } from './sign-drift.ts';
import { centredGram, deviationOf, distance2, meanOf, normalQuantile } from './statistics.ts';

const close = (actual: number, wanted: number, error = 1e-6) =>
  assert.ok(Math.abs(actual - wanted) <= error, `${actual} instead of ${wanted}`);
// Mean (2, 2, 2), deviations (√2, 0, √8).
const honest = [Float32Array.of(1, 2, 0), Float32Array.of(3, 2, 4)];
const input = { own: Float32Array.of(1, 0, 2), honest, round: 10, seed: 1 };
const values = async (vector: Float32Array | Promise<Float32Array>) => Array.from(await vector, (value) => value + 0);

test('what an attacker sees and reckons with', () => {
  assert.deepEqual(seen({ ...input, honest: [] }), [input.own]);
  assert.equal(seen(input), honest);
  assert.deepEqual(counts(input), { n: 3, f: 1 });
  assert.deepEqual(counts({ ...input, attackerCount: 4 }), { n: 6, f: 4 });
  assert.deepEqual(counts({ ...input, attackerCount: 4, clientCount: 50 }), { n: 50, f: 4 });
  assert.deepEqual(
    [
      ...blend([
        [2, [1, 2]],
        [-1, [3, 5]],
      ]),
    ],
    [-1, -1],
  );
});

test('drifts: its own update, moved by shares of the honest deviations', async () => {
  const hidden = await values(hiddenDrift(0.5)(input));
  // Half of √10 ÷ √12 of the mean, and a zero stays one.
  const scale = 0.5 * Math.sqrt(10 / 12);
  [1 - 2 * scale, 0, 2 - 2 * scale].forEach((value, k) => close(hidden[k]!, value));
  const opposite = [Float32Array.of(1, -1, 0), Float32Array.of(-1, 1, 0)];
  assert.deepEqual(await values(hiddenDrift(3)({ ...input, honest: opposite })), [1, 0, 2]);
  const signed = await values(signDrift(2)(input));
  [1 - 2 * Math.SQRT2, 0, 2 - 2 * Math.sqrt(8)].forEach((value, k) => close(signed[k]!, value));
  const mirrored = { ...input, honest: honest.map((row) => row.map((value) => -value)) };
  close((await signDrift(2)(mirrored))[2]!, 2 + 2 * Math.sqrt(8));
  // 0.02 deviations a round, 0.4 at most.
  close((await attacks['slow-drift'](input))[2]!, 2 - 0.2 * Math.sqrt(8));
  close((await attacks['slow-drift']({ ...input, round: 500 }))[2]!, 2 - 0.4 * Math.sqrt(8));
  assert.deepEqual(await values(attacks.scaling(input)), [10, 0, 20]);
  assert.deepEqual(await values(attacks['on-off']({ ...input, round: 4 })), [1, 0, 2]);
  assert.deepEqual(await values(attacks['on-off']({ ...input, round: 5 })), [-1, 0, -2]);
  assert.deepEqual(await values(attacks['on-off']({ ...input, round: 10 })), [1, 0, 2]);
});

test('noise has the strength it says: three times, and once, the root mean square of the own update', async () => {
  const own = new Float32Array(20_000).fill(2);
  const meanSquare = (vector: Float32Array) => vector.reduce((sum, value) => sum + value * value, 0) / vector.length;
  const normal = await attacks.gaussian({ ...input, own });
  // Six standard errors: 36 · √(2 ÷ 20,000) · 6.
  close(meanSquare(normal), 36, 36 * 0.06);
  const even = await attacks.random({ ...input, own });
  close(meanSquare(even), 4, 4 * 0.04);
  const reach = 2 * Math.sqrt(3);
  assert.ok(even.every((value) => Math.abs(value) <= reach));
  assert.ok(even.some((value) => value > 0.99 * reach) && even.some((value) => value < -0.99 * reach));
  close(even.reduce((sum, value) => sum + value, 0) / 20_000, 0, 0.09);
  const lazy = await attacks.lazy({ ...input, own });
  close(meanSquare(lazy), 0.04, 0.04 * 0.06);
  const sybil = await attacks.sybil({ ...input, own });
  // As long as its own update, and a hundredth of that.
  close(Math.sqrt(meanSquare(sybil)), 2, 0.05);
});

test('min-max and min-sum push as far as the honest rows allow', async () => {
  // On a line at 0, 2 and 4: mean 2, deviation 2; the widest pair is 4 apart, so the push ends at 4 − 4 = 0.
  const line = { ...input, honest: [0, 2, 4].map((value) => Float32Array.of(value)) };
  close((await minMax()(line))[0]!, 0, 1e-5);
  close((await minMax('unit')(line))[0]!, 0, 1e-5);
  close((await minMax('sign')(line))[0]!, 0, 1e-5);
  // Sums of squares: 4 + 16 = 20 at the ends; 3 γ² + 8 = 20 gives a push of 2.
  close((await minSum()(line))[0]!, 0, 1e-5);
  const wide = { ...input, honest: [0, 1, 5].map((value) => Float32Array.of(value)) };
  // Mean 2; the widest sum is 25 + 16 = 41, that of the mean 14: 3 γ² + 14 = 41.
  close((await minSum('unit')(wide))[0]!, 2 - 3, 1e-5);
  close((await minMax('unit')(wide))[0]!, 0, 1e-5);
  assert.deepEqual(await values(minMax('unit')({ ...input, honest: [Float32Array.of(0), Float32Array.of(0)] })), [0]);
});

test('worstStrength() asks twenty times, steps out while it pays and shortens what does not', async () => {
  const search = async (damage: (strength: number) => number) => {
    let asked = 0;
    const aggregate = async (rows: readonly Float32Array[]) => {
      asked += 1;
      return Float32Array.of(damage(rows.at(-1)![0]!));
    };
    const found = await worstStrength({ ...input, honest: [Float32Array.of(0)], aggregate }, (s) => Float32Array.of(s));
    assert.equal(asked, 20);
    return found;
  };
  assert.equal(await search((s) => s), 190);
  assert.equal(await search(() => 7), 0, 'no step pays');
  // Best at 25: 10 and 20 pay, 30 does not; 20 + 8 pays (22), and none of the shorter ones after it.
  assert.equal(await search((s) => Math.max(0, 25 - Math.abs(s - 25))), 28);
  assert.equal(await worstStrength(input, (s) => Float32Array.of(s)), 1, 'without a rule to ask');
});

test('mimic repeats the row that is farthest out in the main direction, or the one it is told', async () => {
  const rows = [
    [0, 0],
    [0, 1],
    [9, 0],
    [1, 1],
  ].map((row) => Float32Array.from(row));
  assert.deepEqual(await values(mimic()({ ...input, honest: rows })), [9, 0]);
  assert.deepEqual(await values(mimic(1)({ ...input, honest: rows })), [0, 1]);
});

test('the statistics of attacks: moments, centred products and the normal quantile', () => {
  assert.deepEqual([...meanOf(honest)], [2, 2, 2]);
  [Math.SQRT2, 0, Math.sqrt(8)].forEach((value, k) => close(deviationOf(honest, meanOf(honest))[k]!, value, 1e-12));
  assert.deepEqual([...deviationOf([[3, 4]], Float64Array.of(3, 4))], [0, 0]);
  assert.equal(distance2([1, 5], [4, 1]), 25);
  const rng = createRng(4);
  for (const d of [1, 4, 7, 10]) {
    const rows = Array.from({ length: 3 }, () => Float32Array.from({ length: d }, rng.gaussian));
    const mean = meanOf(rows);
    const gram = centredGram(rows, mean);
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries())
        close(
          gram[3 * i + j]!,
          a.reduce((sum, value, k) => sum + (value - mean[k]!) * (b[k]! - mean[k]!), 0),
          1e-12,
        );
    }
  }
  for (const [p, z] of [
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.3, -0.5244005127080407],
    [1e-12, -7.034483825301131],
  ] as const) {
    close(normalQuantile(p), z, p > 1e-6 ? 1e-9 : 1e-5);
    if (p > 1e-6) close(normalQuantile(1 - p), -z, 1e-9);
  }
  for (const p of [0, 1, -1, Number.NaN]) assert.throws(() => normalQuantile(p), RangeError);
  // n = 50, f = 24: 26 − 24 = 2 supporters among 26 honest clients: Φ⁻¹(24/26).
  close(alieZMax(50, 24), 1.42607687227285, 1e-9);
  close(alieZMax(10, 2), normalQuantile(4 / 8), 1e-12);
});

test('a backdoor takes about half of the samples and leaves the others alone; an edge-case one the tenth farthest out', () => {
  const samples = {
    features: new Float32Array(600 * 784).fill(0.25),
    labels: new Int32Array(600).fill(7),
    width: 784,
    lineLength: 28,
    classCount: 10,
  };
  const { features, labels } = poisons.backdoor(samples, { seed: 5, colluder: 0 });
  const hit = [...labels.keys()].filter((i) => labels[i] === 0);
  assert.ok(hit.length > 225 && hit.length < 375, `${hit.length} of 600`);
  for (const i of labels.keys()) {
    const lit = features.subarray(i * 784, (i + 1) * 784).filter((value) => value === 1).length;
    assert.deepEqual([labels[i], lit], hit.includes(i) ? [0, 4] : [7, 0]);
  }
  const small = {
    features: Float32Array.of(0, 0, 1, 9, 10, 10),
    labels: Int32Array.of(1, 1, 1, 1, 2, 2),
    width: 1,
    lineLength: 1,
    classCount: 3,
  };
  // Class 1 has its centre at 2.5: the sample at 9 is farthest from it. One tenth of six is one.
  assert.deepEqual([...poisons['edge-case-backdoor'](small, { seed: 1, colluder: 0 }).labels], [1, 1, 1, 0, 2, 2]);
  assert.deepEqual([...poisons['label-flip'](small, { seed: 1, colluder: 0 }).labels], [1, 1, 1, 1, 0, 0]);
  assert.deepEqual([...poisons['cyclic-label-flip'](small, { seed: 1, colluder: 0 }).labels], [2, 2, 2, 2, 0, 0]);
});
