import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createRng } from '../random/rng.ts';
import { dirichlet } from './dirichlet.ts';
import {
  partitionByLabel,
  partitionBySimilarity,
  partitionDirichlet,
  partitionIid,
  splitHoldOut,
} from './partition.ts';

const partitions = {
  iid: partitionIid,
  label: partitionByLabel,
  'dirichlet 0.05': (job: Parameters<typeof partitionIid>[0]) => partitionDirichlet({ ...job, alpha: 0.05 }),
  'dirichlet 10': (job: Parameters<typeof partitionIid>[0]) => partitionDirichlet({ ...job, alpha: 10 }),
};

const labelsOf = (count: number, classes: number) => Int32Array.from({ length: count }, (_, i) => i % classes);

for (const [name, partition] of Object.entries(partitions)) {
  test(`partition ${name} deals each index once, keeps the minimum and repeats with its seed`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 60, max: 200 }),
        fc.nat(),
        (clients, count, seed) => {
          const labels = labelsOf(count, 7);
          const deal = () => partition({ labels, clientCount: clients, samplesMin: 5, rng: createRng(seed) });
          const shares = deal();
          assert.equal(shares.length, clients);
          assert.ok(shares.every((share) => share.length >= 5));
          assert.deepEqual(
            shares.flatMap((share) => [...share]).sort((a, b) => a - b),
            [...labels.keys()],
          );
          assert.deepEqual(deal(), shares);
        },
      ),
      { numRuns: 60 },
    );
  });
}

test('partitionDirichlet() skews labels more at α = 0.1 than at α = 100', () => {
  const labels = labelsOf(5000, 10);
  const spread = (alpha: number) => {
    const shares = partitionDirichlet({ labels, clientCount: 10, alpha, rng: createRng(1) });
    const share = shares[0]!;
    const counts = new Int32Array(10);
    for (const index of share) counts[labels[index]!]!++;
    return Math.max(...counts) / share.length;
  };
  assert.ok(spread(0.1) > 0.3, String(spread(0.1)));
  assert.ok(spread(100) < 0.15, String(spread(100)));
});

test('partitionByLabel() gives each client at most two runs of a sorted order', () => {
  const labels = labelsOf(1000, 10);
  const shares = partitionByLabel({ labels, clientCount: 10, rng: createRng(3) });
  for (const share of shares) assert.ok(new Set([...share].map((index) => labels[index])).size <= 2);
});

test('every way to deal refuses a cohort of nobody and too high a minimum, and similarity is a share', () => {
  const job = { labels: labelsOf(10, 2), rng: createRng(1) };
  const similar = (similarity: number, clientCount = 2) => partitionBySimilarity({ ...job, clientCount, similarity });
  const ways = [
    (more: { clientCount: number; samplesMin?: number }) => partitionDirichlet({ ...job, ...more, alpha: 1 }),
    (more: { clientCount: number; samplesMin?: number }) => partitionIid({ ...job, ...more }),
    (more: { clientCount: number; samplesMin?: number }) => partitionByLabel({ ...job, ...more }),
    (more: { clientCount: number; samplesMin?: number }) => partitionBySimilarity({ ...job, ...more, similarity: 0.5 }),
  ];
  for (const deal of ways) {
    assert.throws(() => deal({ clientCount: 0 }), /clientCount must be/);
    assert.throws(() => deal({ clientCount: 3, samplesMin: 4 }), /from 0 to 3/);
    assert.ok(deal({ clientCount: 3, samplesMin: 3 }).every((share) => share.length >= 3));
  }
  for (const bad of [-0.1, 1.1, Number.NaN]) assert.throws(() => similar(bad), /similarity must be from 0 to 1/);
  // Nothing is alike: one label for each of two clients. All is alike: five samples each.
  assert.ok(similar(0).every((share) => new Set([...share].map((index) => job.labels[index])).size === 1));
  assert.deepEqual(
    similar(1).map((share) => share.length),
    [5, 5],
  );
});

test('a partition refuses what it cannot deal', () => {
  const job = { labels: labelsOf(10, 2), rng: createRng(1) };
  assert.throws(
    () => partitionIid({ ...job, clientCount: 0 }),
    /clientCount must be an integer ≥ 1: current value is 0/,
  );
  assert.throws(() => partitionIid({ ...job, clientCount: 3, samplesMin: 4 }), /from 0 to 3 .*current value is 4/);
  assert.throws(() => partitionDirichlet({ ...job, clientCount: 2, alpha: 0 }), /alpha must be .*current value is 0/);
});

test('dirichlet() has the mean 1 ÷ n and the variance of the beta distribution within five standard errors', () => {
  // p₁ ~ Beta(α, (n − 1)α): mean 1/n, variance (n − 1) ÷ (n²(nα + 1)). False alarm below 1e-6 for each of the four.
  for (const alpha of [0.3, 2.5]) {
    const [n, draws] = [4, 20_000];
    const rng = createRng(11);
    const values = Array.from({ length: draws }, () => dirichlet(alpha, n, rng)[0]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / draws;
    const variance = values.reduce((sum, value) => sum + (value - 1 / n) ** 2, 0) / draws;
    const expected = (n - 1) / (n * n * (n * alpha + 1));
    assert.ok(Math.abs(mean - 1 / n) < 5 * Math.sqrt(expected / draws), `mean ${mean}`);
    assert.ok(Math.abs(variance / expected - 1) < 0.05, `variance ${variance} for ${expected}`);
  }
});

test('dirichlet() stays on the simplex at α = 1e-4', () => {
  const rng = createRng(2);
  for (let i = 0; i < 200; i++) {
    const total = dirichlet(1e-4, 5, rng).reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(total - 1) < 1e-12);
  }
});

test('splitHoldOut() keeps each index in one part and refuses a share outside (0, 1)', () => {
  const { kept, heldOut } = splitHoldOut(
    Uint32Array.from({ length: 50 }, (_, i) => i * 2),
    0.1,
    createRng(4),
  );
  assert.equal(heldOut.length, 5);
  assert.deepEqual(
    [...kept, ...heldOut].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i * 2),
  );
  assert.equal(splitHoldOut([1, 2], 0.01, createRng(4)).heldOut.length, 1);
  assert.throws(() => splitHoldOut([1, 2], 1, createRng(4)), /inside \(0, 1\): current value is 1/);
  assert.throws(() => splitHoldOut([1], 0.5, createRng(4)), /at least 2: current value is 1/);
});
