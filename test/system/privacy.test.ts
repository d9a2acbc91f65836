import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore, type MemoryLedger } from '../../src/adapters/store-memory.ts';
import { runRecordOf } from '../../src/coordinator/run-record.ts';
import { PlanError } from '../../src/core/plan/plan.ts';
import { spendingOf, spentEpsilon } from '../../src/core/privacy/ledger/budget.ts';
import { firstBrokenEntry } from '../../src/core/privacy/ledger/chain.ts';
import type { PlanInput } from '../../src/core/plan/plan.ts';
import { type Fault, faultyDisk } from './faults.ts';
import { attendAll, chainsOf, diedAt, wentOn } from './private-world.ts';
import { settle, until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, finish, smallPlan, type World } from './world.ts';

const epsilon = 6;
const central = { mode: 'central', epsilon, delta: 1e-5, sampleRate: 0.5 } as const;

const privatePlan = (input: Partial<PlanInput> = {}) =>
  smallPlan({ rounds: { count: 2 }, aggregation: {}, privacy: central, ...input });

/** Whatever happened on the way: chains are whole, nobody has spent more than was granted, each model was paid for once. */
async function checkLedger(world: World, purpose = 'training'): Promise<void> {
  const { records } = world.coordinator.snapshot().run;
  const chains = await chainsOf(world);
  for (const [subject, chain] of chains) {
    assert.equal(firstBrokenEntry(chain), undefined, subject);
    const spending = spendingOf(chain, purpose);
    assert.ok(spentEpsilon(spending).plan <= spending.grant.epsilon, subject);
    const commits = chain.flatMap(({ event }) => (event.kind === 'commit' ? [event.reservation] : []));
    assert.equal(new Set(commits).size, commits.length, 'a release is committed once');
    for (const { round, status } of records.filter(({ modelVersion }) => modelVersion !== null)) {
      assert.equal(status, 'completed');
      assert.ok(commits.includes(`${world.parts.runId}/${round}`), `round ${round} was paid for by ${subject}`);
    }
  }
}

test('a run under central privacy: noisy models only, every candidate is charged, the budget is used up at its end', async () => {
  const world = await createWorld({ plan: privatePlan({ rounds: { count: 4 } }), disk: createMemoryDisk() });
  attendAll(world);
  await finish(world);
  await checkLedger(world);
  const { records, privacy } = world.coordinator.snapshot().run;
  assert.equal(privacy?.released, 4);
  for (const record of records) {
    assert.deepEqual([record.verdicts, record.clients], [[], null], 'no un-noised figure of a client');
    assert.equal(record.privacy?.noise, 'secret');
    assert.deepEqual(record.accepted, record.participants, 'everybody whose coin fell so, and nobody else');
  }
  for (const chain of (await chainsOf(world)).values()) {
    assert.deepEqual(
      chain.map(({ event }) => event.kind),
      ['grant', ...Array.from({ length: 4 }, () => ['reserve', 'commit']).flat()],
    );
    const spent = spentEpsilon(spendingOf(chain, 'training')).plan;
    assert.ok(spent > 0.98 * epsilon && spent <= epsilon, `${spent}`);
  }
});

test('a round that nobody takes part in releases noise all the same', async () => {
  const privacy = { ...central, sampleRate: 1e-4, epsilon: 0.1 } as const;
  const world = await createWorld({ plan: privatePlan({ privacy }), disk: createMemoryDisk() });
  attendAll(world);
  await finish(world);
  const { records } = world.coordinator.snapshot().run;
  assert.deepEqual(
    records.map(({ status, modelVersion }) => ({ status, modelVersion })),
    [1, 2].map((modelVersion) => ({ status: 'completed', modelVersion })),
  );
  // A false alarm has a probability of 10⁻⁷.
  assert.ok(records.some(({ participants }) => participants.length === 0));
});

const faults: readonly Fault[] = process.env['QFLARE_DEEP'] === undefined ? ['die-after'] : ['die-before', 'die-after'];
const stride = process.env['QFLARE_DEEP'] === undefined ? 2 : 1;

test('a coordinator that dies at any durable write: spent ≤ granted, no model that was announced changes (> 5 s on a busy machine)', async () => {
  const plan = privatePlan({ privacy: { ...central, sampleRate: 1 } });
  const calm = faultyDisk(createMemoryDisk());
  const undisturbed = await createWorld({ plan, disk: calm });
  const from = calm.writes.length;
  attendAll(undisturbed);
  await finish(undisturbed);
  assert.ok(calm.writes.length - from > 15, calm.writes.join('\n'));
  for (let at = from; at < calm.writes.length; at += stride) {
    for (const fault of faults) {
      const died = await diedAt(plan, at, fault);
      const announced = new Set(died.sites.flatMap(({ heard }) => heard.map(({ baseModel }) => baseModel)));
      const next = await wentOn(plan, died);
      await checkLedger(next);
      const hashes = new Set((await died.disk.store.models()).map(({ hash }) => hash));
      for (const hash of announced) assert.ok(hashes.has(hash), `${fault} ${at} (${calm.writes[at]}): ${hash} stays`);
      const open = [...(await chainsOf(next)).values()].map((chain) => spendingOf(chain, 'training').reserved.size);
      assert.ok(
        open.every((count) => count === 0),
        'nothing is left reserved',
      );
    }
  }
});

