import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createMemoryStore, type MemoryLedger } from '../../src/adapters/store-memory.ts';
import { PlanError, type PlanInput } from '../../src/core/plan/plan.ts';
import type { CentralPrivacy } from '../../src/core/plan/privacy.ts';
import { spendingOf, spentEpsilon } from '../../src/core/privacy/ledger/budget.ts';
import { privacySummary } from '../../src/coordinator/privacy/summary.ts';
import { type Fault, faultyDisk } from './faults.ts';
import { attendAll, chainsOf, diedAt, wentOn } from './private-world.ts';
import { createVirtualClock, settle, until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, finish, smallPlan, type World } from './world.ts';

const privacy = { mode: 'central', mechanism: 'dp-ftrl', epsilon: 6, delta: 1e-5 } as const;

const ftrlPlan = (input: Partial<PlanInput> = {}) =>
  smallPlan({
    rounds: { count: 6 },
    aggregation: {},
    privacy,
    ...input,
    cohort: { size: 1, quorum: 1, ...input.cohort },
  });

/** Nobody has spent more than was granted, or taken part more often, or sooner again, than the accountant assumes. */
async function check(world: World): Promise<void> {
  const { run } = world.coordinator.snapshot();
  const { participations, separation } = (world.plan.privacy as CentralPrivacy).ftrl!;
  for (const [subject, chain] of await chainsOf(world)) {
    const spending = spendingOf(chain, 'training');
    assert.ok(spentEpsilon(spending).plan <= spending.grant.epsilon, subject);
    const leaves = run.privacy?.ftrl?.leaves[subject] ?? [];
    assert.equal(spending.committed.length, leaves.length, `${subject} paid for each of its leaves`);
    assert.ok(leaves.length <= participations, subject);
    for (const [i, leaf] of leaves.entries()) assert.ok(i === 0 || leaf - leaves[i - 1]! > separation, subject);
  }
  const released = run.records.filter(({ modelVersion }) => modelVersion !== null);
  const leafOf = (clientId: string) =>
    released.flatMap((record, leaf) => (record.participants.includes(clientId) ? [leaf] : []));
  for (const [clientId, leaves] of Object.entries(run.privacy?.ftrl?.leaves ?? {})) {
    assert.deepEqual(leaves, leafOf(clientId), 'the journal and the records tell the same');
  }
}

test('a run under DP-FTRL: one client after another, the budget is met at its end, nothing is left of the sums', async () => {
  for (const noise of ['tree', 'banded'] as const) {
    const disk = createMemoryDisk();
    const world = await createWorld({ plan: ftrlPlan({ privacy: { ...privacy, ftrl: { noise } } }), disk });
    attendAll(world);
    await finish(world);
    await check(world);
    const { run } = world.coordinator.snapshot();
    assert.deepEqual([run.status, run.privacy?.released], ['completed', 6]);
    assert.deepEqual(
      Object.values(run.privacy!.ftrl!.leaves).map((leaves) => leaves.length),
      [2, 2, 2],
      'six rounds of one among three',
    );
    const spent = [...(await chainsOf(world)).values()].map(
      (chain) => spentEpsilon(spendingOf(chain, 'training')).plan,
    );
    assert.ok(Math.max(...spent) > 0.98 * 6 && Math.max(...spent) <= 6, `${spent}`);
    for (const hash of run.privacy!.ftrl!.spent) assert.equal(await disk.blobs.get(hash), undefined, 'spent files go');
    assert.equal(run.privacy!.ftrl!.sums, null);
    const { central } = privacySummary(world.coordinator.snapshot(), { plan: world.plan, runId: 'run' })!;
    assert.deepEqual(
      central!.clients.map(({ roundsLeft }) => roundsLeft),
      [0, 0, 0],
    );
  }
});

