import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecs } from '../../src/core/compression/index.ts';
import type { EnvelopeHeader } from '../../src/core/protocol/envelope.ts';
import { announcementBytes, type Announcement } from '../../src/core/protocol/messages.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import type { Crypto } from '../../src/ports/crypto.ts';
import { faultyDisk } from './faults.ts';
import { settle, until } from './virtual-clock.ts';
import {
  coordinatorKey,
  createMemoryDisk,
  createSite,
  createWorld,
  crypto,
  d,
  deflate,
  enrolRequestOf,
  fakeTrainer,
  finish,
  keyOf,
  phaseOf,
  type Site,
  smallPlan,
  type World,
} from './world.ts';

/** A world whose first round is open: every site has heard what to do and has done nothing. */
async function opened(options: Partial<Parameters<typeof createWorld>[0]> = {}): Promise<World> {
  const world = await createWorld({ disk: createMemoryDisk(), ...options });
  for (const site of world.sites) site.listen(world.coordinator);
  await until(() => world.sites.every((site) => site.heard.at(-1)?.state === 'work'), 'round 1 is announced');
  return world;
}

const newest = (site: Site): Announcement => site.heard.at(-1)!;

/** Sends what the newest announcement asks for. */
async function send(world: World, site: Site, trainer = fakeTrainer): Promise<string> {
  const bytes = await site.envelope(newest(site), world.coordinator, trainer);
  const outcome = await world.coordinator.submit(site.device, bytes);
  return outcome.ok ? 'ok' : outcome.code;
}

/** An envelope of this site for an announcement, made by hand: anything in it can be another. */
function seal(
  site: Site,
  announcement: Announcement,
  payload: Uint8Array,
  change: Partial<EnvelopeHeader> & { readonly crypto?: Crypto } = {},
): Promise<Uint8Array> {
  const { crypto: own = crypto, ...header } = change;
  return sealEnvelope(
    {
      kind: announcement.collects,
      suite: 1,
      codec: announcement.collects === 'update' ? codecs['float16-zstd'].wireId : 0,
      orgId: 'org',
      runId: 'run',
      deviceId: site.device.deviceId,
      round: announcement.round,
      baseModel: Uint8Array.fromHex(announcement.baseModel),
      layout: Uint8Array.fromHex(announcement.layout),
      ...header,
    },
    payload,
    { round: Uint8Array.fromBase64(announcement.roundKey), device: site.key },
    own,
  );
}

const updatePayload = (vector: Float32Array, claimedExamples = 10) =>
  encodePayload({ claimedExamples }, codecs['float16-zstd'].encode(vector, deflate));

test('a run of 3 rounds: each trains, aggregates and evaluates, and announcements are signed for each device', async () => {
  const world = await createWorld({ disk: createMemoryDisk() });
  const { coordinator, sites } = world;
  const signed: boolean[] = [];
  coordinator.connect(sites[0]!.device, null, () => {});
  for (const site of sites) site.attend(coordinator);
  coordinator.connect(
    { ...sites[0]!.device, deviceId: 'd-watcher', clientId: 'watcher' },
    null,
    ({ announcement, signature }) => {
      const bytes = announcementBytes(announcement);
      void crypto
        .verify(coordinatorKey.publicKey, purposes.announcement, bytes, Uint8Array.fromBase64(signature))
        .then((isValid) => signed.push(isValid && announcement.deviceId === 'd-watcher'));
    },
  );
  await finish(world);
  await settle(3);
  assert.ok(signed.length > 0 && signed.every(Boolean));
  const { run, models } = coordinator.snapshot();
  assert.equal(run.status, 'completed');
  assert.deepEqual(
    models.map(({ version }) => version),
    [0, 1, 2, 3],
  );
  assert.equal(run.records.length, 3);
  for (const [i, record] of run.records.entries()) {
    assert.equal(record.status, 'completed');
    assert.equal(record.modelHash, models[i + 1]!.hash);
    assert.deepEqual(record.accepted, ['client-01', 'client-02', 'client-03']);
    assert.equal(record.verdicts.length, 3);
    assert.equal(record.clients?.reports, 3);
    assert.equal(record.clients?.examples, 30);
  }
  assert.deepEqual(new Set(sites.map((site) => newest(site).state)), new Set(['done']));
});

