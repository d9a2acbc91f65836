// Who takes part in a round, through the real coordinator: by claims, by coins, by the seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanInput } from '../../src/core/plan/plan.ts';
import { settle, until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, finish, smallPlan, type World } from './world.ts';

async function worldOf(cohort: PlanInput['cohort'], rounds = 1): Promise<World> {
  const plan = smallPlan({ rounds: { count: rounds }, cohort });
  return createWorld({ plan, disk: createMemoryDisk() });
}

const participantsOf = ({ coordinator }: World) => coordinator.snapshot().run.records.map((one) => one.participants);

test('by capability: those that claim to be fast come first, and one that claims nothing is taken to be', async () => {
  const selection = { by: 'capability', seconds: 10 } as const;
  const world = await worldOf({ expected: 4, size: 2, quorum: 2, selection });
  const seconds = [50, 5, 20, undefined];
  for (const [i, { device }] of world.sites.entries()) {
    world.coordinator.connect(device, null, () => {}, { secondsExpected: seconds[i] });
  }
  await until(() => world.coordinator.snapshot().run.round !== null, 'the round opens');
  assert.deepEqual(world.coordinator.snapshot().run.round!.participants, ['client-02', 'client-04']);
  await settle(5);
  const rows = await world.parts.store.journal(0);
  const claims = rows.flatMap(({ entry }) =>
    entry.kind === 'client.connected' ? [entry.data['secondsExpected']] : [],
  );
  assert.deepEqual(claims, seconds);
});

test('by coins: cohorts differ, all whose coin fell so are waited for, and the same seed gives the same', async () => {
  const run = async () => {
    const selection = { by: 'poisson', rate: 0.5 } as const;
    const world = await worldOf({ expected: 6, quorum: 1, selection }, 8);
    for (const site of world.sites) site.attend(world.coordinator);
    await finish(world);
    for (const { participants, accepted } of world.coordinator.snapshot().run.records) {
      assert.deepEqual(accepted, participants);
    }
    return participantsOf(world);
  };
  const rounds = await run();
  assert.deepEqual(await run(), rounds);
  assert.ok(new Set(rounds.map((one) => one.length)).size > 1, JSON.stringify(rounds));
  assert.ok(rounds.flat().length > 12 && rounds.flat().length < 36, 'about half of 48');
});

test('a uniform sample is another one in another round, and as large as the plan wants', async () => {
  const world = await worldOf({ expected: 5, size: 2, quorum: 2 }, 6);
  for (const site of world.sites) site.attend(world.coordinator);
  await finish(world);
  const rounds = participantsOf(world);
  assert.ok(rounds.every((one) => one.length === 2));
  assert.ok(new Set(rounds.map((one) => one.join())).size > 1, JSON.stringify(rounds));
});