test('in mid-run each client’s last round is foretold by the scheduler’s own choice', async () => {
  const disk = createMemoryDisk();
  const world = await createWorld({ plan: ftrlPlan({ rounds: { count: 12 } }), disk });
  const released = () => world.coordinator.snapshot().run.privacy?.released ?? 0;
  world.coordinator.onCommit(() => {
    if (released() >= 3) world.coordinator.halt();
  });
  attendAll(world);
  await until(() => released() >= 3, 'three releases');
  const summary = privacySummary(world.coordinator.snapshot(), { plan: world.plan, runId: 'run' })!;
  const { clients, roundsPlanned } = summary.central!;
  assert.equal(clients.length, 3);
  for (const { roundsLeft, forecast } of clients) {
    assert.ok(roundsLeft >= 2, 'four rounds of twelve, of which it has had one or two');
    const { median } = forecast!;
    assert.ok(median === null || (median >= 3 * (roundsLeft - 1) && median <= roundsPlanned), `${median}`);
  }
  assert.ok(clients.some(({ forecast }) => forecast!.low !== null));
  assert.deepEqual(world.coordinator.snapshot().run.privacy!.presence!.away, {}, 'nobody was away');
});

const faults: readonly Fault[] = process.env['QFLARE_DEEP'] === undefined ? ['die-after'] : ['die-before', 'die-after'];

test('a coordinator that dies at any durable write: stored noise is used again, and gives the bytes that were written', async () => {
  const plan = ftrlPlan({ rounds: { count: 2 } });
  const calm = faultyDisk(createMemoryDisk());
  const undisturbed = await createWorld({ plan, disk: calm });
  const from = calm.writes.length;
  attendAll(undisturbed);
  await finish(undisturbed);
  let redone = 0;
  for (let at = from; at < calm.writes.length; at++) {
    for (const fault of faults) {
      const died = await diedAt(plan, at, fault);
      const journal = await died.disk.store.journal(0);
      const drawn = journal.filter(({ entry }) => entry.kind === 'privacy.drawn').map(({ entry }) => entry);
      const releases = journal.filter(({ entry }) => entry.kind === 'privacy.released');
      const pending = drawn.find(({ round }) => !releases.some(({ entry }) => entry.round === round));
      const written = pending === undefined ? [] : await filesOf(died.disk);
      const next = await wentOn(plan, died);
      await check(next);
      const after = (await died.disk.store.journal(0)).map(({ entry }) => entry);
      const rounds = after.filter(({ kind }) => kind === 'privacy.drawn').map(({ round }) => round);
      assert.equal(
        new Set(rounds).size,
        rounds.length,
        `${fault} ${at} (${calm.writes[at]}): noise is drawn once a round`,
      );
      if (pending === undefined) continue;
      // What was on disk when the process died is what the next one writes: its release, its sums, its model.
      const released = after.find(({ kind, round }) => kind === 'privacy.released' && round === pending.round)!;
      const published = after.find(({ kind, round }) => kind === 'model.published' && round === pending.round)!;
      const made = [released.data['release'], released.data['sums'], published.data['hash']];
      for (const file of written) assert.ok(made.includes(file), `${fault} ${at} (${calm.writes[at]}): ${file}`);
      redone += written.length;
    }
  }
  assert.ok(redone >= 5, `${redone} files were written twice, the same`);

  /** Files of the round that the process was in: neither envelopes nor noise, nor of rounds before. */
  async function filesOf(disk: ReturnType<typeof createMemoryDisk>): Promise<readonly string[]> {
    const known = new Set<unknown>();
    for (const { entry } of await disk.store.journal(0)) {
      const { release, sums, noise, hash, model, card, event } = entry.data as Record<string, unknown>;
      for (const one of [release, sums, noise, hash, model, card]) known.add(one);
      known.add((event as { contentHash?: string } | undefined)?.contentHash);
    }
    const files: string[] = [];
    await disk.blobs.sweep(async (file) => {
      files.push(file);
      return false;
    });
    const heads = await Promise.all(files.map(async (file) => (await disk.blobs.get(file))![0]));
    // A card is JSON and signed with fresh randomness: the only file that differs.
    return files.filter((file, i) => !known.has(file) && heads[i] !== '{'.charCodeAt(0));
  }
});

