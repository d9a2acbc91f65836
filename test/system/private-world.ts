import type { Plan } from '../../src/core/plan/plan.ts';
import type { LedgerEntry } from '../../src/core/privacy/ledger/chain.ts';
import { type Fault, faultyDisk } from './faults.ts';
import { createVirtualClock, settle, until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, finish, type World } from './world.ts';

/** Every site takes part. */
export function attendAll(world: World): void {
  for (const site of world.sites) site.attend(world.coordinator);
}

/** The ledger's entries by client. */
export async function chainsOf(world: Pick<World, 'parts'>): Promise<Map<string, LedgerEntry[]>> {
  return Map.groupBy(await world.parts.store.ledger(), ({ event }) => event.subject);
}

/** A run whose coordinator dies at a durable write: the disk as it was left, and the sites. */
export async function diedAt(plan: Plan, at: number, fault: Fault) {
  const real = createMemoryDisk();
  const disk = faultyDisk(real, (index) => (index === at ? fault : undefined));
  const world = await createWorld({ plan, disk });
  attendAll(world);
  let isEnded = false;
  void world.coordinator.ended.then(() => (isEnded = true));
  await until(() => disk.isDead() || isEnded, `write ${at}`);
  disk.kill();
  return { disk: real, sites: world.sites };
}

/** The coordinator that comes after it, up to the end of the run. */
export async function wentOn(plan: Plan, { disk, sites }: Awaited<ReturnType<typeof diedAt>>): Promise<World> {
  const world = await createWorld({ plan, disk, sites, clock: createVirtualClock(5e6) });
  attendAll(world);
  await finish(world);
  await settle(3);
  return world;
}
