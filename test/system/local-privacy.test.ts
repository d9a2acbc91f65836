// Local privacy on the wire: what the coordinator opens is noise around a clipped update, whatever the site holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createRecordPrivateTrainer } from '../../src/adapters/trainer-record-private.ts';
import { takePart } from '../../src/client/agent.ts';
import { createLocalPrivacy } from '../../src/client/local-privacy.ts';
import { contribute } from '../../src/client/work.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { createDataset } from '../../src/core/data/dataset.ts';
import { expandUpdate } from '../../src/core/intake/expand.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { localNoise } from '../../src/core/privacy/local/noisy-update.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { watched } from './local-site.ts';
import { createHttpsWorld, tlsIdentity } from './https-world.ts';
import { until } from './virtual-clock.ts';
import { createMemoryDisk, createWorld, crypto, d, deflate, fakeTrainer, finish, smallPlan } from './world.ts';
import { openedOf } from '../protocol/opened.ts';

const privacy = { mode: 'local', epsilon: 8, delta: 1e-5, clipNorm: 0.5 } as const;
const plan = smallPlan({ rounds: { count: 2 }, privacy });
const noise = localNoise({ epsilon: 8, delta: 1e-5, releases: 2 });

/** A secret that would be seen at once: an update of 100 in one coordinate. */
const clean: Trainer = {
  ...fakeTrainer,
  train: async ({ parameters }) => ({ parameters: parameters.map((v, i) => v + (i === 3 ? 100 : 0)), examples: 777 }),
};

test('what a site seals under local privacy is noise of the planned size around a clipped update, and no count of examples', async () => {
  const world = await createHttpsWorld({
    plan: smallPlan({ ...plan, cohort: { expected: 1, quorum: 1 }, privacy: { ...privacy } }),
  });
  try {
    const site = await world.enrolSite();
    const payloads: Uint8Array[] = [];
    const kept: Identity[] = [];
    await takePart({
      identity: site.identity,
      saveIdentity: async (identity) => void kept.push(identity),
      pin: tlsIdentity.pin,
      transport: site.transport,
      crypto: watched(payloads),
      deflate,
      entropy: createNodeEntropy(),
      trainer: clean,
      memory: createVolatileSiteMemory(),
      clock: createSystemClock(),
      patienceMs: 20_000,
      say: () => {},
    });
    assert.equal(payloads.length, 2, 'two updates and no evaluation');
    for (const payload of payloads) {
      const row = await createMemorySpool().begin(d);
      const opened = await expandUpdate(
        openedOf(payload),
        { count: d, isNormalised: false },
        { codec: codecs['float16-zstd'], deflate },
        row,
      );
      assert.ok(opened.ok);
      const delta = opened.value.delta as Float32Array;
      assert.equal(opened.value.claimedExamples, 1);
      // 0.5 where it was 100, under noise of some 3: ten deviations are never reached by chance.
      const far = Math.max(...delta.map(Math.abs));
      assert.ok(far < 10 * noise * 0.5 && far < 60, `the clean value does not pass: ${far}`);
      assert.ok(delta.some((value) => value !== 0));
    }
    assert.deepEqual(
      kept.map(({ local }) => local?.released),
      [1, 2],
      'counted before it is drawn',
    );
  } finally {
    await world.close();
  }
});

test('the noise of a local update has the planned deviation, and the clip its norm', () => {
  const many = parsePlan({ ...plan, model: { kind: 'softmax-regression', inputs: 2000, classes: 10 } });
  const local = createLocalPrivacy({ plan: many, released: 0, entropy: createNodeEntropy(), save: async () => {} })!;
  const size = 20_010;
  const sent = local.protect(Float32Array.from({ length: size }, (_, i) => (i === 0 ? 1e6 : 0)));
  const variance = sent.slice(1).reduce((sum, value) => sum + value * value, 0) / (size - 1);
  const sigma = 0.5 * noise;
  // Six deviations: a false alarm has a probability of 10⁻⁹.
  assert.ok(Math.abs(variance / sigma ** 2 - 1) < 6 * Math.sqrt(2 / size), `${variance / sigma ** 2}`);
  assert.ok(Math.abs(sent[0]! - 0.5) < 6 * sigma, `${sent[0]}`);
});