test('runs that share a ledger share one budget; when it is used up they stop, and a restart cannot go on', async () => {
  const ledger: MemoryLedger = new Map();
  const plan = privatePlan({ rounds: { count: 3 }, privacy: { ...central, sampleRate: 1, replanEvery: 0 } });
  const worlds = await Promise.all(
    ['run-a', 'run-b'].map(async (runId) => {
      const disk = { ...createMemoryDisk(), store: createMemoryStore(ledger) };
      return createWorld({ plan, disk, runId });
    }),
  );
  for (const world of worlds) attendAll(world);
  await Promise.all(worlds.map((world) => finish(world)));
  for (const world of worlds) await checkLedger(world);
  const runs = worlds.map(({ coordinator }) => coordinator.snapshot().run);
  const released = runs.map(({ privacy }) => privacy!.released);
  assert.equal(released[0]! + released[1]!, 3, 'the budget is good for three rounds, whoever has them');
  const stopped = runs.find(({ status }) => status === 'stopped')!;
  assert.match(stopped.reason!, /budget "training" is used up for 3 of 3 clients \(client-01, client-02, client-03\)/);
  assert.match(stopped.reason!, /ε by plan must be at most 6 at δ = 0.00001: current value is/);
  const loser = worlds[runs.indexOf(stopped)]!;
  const again = await createWorld({ plan, disk: loser.parts, sites: loser.sites, runId: loser.parts.runId });
  attendAll(again);
  await finish(again);
  assert.equal(again.coordinator.snapshot().run.status, 'stopped');
  const later = createMemoryDisk();
  const fresh = await createWorld({ plan, disk: { ...later, store: createMemoryStore(ledger) }, runId: 'run-c' });
  attendAll(fresh);
  await finish(fresh);
  assert.match(fresh.coordinator.snapshot().run.reason!, /used up/);
  const greedy = privatePlan({ privacy: { ...central, epsilon: 100 } });
  const more = { ...createMemoryDisk(), store: createMemoryStore(ledger) };
  await assert.rejects(createWorld({ plan: greedy, disk: more, runId: 'run-d' }), (error) => {
    assert.ok(error instanceof PlanError);
    assert.match(error.message, /must be at most what client-01 was granted for "training" \(nearest: ε = 6/);
    return true;
  });
});

test('a ledger that was tampered with does not start', async () => {
  const ledger: MemoryLedger = new Map();
  const disk = () => ({ ...createMemoryDisk(), store: createMemoryStore(ledger) });
  const world = await createWorld({ plan: privatePlan(), disk: disk() });
  attendAll(world);
  await finish(world);
  const chain = ledger.get('client-02')!;
  chain[0] = { ...chain[0]!, event: { ...chain[0]!.event, epsilon: 1000 } as never };
  await assert.rejects(createWorld({ plan: privatePlan(), disk: disk() }), /ledger of client-02.*entry 0 does not/);
});

test('a ledger that was reset between two starts is refused: the log has sealed how far it was', async () => {
  const ledger: MemoryLedger = new Map();
  const plan = privatePlan({ rounds: { count: 40 } });
  const disk = { ...createMemoryDisk(), store: createMemoryStore(ledger) };
  const world = await createWorld({ plan, disk });
  attendAll(world);
  await until(() => world.coordinator.snapshot().run.records.length >= 2, 'two rounds');
  world.coordinator.halt();
  await settle(5);
  const rows = await disk.store.journal(0);
  const kinds = rows.map(({ entry }) => entry.kind);
  const seals = rows.filter(({ entry }) => entry.kind === 'ledger.sealed').map(({ entry }) => entry.data);
  const { subjects, entries } = seals[0]!;
  assert.deepEqual([subjects, entries], [3, 9], 'a grant, a reservation and a commit of each of three');
  assert.ok(seals.length >= 2);
  for (const [i, kind] of kinds.entries()) {
    if (kind === 'ledger.sealed') assert.equal(kinds[i + 1], 'log.tree-head', 'signed in the same transaction');
  }
  const kept = new Map(ledger);
  ledger.clear();
  const again = () => createWorld({ plan, disk, sites: world.sites });
  await assert.rejects(
    again(),
    /ledger must hold what this run has sealed in its log \(\d+ entries of 3 clients\): it was reset/,
  );
  for (const [subject, chain] of kept) ledger.set(subject, chain);
  (await again()).coordinator.halt();
});

test('two clients of one person: what they may lose together is kept, and the ledger shows it', async () => {
  const groups = [{ name: 'dr-a', clients: ['client-01', 'client-02'], epsilon: 12 }];
  const plan = privatePlan({
    rounds: { count: 3 },
    cohort: { expected: 3, quorum: 2 },
    privacy: { ...central, sampleRate: 1, replanEvery: 0, groups },
  });
  const world = await createWorld({ plan, disk: createMemoryDisk() });
  attendAll(world);
  await finish(world);
  const { privacy } = runRecordOf(world.coordinator.snapshot(), world.parts, 1);
  const [group] = privacy!.central!.groups!;
  assert.ok(group!.epsilon <= 12 && group!.epsilon > 11, `${group!.epsilon}`);
  assert.deepEqual([group!.name, group!.limit], ['dr-a', 12]);
  const charged = privacy!.central!.clients.map(({ plan: spent }) => spent);
  assert.ok(
    charged[1]! < charged[2]!,
    'the second client of the group was left out of a round that it had a budget for',
  );
});
