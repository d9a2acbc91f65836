import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { runSeed } from '../../src/simulation/world/run-seed.ts';
import type { WorldResult } from '../../src/simulation/world/world-result.ts';

const isDeep = process.env['QFLARE_DEEP'] !== undefined;
const seedCount = isDeep ? 3000 : 50;

/** What must be the same when a seed is run again. */
const outcomeOf = ({ modelHash, journalHash, virtualSeconds, traffic, crashes }: WorldResult) => ({
  modelHash,
  journalHash,
  virtualSeconds,
  traffic,
  crashes,
});

test(`${seedCount} seeds: every invariant holds, and every run ends`, { timeout: 3_600_000 }, async () => {
  const all: WorldResult[] = [];
  for (let seed = 1; seed <= seedCount; seed++) {
    const world = await runSeed(seed);
    assert.deepEqual(world.violations, [], `npm run simulate -- --seed ${seed}`);
    all.push(world);
  }
  // Worlds in which nothing happens would prove nothing.
  const sum = (pick: (world: WorldResult) => number) => all.reduce((total, world) => total + pick(world), 0);
  assert.ok(sum((world) => world.crashes) > 2 * seedCount, 'crashes');
  assert.ok(sum((world) => world.clientRestarts) > seedCount, 'restarted clients');
  assert.ok(sum((world) => world.traffic.dropped) > seedCount, 'lost messages');
  assert.ok(sum((world) => world.traffic.duplicated) > seedCount, 'repeated messages');
  assert.ok(sum((world) => world.traffic.cut) > seedCount, 'cut streams');
  assert.ok(sum((world) => world.rounds.filter(({ status }) => status === 'completed').length) > seedCount, 'rounds');
  assert.ok(sum((world) => world.attackers.length) > seedCount / 2, 'liars');
  assert.ok(all.some(({ status }) => status === 'stopped') && all.some(({ status }) => status === 'completed'));
});

test('a seed gives the same model and the same journal twice in one process', async () => {
  for (const seed of [1, 10]) {
    assert.deepEqual(outcomeOf(await runSeed(seed)), outcomeOf(await runSeed(seed)), `seed ${seed}`);
  }
});

test('another seed gives another world', async () => {
  assert.notEqual((await runSeed(1)).journalHash, (await runSeed(2)).journalHash);
});

test('real cryptography gives the same model, the same crashes and the same rounds as simulated', async () => {
  for (const seed of isDeep ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [4, 10]) {
    const [simulated, real] = [await runSeed(seed), await runSeed(seed, { crypto: 'real' })];
    assert.deepEqual(real.violations, [], `npm run simulate -- --seed ${seed} --crypto real`);
    assert.equal(real.modelHash, simulated.modelHash);
    assert.equal(real.virtualSeconds, simulated.virtualSeconds);
    assert.equal(real.crashes, simulated.crashes);
    assert.deepEqual(real.traffic, simulated.traffic);
    assert.deepEqual(real.rounds, simulated.rounds);
    // Ciphertexts are drawn by the real suite itself, and the journal holds their hashes.
    assert.notEqual(real.journalHash, simulated.journalHash);
  }
});