test('a site sends no more noisy updates than the plan has rounds, over restarts too; without noise it sends none', async () => {
  const world = await createWorld({ plan, disk: createMemoryDisk() });
  for (const site of world.sites) site.listen(world.coordinator);
  await until(() => world.sites[0]!.heard.at(-1)?.state === 'work', 'round 1 is announced');
  const announcement = world.sites[0]!.heard.at(-1)!;
  const released: number[] = [];
  const parts = {
    plan,
    clientId: 'client-01',
    key: world.sites[0]!.key,
    crypto,
    deflate,
    trainer: fakeTrainer,
    memory: createVolatileSiteMemory(),
    fetchModel: async (hash: string) => (await world.coordinator.model(hash))!,
  };
  const alive = (from: number) =>
    createLocalPrivacy({
      plan,
      released: from,
      entropy: createNodeEntropy(),
      save: async (next) => void released.push(next.released),
    });
  await contribute(announcement, { ...parts, local: alive(0) });
  const again = alive(released.at(-1)!);
  await contribute(announcement, { ...parts, local: again });
  await assert.rejects(contribute(announcement, { ...parts, local: again }), /has made 2 noisy updates, as many as/);
  await assert.rejects(contribute(announcement, { ...parts, local: alive(2) }), /has made 2 noisy updates/);
  await assert.rejects(contribute(announcement, parts), /local privacy and this site has no noise to add/);
  await assert.rejects(
    contribute({ ...announcement, collects: 'metrics' }, { ...parts, local: alive(0) }),
    /asks for un-noised figures/,
  );
  assert.deepEqual(released, [1, 2]);
});

test('a run under local privacy ends: updates are aggregated as they come, by any rule, and nothing is evaluated', async () => {
  const median = smallPlan({ rounds: { count: 2 }, privacy, aggregation: { pipeline: [{ rule: 'median' }] } });
  const world = await createWorld({ plan: median, disk: createMemoryDisk() });
  for (const site of world.sites) site.attend(world.coordinator);
  await finish(world);
  const { records, status } = world.coordinator.snapshot().run;
  assert.equal(status, 'completed');
  assert.ok(records.every(({ clients, accepted }) => clients === null && accepted.length === 3));
});

test('privacy of each record: only the trainer that noises its gradients takes part, and its updates are what it made', async () => {
  const record = smallPlan({ rounds: { count: 1 }, privacy: { ...privacy, unit: 'record' } });
  const world = await createWorld({ plan: record, disk: createMemoryDisk() });
  for (const site of world.sites) site.listen(world.coordinator);
  await until(() => world.sites[0]!.heard.at(-1)?.state === 'work', 'round 1 is announced');
  const parts = {
    plan: record,
    memory: createVolatileSiteMemory(),
    clientId: 'client-01',
    key: world.sites[0]!.key,
    crypto,
    deflate,
    trainer: fakeTrainer,
    fetchModel: async (hash: string) => (await world.coordinator.model(hash))!,
    local: createLocalPrivacy({ plan: record, released: 0, entropy: createNodeEntropy(), save: async () => {} }),
  };
  const announcement = world.sites[0]!.heard.at(-1)!;
  await assert.rejects(contribute(announcement, parts), /this trainer does not noise its gradients/);
  const data = createDataset({
    features: new Float32Array(4 * 30).fill(1),
    labels: new Int32Array(30),
    scale: 1,
    sampleShape: [4],
    classCount: 3,
  });
  assert.throws(() => createRecordPrivateTrainer(plan, data, createNodeEntropy()), /unit "record": current value/);
  const trainer = createRecordPrivateTrainer(record, data, createNodeEntropy());
  const bytes = await contribute(announcement, { ...parts, trainer });
  const outcome = await world.coordinator.submit(world.sites[0]!.device, bytes);
  assert.ok(outcome.ok);
  await assert.rejects(
    trainer.evaluate({ parameters: new Float32Array(d), round: 1, seed: 1 }),
    /must give no figures/,
  );
});
