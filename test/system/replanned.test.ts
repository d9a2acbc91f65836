import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRecordOf } from '../../src/coordinator/run-record.ts';
import { statusOf } from '../../src/coordinator/status.ts';
import { PlanError } from '../../src/core/plan/plan.ts';
import { spendingOf, spentEpsilon } from '../../src/core/privacy/ledger/budget.ts';
import { hasEnded } from '../../src/coordinator/state.ts';
import { attendAll, chainsOf } from './private-world.ts';
import { until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, finish, smallPlan } from './world.ts';

const central = { mode: 'central', epsilon: 4, delta: 1e-5, sampleRate: 0.6, replanEvery: 2 } as const;

const planWith = (replan: object, adaptive = {}) =>
  smallPlan({ rounds: { count: 5 }, aggregation: {}, privacy: { ...central, ...adaptive, replan } as never });

test('a site that stays away: the others come more often, the rounds follow the budget, the log says why', async () => {
  const plan = planWith({ sampleRate: [0.4, 1], rounds: [4, 8], clipNorm: [0.5, 1.05] }, { adaptiveClip: {} });
  const disk = createMemoryDisk();
  const world = await createWorld({ plan, disk });
  for (const site of world.sites.slice(1)) site.attend(world.coordinator);
  await until(() => {
    const { run } = world.coordinator.snapshot();
    // Between two rounds time passes until the coordinator no longer waits for the one that stays away.
    if (run.round === null) world.clock.advance(100);
    return hasEnded(run) && run.round === null;
  }, 'the run ends');
  const { run } = world.coordinator.snapshot();
  const entries = (await disk.store.journal(0)).map(({ entry }) => entry);
  const [first] = entries.filter(({ kind }) => kind === 'privacy.replanned');
  const course = first!.data['course'] as { sampleRate: number; rounds: number; noiseMultiplier: number };
  assert.equal(first!.round, 3, 'after two releases');
  assert.ok(Math.abs(course.sampleRate - 0.9) < 1e-12, '0.6 of three is 0.9 of two');
  assert.ok(course.rounds >= 4 && course.rounds < 5, `${course.rounds}`);
  assert.match(
    first!.data['reason'] as string,
    /sampleRate 0.6 → 0.9: 2 clients were there, and 1.8 should contribute/,
  );
  assert.match(first!.data['reason'] as string, /rounds 5 → 4: what is left of ε = 4 is good for 2 more/);
  assert.equal(run.status, 'completed');
  assert.equal(run.records.length, 4);
  assert.deepEqual(
    run.records.map(({ privacy }) => Number(privacy!.sampleRate.toFixed(9))),
    [0.6, 0.6, 0.9, 0.9],
  );
  for (const { privacy } of run.records) assert.ok(privacy!.radius <= 1.05 && privacy!.radius >= 0.5);
  const chains = await chainsOf(world);
  assert.deepEqual([...chains.keys()], ['client-02', 'client-03']);
  for (const chain of chains.values()) {
    const used = spentEpsilon(spendingOf(chain, 'training')).plan / 4;
    assert.ok(used > 0.9 && used <= 1, `${used}`);
  }
  const { privacy } = runRecordOf(world.coordinator.snapshot(), world.parts, 1);
  assert.equal(privacy!.central!.roundsPlanned, 0);
  assert.match(privacy!.statement, /over 4 to 8 rounds, each taking part with chance 0.4 to 1$/);
  assert.equal(statusOf(world.coordinator, world.parts).rounds.planned, 4);
  const again = await createWorld({ plan, disk, sites: world.sites });
  assert.deepEqual(again.coordinator.snapshot().run, run, 'a restart reads the same course');
  again.coordinator.halt();
});

test('noise that its range does not hold is refused before the first round', async () => {
  const plan = planWith({ noise: [0.1, 0.2] });
  await assert.rejects(createWorld({ plan, disk: createMemoryDisk() }), (error) => {
    assert.ok(error instanceof PlanError);
    assert.match(error.message, /privacy.replan.noise: must hold the noise that the budget needs, which is \d\.\d+ \(/);
    return true;
  });
});

test('rule "filter": noise is solved anew from what is left at its order', async () => {
  const plan = smallPlan({
    rounds: { count: 4 },
    aggregation: {},
    privacy: { ...central, sampleRate: 1, rule: 'filter' },
  });
  const world = await createWorld({ plan, disk: createMemoryDisk() });
  attendAll(world);
  await finish(world);
  assert.equal(world.coordinator.snapshot().run.records.length, 4);
  for (const chain of (await chainsOf(world)).values()) {
    const used = spentEpsilon(spendingOf(chain, 'training')).filter / 4;
    assert.ok(used > 0.98 && used <= 1 + 1e-12, `${used}`);
  }
});