test('the order in which updates arrive does not change the model', async () => {
  const hashes = new Set<string>();
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const world = await opened();
    for (const i of order) assert.equal(await send(world, world.sites[i]!), 'ok');
    await until(() => world.coordinator.snapshot().models.length === 2, 'the model is published');
    hashes.add(world.coordinator.snapshot().models[1]!.hash);
  }
  assert.equal(hashes.size, 1);
});

test('the same bytes sent twice, also at the same moment, get the same receipt and count once', async () => {
  const world = await opened();
  const [site] = world.sites as [Site];
  const bytes = await site.envelope(newest(site), world.coordinator);
  const both = await Promise.all([1, 2, 3].map(() => world.coordinator.submit(site.device, bytes)));
  const later = await world.coordinator.submit(site.device, bytes);
  for (const outcome of both) assert.deepEqual(outcome, later);
  assert.ok(later.ok);
  assert.equal((await world.parts.store.accepted(1, 'train')).length, 1);
  assert.equal(world.coordinator.snapshot().run.facts?.accepted.length, 1);
});

test('a second update of one client is refused as replayed and its envelope is not kept', async () => {
  const world = await opened();
  const [site] = world.sites as [Site];
  const payload = updatePayload(new Float32Array(d));
  const envelopes = await Promise.all([1, 2, 3].map(() => seal(site, newest(site), payload)));
  const outcomes = await Promise.all(envelopes.map((bytes) => world.coordinator.submit(site.device, bytes)));
  assert.deepEqual(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code)).toSorted(), [
    'ok',
    'replayed',
    'replayed',
  ]);
  for (const [i, outcome] of outcomes.entries()) {
    const stored = await world.parts.blobs.get(crypto.sha256(envelopes[i]!).toHex());
    assert.equal(stored !== undefined, outcome.ok);
  }
});

test('an update after the phase has closed is refused, journaled, and does not count against the next phase', async () => {
  const world = await opened({ plan: smallPlan({ cohort: { expected: 3, size: 2, quorum: 2, overSelection: 1 } }) });
  const { coordinator, sites } = world;
  const late = await sites[2]!.envelope(newest(sites[2]!), coordinator);
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  await until(() => newest(sites[2]!).collects === 'metrics', 'the evaluation is announced');
  const outcome = await coordinator.submit(sites[2]!.device, late);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'wrong-round');
  const { round, facts } = coordinator.snapshot().run;
  assert.deepEqual(facts?.refused, [{ clientId: sites[2]!.device.clientId, code: 'wrong-round' }]);
  // Its metrics are still awaited: the round does not complete without them.
  assert.deepEqual(round?.refused, []);
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  await settle(5);
  assert.equal(coordinator.snapshot().run.records.length, 0);
  assert.equal(await send(world, sites[2]!), 'ok');
  await until(() => coordinator.snapshot().run.records.length === 1, 'the round completes');
  assert.equal(coordinator.snapshot().run.records[0]!.clients?.reports, 3);
});

test('an update that comes after the deadline but before the clock has ticked is refused, not half accepted', async () => {
  const world = await opened();
  const { coordinator, sites, clock } = world;
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  const bytes = await sites[2]!.envelope(newest(sites[2]!), coordinator);
  // No sleeper is woken: the loop that ticks has not noticed yet.
  const { monotonicMs } = clock;
  Object.assign(clock, { monotonicMs: () => monotonicMs() + 10_001 });
  const outcome = await coordinator.submit(sites[2]!.device, bytes);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'round-closed');
  assert.equal((await world.parts.store.accepted(1, 'train')).length, 2);
  assert.deepEqual(coordinator.snapshot().run.facts?.accepted.length, 2);
});

test('a refused update and then a good one: the round counts the good one and remembers the refusal', async () => {
  const world = await opened();
  const { coordinator, sites } = world;
  const nan = await seal(sites[0]!, newest(sites[0]!), updatePayload(new Float32Array(d).fill(Number.NaN)));
  const refused = await coordinator.submit(sites[0]!.device, nan);
  assert.equal(refused.ok ? 'ok' : refused.code, 'not-finite');
  assert.deepEqual(coordinator.snapshot().run.round?.refused, [sites[0]!.device.clientId]);
  for (const site of sites) assert.equal(await send(world, site), 'ok');
  await until(() => coordinator.snapshot().models.length === 2, 'the model is published');
  assert.equal(coordinator.snapshot().run.facts?.accepted.length, 3);
  assert.deepEqual(coordinator.snapshot().run.facts?.refused, [
    { clientId: sites[0]!.device.clientId, code: 'not-finite' },
  ]);
});

