import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { vectorBytesMax } from '../../src/core/compression/codec.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { expandMetrics, expandUpdate } from '../../src/core/intake/expand.ts';
import { type RefusalCode, refusalCodes } from '../../src/core/intake/rejection.ts';
import type { EnvelopeHeader } from '../../src/core/protocol/envelope.ts';
import type { Announcement } from '../../src/core/protocol/messages.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import { createRng, type Rng } from '../../src/core/random/rng.ts';
import { createQkdNetwork } from '../system/qkd-link.ts';
import { until } from '../system/virtual-clock.ts';
import {
  createMemoryDisk,
  createWorld,
  crypto,
  d,
  deflate,
  type Site,
  smallPlan,
  type World,
} from '../system/world.ts';
import { type MutationName, mutations } from './mutate.ts';
import { openedOf } from './opened.ts';

const spool = createMemorySpool();

const names = Object.keys(mutations) as MutationName[];
const mutantCount = process.env['QFLARE_DEEP'] === undefined ? 5000 : 100_000;
const seen = new Set<RefusalCode>();

const newest = (site: Site): Announcement => site.heard.at(-1)!;

async function open(): Promise<World> {
  const world = await createWorld({ disk: createMemoryDisk() });
  for (const site of world.sites) site.listen(world.coordinator);
  await until(() => world.sites.every((site) => site.heard.at(-1)?.state === 'work'), 'round 1 is announced');
  return world;
}

/** Sends bytes as a site and gives `ok` or the code. A throw fails the test: it would have failed the coordinator. */
async function submit(world: World, site: Site, bytes: Uint8Array): Promise<RefusalCode | 'ok'> {
  const outcome = await world.coordinator.submit(site.device, bytes);
  if (!outcome.ok) seen.add(outcome.code);
  return outcome.ok ? 'ok' : outcome.code;
}

