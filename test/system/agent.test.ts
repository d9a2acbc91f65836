import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { takePart } from '../../src/client/agent.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { createHttpsWorld, type HttpsWorld, tlsIdentity } from './https-world.ts';
import { crypto, deflate, fakeTrainer, smallPlan } from './world.ts';

const plan: Plan = smallPlan({
  rounds: { count: 2 },
  cohort: { expected: 2, quorum: 2, deadlineSeconds: 86_400, absenceGraceSeconds: 86_400 },
});

function agent(
  site: { readonly identity: Identity; readonly transport: Transport },
  trainer: Trainer,
  said: string[] = [],
): ReturnType<typeof takePart> {
  return takePart({
    identity: site.identity,
    saveIdentity: async () => {},
    pin: tlsIdentity.pin,
    transport: site.transport,
    crypto,
    deflate,
    entropy: createNodeEntropy(),
    trainer,
    memory: createVolatileSiteMemory(),
    clock: createSystemClock(),
    patienceMs: 20_000,
    say: (text) => said.push(text),
  });
}

async function inWorld(use: (world: HttpsWorld) => Promise<void>): Promise<void> {
  const world = await createHttpsWorld({ plan });
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

test('two agents take part over TLS until the run ends, and say what was negotiated', () =>
  inWorld(async (world) => {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const outcomes = await Promise.all(sites.map((site) => agent(site, fakeTrainer)));
    assert.deepEqual(
      outcomes,
      sites.map(() => ({ end: 'completed', reason: 'completed', contributions: 4 })),
    );
    const { run } = world.coordinator.snapshot();
    assert.deepEqual(run.tls, { group: 'X25519MLKEM768', protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' });
    for (const record of run.records) {
      assert.equal(record.status, 'completed');
      assert.ok(record.bytesUp > 8000 && record.bytesDown > 8000, `${record.bytesUp} up, ${record.bytesDown} down`);
    }
  }));

test('an agent whose session ends while it trains opens another and delivers', () =>
  inWorld(async (world) => {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    let isLate = false;
    const slow: Trainer = {
      ...fakeTrainer,
      async train(task) {
        // 13 hours pass on the coordinator's clock: sessions live for 12.
        if (!isLate) world.clock.advance(13 * 3_600_000);
        isLate = true;
        return fakeTrainer.train(task);
      },
    };
    const outcomes = await Promise.all([agent(sites[0]!, slow), agent(sites[1]!, fakeTrainer)]);
    assert.deepEqual(
      outcomes.map(({ contributions }) => contributions),
      [4, 4],
    );
    assert.equal(world.coordinator.snapshot().run.records.length, 2);
  }));

test('an agent whose training fails says so and goes on: the run is not its fault', () =>
  inWorld(async (world) => {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const said: string[] = [];
    const broken: Trainer = { ...fakeTrainer, train: () => Promise.reject(new Error('no more memory')) };
    const watcher = agent(sites[1]!, fakeTrainer).catch(() => undefined);
    const outcome = agent(sites[0]!, broken, said);
    const stop = (async () => {
      while (said.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
      await world.coordinator.stop('enough');
    })();
    assert.deepEqual(await outcome, { end: 'stopped', reason: 'enough', contributions: 0 });
    // The next round may open before the operator's word arrives: it is one more that the site tells of.
    assert.deepEqual(
      said,
      said.map((_, i) => `round ${i + 1}: no more memory`),
    );
    await Promise.all([stop, watcher]);
  }));

test('an agent ends when the operator removes its device', () =>
  inWorld(async (world) => {
    const site = await world.enrolSite();
    const running = agent(site, fakeTrainer);
    while (world.coordinator.connectedClients().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await world.coordinator.enrolment.setStatus(site.identity.deviceId, 'removed');
    const { end, reason } = await running;
    assert.equal(end, 'removed');
    assert.match(reason, /^removed by the operator, or replaced/);
  }));