test('a client that uses a nonce again on the same model is refused and does not stop the coordinator', async () => {
  const nonce = new Uint8Array(16).fill(5);
  const fixed: Crypto = { ...crypto, randomBytes: (count) => (count === 16 ? nonce : crypto.randomBytes(count)) };
  const world = await opened();
  const { coordinator, sites } = world;
  const [evil, ...honest] = sites as [Site, ...Site[]];
  for (const site of honest) assert.equal(await send(world, site), 'ok');
  const update = await seal(evil, newest(evil), updatePayload(new Float32Array(d)), { crypto: fixed });
  assert.ok((await coordinator.submit(evil.device, update)).ok);
  await until(() => newest(evil).collects === 'metrics', 'the evaluation is announced');
  // The model that is evaluated in round 1 is the base of round 2: one nonce for both.
  const metrics = encodePayload({ examples: 1, lossSum: 1, correctCount: 0 }, new Uint8Array());
  const report = await seal(evil, newest(evil), metrics, { crypto: fixed });
  assert.ok((await coordinator.submit(evil.device, report)).ok);
  for (const site of honest) assert.equal(await send(world, site), 'ok');
  await until(() => sites.every((site) => newest(site).round === 2), 'round 2 is announced');
  const again = await seal(evil, newest(evil), updatePayload(new Float32Array(d)), { crypto: fixed });
  const [outcome, ...others] = await Promise.all([
    coordinator.submit(evil.device, again),
    ...honest.map((site) => send(world, site)),
  ]);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'replayed');
  assert.deepEqual(others, ['ok', 'ok']);
  await until(() => coordinator.snapshot().models.length === 3, 'round 2 publishes its model without the client');
});

test('a device that the operator removes in mid-round is refused at once', async () => {
  const world = await opened();
  const { coordinator, sites } = world;
  const bytes = await sites[0]!.envelope(newest(sites[0]!), coordinator);
  await coordinator.enrolment.setStatus(sites[0]!.device.deviceId, 'removed');
  // The device as the session knew it a moment ago: still approved.
  const outcome = await coordinator.submit(sites[0]!.device, bytes);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'not-invited');
});

test('a device that waits for approval, and one that was not chosen, are refused as not invited', async () => {
  const plan = smallPlan({ cohort: { expected: 3, size: 2, quorum: 1 } });
  const chosen = await createWorld({ plan, disk: createMemoryDisk() });
  for (const site of chosen.sites) site.listen(chosen.coordinator);
  await until(() => chosen.coordinator.snapshot().run.round !== null, 'round 1 opens');
  await settle(3);
  const { participants } = chosen.coordinator.snapshot().run.round!;
  assert.equal(participants.length, 2);
  const left = chosen.sites.find((site) => !participants.includes(site.device.clientId))!;
  const asked = chosen.sites.find((site) => participants.includes(site.device.clientId))!;
  assert.equal(newest(left).state, 'wait');
  assert.equal(newest(left).roundKey, '');
  const bytes = await seal(left, newest(asked), updatePayload(new Float32Array(d)));
  const outcome = await chosen.coordinator.submit(left.device, bytes);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'not-invited');
  const pending = await chosen.coordinator.submit({ ...asked.device, status: 'pending' }, bytes);
  assert.equal(pending.ok ? 'ok' : pending.code, 'not-invited');
});

test('a client that leaves is waited for during the grace, and comes back in time', async () => {
  const world = await opened();
  const { coordinator, sites, clock } = world;
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  const away = sites[2]!.listen(coordinator);
  away();
  await settle(3);
  clock.advance(1900);
  await settle(3);
  assert.equal(coordinator.snapshot().run.round?.status, 'collecting');
  sites[2]!.listen(coordinator);
  await settle(3);
  clock.advance(3000);
  await settle(3);
  assert.equal(coordinator.snapshot().run.round?.status, 'collecting');
  assert.equal(await send(world, sites[2]!), 'ok');
  await until(() => coordinator.snapshot().models.length === 2, 'the model is published');
  assert.equal(coordinator.snapshot().run.facts?.accepted.length, 3);
});