/** An envelope with any header and payload, properly sealed and signed by this site: what a hostile client can make. */
function seal(
  site: Site,
  payload: Uint8Array,
  change: Partial<EnvelopeHeader> & { readonly roundKey?: Uint8Array; readonly device?: Site['key'] } = {},
): Promise<Uint8Array> {
  const announcement = newest(site);
  const { roundKey = Uint8Array.fromBase64(announcement.roundKey), device = site.key, ...header } = change;
  const { qkd } = header;
  return sealEnvelope(
    {
      kind: announcement.collects,
      suite: qkd === undefined ? 1 : 2,
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
    { round: roundKey, device },
    crypto,
  );
}

const update = (vector: Float32Array, meta: object = { claimedExamples: 10 }) =>
  encodePayload(meta as never, codecs['float16-zstd'].encode(vector, deflate));

/** Sends thousands of changed envelopes of one site: none is accepted, none throws, the round stays open. */
async function attack(world: World, rng: Rng): Promise<Record<string, number>> {
  const [site, other] = world.sites as [Site, Site];
  const good = await site.envelope(newest(site), world.coordinator);
  const another = await other.envelope(newest(other), world.coordinator);
  const codes: Record<string, number> = {};
  for (let i = 0; i < mutantCount; i++) {
    const name = names[i % names.length]!;
    const mutant = mutations[name](good, another, rng);
    if (Buffer.compare(mutant, good) === 0) continue;
    const sender = rng.below(10) === 0 ? other : site;
    if (sender === other && Buffer.compare(mutant, another) === 0) continue;
    const code = await submit(world, sender, mutant);
    assert.notEqual(code, 'ok', `${name}, mutant ${i}`);
    codes[code] = (codes[code] ?? 0) + 1;
  }
  assert.equal(world.coordinator.snapshot().run.round?.status, 'collecting');
  assert.deepEqual(world.coordinator.snapshot().run.round?.accepted, {});
  return codes;
}

test('10,000 changed envelopes in both phases: none accepted, none thrown, and the good ones still are (> 5 s on a busy machine)', async () => {
  const world = await open();
  const rng = createRng(101);
  const onTrain = await attack(world, rng.child('train'));
  for (const site of world.sites) {
    assert.equal(await submit(world, site, await site.envelope(newest(site), world.coordinator)), 'ok');
  }
  await until(() => world.sites.every((site) => newest(site).collects === 'metrics'), 'the evaluation is announced');
  const onEvaluate = await attack(world, rng.child('evaluate'));
  for (const site of world.sites) {
    assert.equal(await submit(world, site, await site.envelope(newest(site), world.coordinator)), 'ok');
  }
  await until(() => world.coordinator.snapshot().run.records.length === 1, 'the round completes');
  assert.equal(world.coordinator.snapshot().run.records[0]!.status, 'completed');
  // The attack reaches the signature and the chunks, not only the first check.
  for (const codes of [onTrain, onEvaluate]) {
    for (const code of ['malformed', 'bad-signature', 'bad-ciphertext', 'wrong-device', 'wrong-run']) {
      assert.ok((codes[code] ?? 0) > 5, `${code}: ${JSON.stringify(codes)}`);
    }
  }
});

test('what a hostile client can sign itself is refused with the code of its fault', async () => {
  const world = await open();
  const [site, other] = world.sites as [Site, Site];
  const fine = update(new Float32Array(d).fill(0.5));
  const stranger = await crypto.generateRoundKey();
  const cases: readonly [RefusalCode, Promise<Uint8Array>][] = [
    ['wrong-run', seal(site, fine, { orgId: 'other' })],
    ['wrong-run', seal(site, fine, { runId: 'other' })],
    ['wrong-run', seal(site, fine, { orgId: '', runId: '' })],
    ['wrong-device', seal(site, fine, { deviceId: other.device.deviceId })],
    ['wrong-device', seal(other, fine)],
    ['wrong-round', seal(site, fine, { round: 0 })],
    ['wrong-round', seal(site, fine, { round: 2 })],
    ['wrong-round', seal(site, fine, { round: 0xffffffff })],
    ['wrong-round', seal(site, fine, { kind: 'metrics', codec: 0 })],
    // A key that nobody announced: the suite with QKD is not this plan's.
    ['wrong-suite', seal(site, fine, { qkd: { epoch: 0, keyId: 'k-1' } })],
    ['wrong-codec', seal(site, fine, { codec: codecs.float32.wireId })],
    ['wrong-codec', seal(site, fine, { codec: 0 })],
    ['wrong-codec', seal(site, fine, { codec: 255 })],
    ['wrong-model', seal(site, fine, { baseModel: new Uint8Array(32) })],
    ['wrong-model', seal(site, fine, { layout: new Uint8Array(32) })],
    ['too-large', seal(site, new Uint8Array(vectorBytesMax(d) + 8193))],
    ['too-large', seal(site, new Uint8Array(3 << 20))],
    ['bad-signature', seal(site, fine, { device: other.key })],
    ['bad-ciphertext', seal(site, fine, { roundKey: stranger.publicKey })],
    ['bad-payload', seal(site, new Uint8Array())],
    ['bad-payload', seal(site, new Uint8Array(3))],
    ['bad-payload', seal(site, Uint8Array.of(255, 255, 255, 255))],
    ['bad-payload', seal(site, update(new Float32Array(d), {}))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: -1 }))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: 1.5 }))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: 2 ** 40 + 1 }))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: '10' }))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: 10, extra: 1 }))],
    ['bad-payload', seal(site, update(new Float32Array(d), { claimedExamples: null }))],
    ['wrong-shape', seal(site, update(new Float32Array(d - 1)))],
    ['wrong-shape', seal(site, update(new Float32Array(d + 1)))],
    ['wrong-shape', seal(site, encodePayload({ claimedExamples: 1 }, new Uint8Array()))],
    ['wrong-shape', seal(site, encodePayload({ claimedExamples: 1 }, new Uint8Array(40)))],
    ['not-finite', seal(site, update(new Float32Array(d).fill(Number.NaN)))],
    ['not-finite', seal(site, update(Float32Array.from({ length: d }, (_, i) => (i === d - 1 ? Infinity : 0))))],
  ];
  for (const [i, [code, bytes]] of cases.entries())
    assert.equal(await submit(world, site, await bytes), code, `case ${i}`);
  assert.equal(await submit(world, site, await seal(site, fine)), 'ok');
});