test('participation limits hold whoever comes, goes and is killed, in any order', async () => {
  const step = fc.record({ act: fc.constantFrom('leave', 'come', 'kill', 'wait'), who: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const plan = ftrlPlan({
        rounds: { count: 8 },
        cohort: { expected: 5, size: 2, quorum: 1 },
        privacy: { ...privacy, ftrl: { separation: 1, participations: 4 } },
      });
      const disk = createMemoryDisk();
      let world = await createWorld({ plan, disk });
      let leave = world.sites.map((site) => site.attend(world.coordinator));
      for (const { act, who } of steps) {
        if (act === 'leave') leave[who]!();
        if (act === 'come') {
          leave[who]!();
          leave[who] = world.sites[who]!.attend(world.coordinator);
        }
        if (act === 'kill') {
          world.coordinator.halt();
          await settle(1);
          world = await createWorld({ plan, disk, sites: world.sites, clock: createVirtualClock(5e6) });
          leave = world.sites.map((site) => site.attend(world.coordinator));
        }
        await settle(2);
        await check(world);
      }
      for (const one of leave) one();
      attendAll(world);
      await finish(world);
      await check(world);
    }),
    { seed: 3, numRuns: process.env['QFLARE_DEEP'] === undefined ? 8 : 200 },
  );
});

test('where too few may take part any more the run stops and says so', async () => {
  const plan = ftrlPlan({ rounds: { count: 6 }, cohort: { expected: 4, size: 2, quorum: 2 } });
  const world = await createWorld({ plan, disk: createMemoryDisk() });
  attendAll(world);
  await until(() => world.coordinator.snapshot().run.records.length >= 1, 'one round');
  // One of those who wait: with three clients and a round between two of each, a round cannot have two.
  const { ftrl } = world.coordinator.snapshot().run.privacy!;
  const idle = world.sites.find(({ device }) => ftrl!.leaves[device.clientId] === undefined) ?? world.sites[3]!;
  await world.coordinator.enrolment.setStatus(idle.device.deviceId, 'removed');
  await finish(world);
  const { run } = world.coordinator.snapshot();
  assert.equal(run.status, 'stopped');
  assert.match(
    run.reason!,
    /^0 of 3 clients have taken part 3 times and the others must wait 1 rounds between two, and a round needs 2$/,
  );
});

test('runs that share a ledger share one budget under DP-FTRL too', async () => {
  const ledger: MemoryLedger = new Map();
  const worlds = await Promise.all(
    ['run-a', 'run-b'].map((runId) =>
      createWorld({ plan: ftrlPlan(), disk: { ...createMemoryDisk(), store: createMemoryStore(ledger) }, runId }),
    ),
  );
  for (const world of worlds) attendAll(world);
  await Promise.all(worlds.map((world) => finish(world)));
  const runs = worlds.map(({ coordinator }) => coordinator.snapshot().run);
  assert.ok(
    runs.some(({ status }) => status === 'stopped'),
    'one budget is not enough for two runs',
  );
  for (const { reason, status } of runs) if (status === 'stopped') assert.match(reason!, /"training" is used up for/);
  for (const [subject, chain] of ledger) assert.ok(spentEpsilon(spendingOf(chain, 'training')).plan <= 6, subject);
});

test('a journal that is older than the ledger does not go on', async () => {
  const plan = ftrlPlan();
  const disk = createMemoryDisk();
  const world = await createWorld({ plan, disk });
  attendAll(world);
  await finish(world);
  // An older backup of the run beside the ledger of today: the last rounds are in the ledger only.
  const rows = await disk.store.journal(0);
  const cut = rows.findIndex(({ entry }) => entry.kind === 'round.closed');
  const old = { ...disk, store: { ...disk.store, journal: async () => rows.slice(0, cut + 1) } };
  await assert.rejects(createWorld({ plan, disk: old, sites: world.sites }), (error) => {
    assert.ok(error instanceof PlanError);
    assert.match(error.message, /from an older backup.*nearest: a new run.*the ledger has 6 releases.*the journal 1/);
    return true;
  });
});