test('a client that stays away past the grace is left out, and takes part in the next round', async () => {
  const world = await opened();
  const { coordinator, sites, clock } = world;
  sites[2]!.listen(coordinator)();
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  await settle(3);
  clock.advance(2000);
  await until(() => newest(sites[0]!).collects === 'metrics', 'the phase closes without the third');
  assert.equal(await send(world, sites[0]!), 'ok');
  assert.equal(await send(world, sites[1]!), 'ok');
  clock.advance(100);
  await until(() => coordinator.snapshot().run.records.length === 1, 'round 1 completes');
  assert.deepEqual(coordinator.snapshot().run.records[0]!.accepted, ['client-01', 'client-02']);
  sites[2]!.listen(coordinator);
  await until(() => newest(sites[2]!).round === 2 && newest(sites[2]!).state === 'work', 'round 2 asks the third');
});

test('rounds that fail in a row stop the run with the reason, and the model stays', async () => {
  const plan = smallPlan({ rounds: { count: 3, attempts: 2 } });
  const world = await opened({ plan });
  const { coordinator, clock } = world;
  for (let i = 0; i < 2; i++) {
    await until(() => coordinator.snapshot().run.round?.number === i + 1, `round ${i + 1}`);
    await settle(3);
    clock.advance(10_000);
    await until(() => coordinator.snapshot().run.records.length === i + 1, `round ${i + 1} is aborted`);
  }
  await coordinator.ended;
  const { run, models } = coordinator.snapshot();
  assert.equal(run.status, 'failed');
  assert.match(run.reason ?? '', /2 rounds in a row failed: 0 of 3 contributions to "train"/);
  assert.equal(models.length, 1);
});

test('stop() in mid-round closes the round, destroys its key, tells the clients and takes nothing more', async () => {
  const disk = createMemoryDisk();
  const world = await opened({ disk });
  const { coordinator, sites } = world;
  assert.equal(await send(world, sites[0]!), 'ok');
  const bytes = await sites[1]!.envelope(newest(sites[1]!), coordinator);
  await coordinator.stop('stopped by the operator');
  await coordinator.ended;
  assert.equal(disk.keys.size, 0);
  const { run } = coordinator.snapshot();
  assert.equal(run.status, 'stopped');
  assert.equal(run.round, null);
  assert.deepEqual(
    run.records.map(({ status, reason }) => [status, reason]),
    [['aborted', 'stopped by the operator']],
  );
  assert.deepEqual(
    sites.map((site) => [newest(site).state, newest(site).reason]),
    sites.map(() => ['done', 'stopped by the operator']),
  );
  const outcome = await coordinator.submit(sites[1]!.device, bytes);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'round-closed');
  assert.equal(coordinator.snapshot().models.length, 1);
});

test('stop() while a round is reduced publishes no model afterwards', async () => {
  const disk = createMemoryDisk();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const blobs = {
    ...disk.blobs,
    put: async (bytes: Uint8Array) => {
      // The models' files begin with the length of their header; envelopes with QFLE.
      if (bytes[0] !== 0x51 && (await disk.store.models()).length > 0) await held;
      return disk.blobs.put(bytes);
    },
  };
  const world = await opened({ disk: { ...disk, blobs } });
  for (const site of world.sites) assert.equal(await send(world, site), 'ok');
  await until(() => world.coordinator.snapshot().run.round?.status === 'reducing', 'the round is reduced');
  await world.coordinator.stop('enough');
  release();
  await world.coordinator.ended;
  await settle(5);
  assert.equal(world.coordinator.snapshot().models.length, 1);
  assert.equal(disk.keys.size, 0);
});

test('a coordinator that died between stop() and the end of the round ends it at its next start', async () => {
  const real = createMemoryDisk();
  const disk = faultyDisk(real, (_, name) => (/run\.stopped/.test(name) ? 'die-after' : undefined));
  const world = await opened({ disk });
  void world.coordinator.stop('enough');
  await until(disk.isDead, 'the stop is written');
  const next = await createWorld({ disk: real, sites: world.sites });
  await next.coordinator.ended;
  assert.equal(real.keys.size, 0);
  assert.equal(next.coordinator.snapshot().run.status, 'stopped');
});