test('metrics that say more than can be are refused', async () => {
  const world = await open();
  for (const site of world.sites) await submit(world, site, await site.envelope(newest(site), world.coordinator));
  await until(() => world.sites.every((site) => newest(site).collects === 'metrics'), 'the evaluation is announced');
  const [site] = world.sites as [Site];
  const good = { examples: 10, lossSum: 3, correctCount: 7 };
  const bad = [
    { ...good, correctCount: 11 },
    { ...good, examples: -1 },
    { ...good, lossSum: -0.1 },
    { ...good, lossSum: 1e300 },
    { ...good, lossSum: '3' },
    { ...good, extra: 1 },
    { examples: 10, lossSum: 3 },
    [],
    null,
  ];
  for (const meta of bad) {
    const code = await submit(world, site, await seal(site, encodePayload(meta as never, new Uint8Array())));
    assert.equal(code, 'bad-payload', JSON.stringify(meta));
  }
  const withBody = await seal(site, encodePayload(good, Uint8Array.of(1)));
  assert.equal(await submit(world, site, withBody), 'bad-payload');
  assert.equal(await submit(world, site, await seal(site, encodePayload(good, new Uint8Array()))), 'ok');
});

test('an envelope of a round that is over, of a closed phase, of a client that is not chosen or that was accepted', async () => {
  const world = await open();
  const [site, second, third] = world.sites as [Site, Site, Site];
  const first = await site.envelope(newest(site), world.coordinator);
  const other = await seal(site, update(new Float32Array(d)));
  assert.equal(await submit(world, site, first), 'ok');
  assert.equal(await submit(world, site, first), 'ok');
  assert.equal(await submit(world, site, other), 'replayed');
  assert.equal(
    await submit(world, { ...second, device: { ...second.device, status: 'pending' } }, first),
    'not-invited',
  );
  for (const one of [second, third]) await submit(world, one, await one.envelope(newest(one), world.coordinator));
  await until(() => newest(site).collects === 'metrics', 'the evaluation is announced');
  assert.equal(await submit(world, site, first), 'wrong-round');
  await world.coordinator.stop('enough');
  await world.coordinator.ended;
  assert.equal(await submit(world, site, first), 'round-closed');
});

test('under a plan that demands a QKD key an envelope without one is refused', async () => {
  const qkd = createQkdNetwork();
  const plan = smallPlan({ security: { qkd: { policy: 'required' } } });
  const world = await createWorld({ plan, disk: createMemoryDisk(), qkd: qkd.coordinator });
  for (const [i, { device, heard }] of world.sites.entries()) {
    world.coordinator.connect(device, null, ({ announcement }) => heard.push(announcement), { saeId: `sae-${i}` });
  }
  await until(() => world.sites.every((site) => newest(site)?.state === 'work'), 'round 1 is announced');
  const [site] = world.sites as [Site];
  assert.equal(await submit(world, site, await seal(site, update(new Float32Array(d)))), 'wrong-qkd-key');
});

test('each code of the closed list has been seen', () => {
  assert.deepEqual([...seen].toSorted(), Object.keys(refusalCodes).toSorted());
});

test('3,000 changed payloads: expanding never throws, and what it accepts is finite and shaped like the model', async () => {
  const rng = createRng(102);
  const good = update(Float32Array.from({ length: d }, () => rng.gaussian()));
  const another = update(Float32Array.from({ length: d }, () => rng.gaussian()));
  const metrics = encodePayload({ examples: 10, lossSum: 3, correctCount: 7 }, new Uint8Array());
  let acceptedCount = 0;
  for (let i = 0; i < 3000; i++) {
    const mutate = mutations[names[i % names.length]!];
    for (const codec of Object.values(codecs)) {
      const row = await spool.begin(d);
      const shape = { count: d, isNormalised: false };
      const outcome = await expandUpdate(openedOf(mutate(good, another, rng)), shape, { codec, deflate }, row);
      if (!outcome.ok) continue;
      acceptedCount += 1;
      assert.equal(outcome.value.delta.length, d);
      assert.ok((outcome.value.delta as Float32Array).every(Number.isFinite));
      assert.ok(Number.isSafeInteger(outcome.value.claimedExamples));
    }
    const outcome = await expandMetrics(openedOf(mutate(metrics, good, rng)));
    if (outcome.ok) assert.ok(outcome.value.correctCount <= outcome.value.examples && outcome.value.lossSum < 1e30);
  }
  assert.ok(acceptedCount > 0);
});
