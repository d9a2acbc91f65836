import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, createHttpsWorld } from './https-world.ts';
import { settle, until } from './virtual-clock.ts';
import { createMemoryDisk, smallPlan } from './world.ts';

const get = (world: Awaited<ReturnType<typeof createHttpsWorld>>, path: string) =>
  world
    .transport()
    .request({ method: 'GET', path })
    .then((reply) => [reply.status, bodyOf(reply).error]);

test('/health fails when the coordinator has halted, and when its clockwork hangs; it writes nothing', async (t) => {
  const disk = createMemoryDisk();
  let writes = 0;
  let isStuck = false;
  const store = {
    ...disk.store,
    check: async () => void (writes += 1),
    commit: (...all: Parameters<typeof disk.store.commit>) =>
      isStuck ? new Promise<never>(() => {}) : disk.store.commit(...all),
  };
  const plan = smallPlan({ cohort: { expected: 1, quorum: 1 } });
  const world = await createHttpsWorld({ plan, disk: { ...disk, store } });
  t.after(() => world.close());
  assert.deepEqual(await get(world, '/health'), [200, undefined]);
  const { identity } = await world.enrolSite();
  world.coordinator.connect(world.coordinator.snapshot().devices.get(identity.deviceId)!, null, () => {});
  await until(() => world.coordinator.snapshot().run.round !== null, 'a round opens');
  // At the deadline the tick commits, and that never comes back: it was the last tick.
  isStuck = true;
  world.clock.advance(10_000);
  await settle(10);
  assert.deepEqual(await get(world, '/health'), [200, undefined]);
  world.clock.advance(31_000);
  assert.deepEqual(await get(world, '/health'), [503, 'not-alive']);
  assert.equal(writes, 0);
  world.coordinator.halt();
  assert.deepEqual(await get(world, '/health'), [503, 'not-alive']);
});

test('/ready fails when the store cannot be written, and asks it once in five seconds however many want to know', async (t) => {
  const disk = createMemoryDisk();
  let checks = 0;
  let isFull = false;
  const store = {
    ...disk.store,
    async check() {
      checks += 1;
      if (isFull) throw new Error('no space is left');
    },
  };
  const world = await createHttpsWorld({ disk: { ...disk, store } });
  t.after(() => world.close());
  const answers = await Promise.all(Array.from({ length: 5 }, () => get(world, '/ready')));
  assert.deepEqual(
    answers,
    Array.from({ length: 5 }, () => [200, undefined]),
  );
  isFull = true;
  assert.deepEqual(await get(world, '/ready'), [200, undefined]);
  assert.equal(checks, 1);
  world.clock.advance(5000);
  assert.deepEqual(await get(world, '/ready'), [503, 'not-ready']);
  isFull = false;
  world.clock.advance(5000);
  assert.deepEqual(await get(world, '/ready'), [200, undefined]);
  assert.equal(checks, 3);
});