test('after a restart nobody has heard yet that the run is done; each hears it when it comes', async () => {
  const disk = createMemoryDisk();
  const world = await createWorld({ disk });
  for (const site of world.sites) site.attend(world.coordinator);
  await finish(world);
  assert.deepEqual(world.coordinator.untoldClients(), []);
  const next = await createWorld({ disk, sites: world.sites });
  assert.deepEqual(next.coordinator.untoldClients(), ['client-01', 'client-02', 'client-03']);
  next.sites[1]!.listen(next.coordinator);
  assert.equal(newest(next.sites[1]!).state, 'done');
  assert.deepEqual(next.coordinator.untoldClients(), ['client-01', 'client-03']);
});

test('updates so large that the mean overflows abort the round: a model that is not finite is never published', async () => {
  const world = await opened({ plan: smallPlan({ aggregation: { pipeline: [{ rule: 'mean' }], codec: 'float32' } }) });
  const { coordinator, sites } = world;
  const huge = new Float32Array(d).fill(3.4e38);
  for (const site of sites) {
    const bytes = await seal(
      site,
      newest(site),
      encodePayload({ claimedExamples: 1 }, codecs.float32.encode(huge, deflate)),
      { codec: codecs.float32.wireId },
    );
    const outcome = await coordinator.submit(site.device, bytes);
    assert.ok(outcome.ok, JSON.stringify(outcome));
  }
  await until(
    () => coordinator.snapshot().run.records.length === 1 || coordinator.snapshot().models.length === 2,
    'the round ends',
  );
  for (const { hash } of coordinator.snapshot().models) {
    const bytes = (await coordinator.model(hash))!;
    assert.ok(new Float32Array(Uint8Array.from(bytes.subarray(-4 * d)).buffer).every(Number.isFinite));
  }
});

test('metrics whose sum would overflow are refused: two liars cannot abort every round', async () => {
  const world = await opened();
  const { coordinator, sites } = world;
  for (const site of sites) assert.equal(await send(world, site), 'ok');
  await until(() => sites.every((site) => newest(site).collects === 'metrics'), 'the evaluation is announced');
  for (const site of sites.slice(0, 2)) {
    const lie = encodePayload({ examples: 1, lossSum: 1.7e308, correctCount: 0 }, new Uint8Array());
    const outcome = await coordinator.submit(site.device, await seal(site, newest(site), lie));
    assert.equal(outcome.ok ? 'ok' : outcome.code, 'bad-payload');
  }
  assert.equal(await send(world, sites[2]!), 'ok');
  await until(() => coordinator.snapshot().run.records.length === 1, 'the round completes');
  assert.equal(coordinator.snapshot().run.records[0]!.status, 'completed');
});

test('a flood of refused updates is journaled twenty times for each client and round, and no more', async () => {
  const world = await opened();
  const { coordinator, sites } = world;
  for (let i = 0; i < 60; i++) await coordinator.submit(sites[0]!.device, Uint8Array.of(i));
  const rows = await world.parts.store.journal(0);
  assert.equal(rows.filter(({ entry }) => entry.kind === 'update.refused').length, 20);
});

test('a refusal tells the sender a code; its detail is in the journal', async () => {
  const world = await opened();
  const [site] = world.sites as [Site];
  const bytes = await seal(site, newest(site), updatePayload(new Float32Array(d + 1)));
  const outcome = await world.coordinator.submit(site.device, bytes);
  assert.equal(outcome.ok ? 'ok' : outcome.code, 'wrong-shape');
  const entry = (await world.parts.store.journal(0))
    .map((row) => row.entry)
    .find(({ kind }) => kind === 'update.refused')!;
  assert.equal(entry.data['code'], 'wrong-shape');
  assert.equal(entry.data['clientId'], site.device.clientId);
  assert.equal(entry.data['detail'], `not ${d} values`);
});

test('phases are announced to those who come late, once, with what they have not done yet', async () => {
  const world = await opened();
  const { coordinator, sites } = world;
  assert.equal(await send(world, sites[0]!), 'ok');
  const again = createSite(sites[0]!.device, sites[0]!.key);
  again.listen(coordinator);
  assert.equal(newest(again).state, 'wait');
  assert.equal(phaseOf(newest(again)), '1/train');
  const token = (await coordinator.enrolment.invite(1))[0]!.token;
  const late = await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(6)));
  assert.ok(late.ok);
  const newcomer = createSite(late.device, keyOf(6));
  newcomer.listen(coordinator);
  assert.equal(newest(newcomer).state, 'wait');
});
