import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { takePart } from '../../src/client/agent.ts';
import { createClientQkd, NoQkdKeyError, type SiteQkd } from '../../src/client/qkd.ts';
import { codecs } from '../../src/core/compression/index.ts';
import type { Announcement } from '../../src/core/protocol/messages.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import { qkdPreSharedKey } from '../../src/core/protocol/qkd-schedule.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { JournalRow } from '../../src/ports/store.ts';
import { createHttpsWorld, type HttpsWorld, tlsIdentity } from './https-world.ts';
import { createQkdNetwork } from './qkd-link.ts';
import { createMemoryDisk, createSite, crypto, deflate, fakeTrainer, smallPlan } from './world.ts';

type Policy = 'off' | 'preferred' | 'required';

const planWith = (policy: Policy, count = 2) =>
  smallPlan({ rounds: { count }, cohort: { expected: 2, quorum: 2 }, security: { qkd: { policy } } });

type Site = Awaited<ReturnType<HttpsWorld['enrolSite']>>;

function agent(site: Site, siteQkd?: SiteQkd, said: string[] = [], saved: Identity[] = []) {
  return takePart({
    identity: saved.at(-1) ?? site.identity,
    saveIdentity: async (next) => void saved.push(next),
    siteQkd,
    pin: tlsIdentity.pin,
    transport: site.transport,
    crypto,
    deflate,
    entropy: createNodeEntropy(),
    trainer: fakeTrainer,
    memory: createVolatileSiteMemory(),
    clock: createSystemClock(),
    patienceMs: 20_000,
    say: (text) => said.push(text),
  });
}

const journalOf = (world: HttpsWorld): Promise<readonly JournalRow[]> => world.coordinator.journal(0);

/** What each accepted envelope was under, by round and client. */
function acceptedUnder(rows: readonly JournalRow[]): readonly boolean[] {
  return rows
    .filter(({ entry }) => (entry.data['event'] as { kind?: string } | undefined)?.kind === 'accepted')
    .map(({ entry }) => entry.data['qkdDevice'] !== undefined);
}

const alarmsOf = (rows: readonly JournalRow[]) =>
  rows.filter(({ entry }) => entry.kind === 'qkd.keys').map(({ entry }) => entry.data['absent']);

test('required: every envelope of a run is under a fresh key of its own, and the epoch secrets go on', async () => {
  const qkd = createQkdNetwork();
  const world = await createHttpsWorld({ plan: planWith('required'), qkd: qkd.coordinator });
  try {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const saved: Identity[][] = [[], []];
    const outcomes = await Promise.all(sites.map((site, i) => agent(site, qkd.siteOf(`sae-${i}`), [], saved[i])));
    assert.deepEqual(
      outcomes.map(({ reason, contributions }) => ({ reason, contributions })),
      [
        { reason: 'completed', contributions: 4 },
        { reason: 'completed', contributions: 4 },
      ],
    );
    const rows = await journalOf(world);
    assert.deepEqual(acceptedUnder(rows), Array(8).fill(true));
    assert.equal(qkd.handedOut.size, 4);
    const opened = rows.filter(({ entry }) => entry.kind === 'round.opened').map(({ entry }) => entry.data['qkd']);
    const client = (round: number, i: number) =>
      (opened[round] as Record<string, { epoch: number; keyId: string }>)[sites[i]!.identity.clientId]!;
    assert.deepEqual([client(0, 0).epoch, client(1, 0).epoch], [0, 1]);
    assert.equal(new Set([0, 1].flatMap((round) => [client(round, 0).keyId, client(round, 1).keyId])).size, 4);
    // Both sides hold the same secret of epoch 2, and the file of the round before is gone.
    assert.deepEqual([...qkd.epochFiles.keys()], [2]);
    const file = Buffer.from(qkd.epochFiles.get(2)!);
    for (const identities of saved) {
      const epoch = identities.at(-1)!.qkd!.epochs.find((one) => one.epoch === 2)!;
      assert.ok(file.includes(Buffer.from(epoch.secret, 'base64')));
    }
    // No fresh key stands in the journal.
    const text = rows.map((row) => row.text).join('\n');
    for (const key of qkd.handedOut.values()) assert.ok(!text.includes(Buffer.from(key).toString('base64')));
  } finally {
    await world.close();
  }
});

test('required: without keys no round opens, the alarm says who lacks one and why, and the run goes on when they are back', async () => {
  const qkd = createQkdNetwork();
  qkd.network.isUp = false;
  const world = await createHttpsWorld({ plan: planWith('required', 1), qkd: qkd.coordinator });
  try {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const running = Promise.all(sites.map((site, i) => agent(site, qkd.siteOf(`sae-${i}`))));
    while (alarmsOf(await journalOf(world)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [absent] = alarmsOf(await journalOf(world)) as [{ clientId: string; reason: string }[]];
    assert.deepEqual(new Set(absent.map(({ reason }) => reason)), new Set(['the link is down']));
    assert.equal(world.coordinator.snapshot().run.round, null);
    qkd.network.isUp = true;
    const nudge = setInterval(() => world.clock.advance(500), 10);
    assert.deepEqual(
      (await running).map(({ reason }) => reason),
      ['completed', 'completed'],
    );
    clearInterval(nudge);
    assert.deepEqual(alarmsOf(await journalOf(world)).at(-1), []);
  } finally {
    await world.close();
  }
});

test('preferred: a site without a link takes part without a key, and envelope, journal and alarm say so', async () => {
  const qkd = createQkdNetwork();
  const world = await createHttpsWorld({ plan: planWith('preferred', 1), qkd: qkd.coordinator });
  try {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const outcomes = await Promise.all([agent(sites[0]!, qkd.siteOf('sae-0')), agent(sites[1]!)]);
    assert.deepEqual(
      outcomes.map(({ reason }) => reason),
      ['completed', 'completed'],
    );
    const rows = await journalOf(world);
    assert.equal(acceptedUnder(rows).filter(Boolean).length, 2);
    assert.equal(acceptedUnder(rows).length, 4);
    assert.deepEqual(alarmsOf(rows), [
      [{ clientId: sites[1]!.identity.clientId, reason: 'the site has no key source' }],
    ]);
  } finally {
    await world.close();
  }
});

test('preferred: when the link fails, the epoch secret of earlier keys goes on to protect', async () => {
  const qkd = createQkdNetwork();
  const world = await createHttpsWorld({ plan: planWith('preferred', 3), qkd: qkd.coordinator });
  try {
    world.coordinator.onCommit((rows) => {
      if (rows.some(({ entry }) => entry.kind === 'round.closed')) qkd.network.isUp = false;
    });
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const running = await Promise.all(sites.map((site, i) => agent(site, qkd.siteOf(`sae-${i}`))));
    assert.deepEqual(
      running.map(({ reason }) => reason),
      ['completed', 'completed'],
    );
    const rows = await journalOf(world);
    assert.deepEqual(acceptedUnder(rows), Array(12).fill(true));
    const marks = rows
      .filter(({ entry }) => entry.kind === 'round.opened')
      .map(({ entry }) => entry.data['qkd'] as Record<string, { epoch: number; keyId: string }>)
      .map((byClient) => byClient[sites[0]!.identity.clientId]!);
    assert.deepEqual(
      marks.map(({ epoch, keyId }) => ({ epoch, isFresh: keyId !== '' })),
      [
        { epoch: 0, isFresh: true },
        { epoch: 1, isFresh: false },
        { epoch: 2, isFresh: false },
      ],
    );
  } finally {
    await world.close();
  }
});

test('a QKD key that is left out, exchanged or old is refused; under "required" nothing without one is taken', async () => {
  const qkd = createQkdNetwork();
  for (const policy of ['required', 'preferred'] as const) {
    const world = await createHttpsWorld({ plan: planWith(policy), qkd: qkd.coordinator });
    try {
      const enrolled = [await world.enrolSite(), await world.enrolSite()];
      const heard: Announcement[][] = [[], []];
      const devices = enrolled.map(({ identity }) => world.coordinator.snapshot().devices.get(identity.deviceId)!);
      for (const [i, device] of devices.entries())
        world.coordinator.connect(device, null, ({ announcement }) => heard[i]!.push(announcement), {
          saeId: `${policy}-${i}`,
        });
      while (heard.some((one) => one.at(-1)?.state !== 'work')) await new Promise((resolve) => setTimeout(resolve, 5));
      const announcement = heard[0]!.at(-1)!;
      const mark = { epoch: announcement.qkd!.epoch, keyId: announcement.qkd!.keyId };
      const key = qkd.handedOut.get(mark.keyId)!;
      const inputs = { epochSecret: new Uint8Array(32), key, deviceId: announcement.deviceId, round: 1 };
      const seal = (header: object, psk?: ReturnType<typeof qkdPreSharedKey>) =>
        sealEnvelope(
          {
            kind: 'update',
            suite: 2,
            codec: codecs['float16-zstd'].wireId,
            orgId: 'org',
            runId: 'run',
            deviceId: announcement.deviceId,
            round: 1,
            baseModel: Uint8Array.fromHex(announcement.baseModel),
            layout: Uint8Array.fromHex(announcement.layout),
            qkd: mark,
            ...header,
          },
          encodePayload({ claimedExamples: 1 }, new Uint8Array()),
          {
            round: Uint8Array.fromBase64(announcement.roundKey),
            device: crypto.importSigningKey(Uint8Array.fromBase64(enrolled[0]!.identity.signingSeed)),
            psk,
          },
          crypto,
        );
      const codeOf = async (bytes: Promise<Uint8Array>) => {
        const before = (await world.coordinator.journal(0)).length;
        const outcome = await world.coordinator.submit(devices[0]!, await bytes);
        if (outcome.ok) return 'ok';
        const journaled = (await world.coordinator.journal(before)).map(({ entry }) => entry.data['code']);
        assert.ok(journaled.includes(outcome.code), `${outcome.code} is in the journal`);
        return outcome.code;
      };
      const right = qkdPreSharedKey({ ...inputs, mark });
      // What gets past every check of the key is refused only for what it holds: the control of the rows below.
      const passed = await codeOf(seal({}, right));
      assert.ok(!['wrong-suite', 'wrong-qkd-key', 'bad-ciphertext', 'bad-signature'].includes(passed), passed);
      assert.equal(
        await codeOf(seal({ suite: 1, qkd: undefined })),
        policy === 'required' ? 'wrong-qkd-key' : passed,
        policy,
      );
      assert.equal(await codeOf(seal({ qkd: { epoch: 0, keyId: '' } }, right)), 'wrong-qkd-key');
      assert.equal(await codeOf(seal({ qkd: { ...mark, epoch: 1 } }, right)), 'wrong-qkd-key');
      assert.equal(
        await codeOf(seal({ qkd: { ...mark, keyId: heard[1]!.at(-1)!.qkd!.keyId } }, right)),
        'wrong-qkd-key',
      );
      // The round's public key alone seals nothing that opens: without the QKD key, or with another device's.
      assert.equal(await codeOf(seal({})), 'bad-ciphertext');
      const other = { ...inputs, mark, deviceId: heard[1]!.at(-1)!.deviceId };
      assert.equal(await codeOf(seal({}, qkdPreSharedKey(other))), 'bad-ciphertext');
    } finally {
      await world.close();
    }
  }
});

test('a coordinator that is killed in mid-round opens what was sealed under the QKD key of that round', async () => {
  const qkd = createQkdNetwork();
  const disk = createMemoryDisk();
  const plan = planWith('required', 1);
  const first = await createHttpsWorld({ plan, disk, qkd: qkd.coordinator });
  const invited = [await first.enrolSite(), await first.enrolSite()];
  const sites = invited.map(({ identity }) =>
    createSite(
      first.coordinator.snapshot().devices.get(identity.deviceId)!,
      crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed)),
    ),
  );
  for (const [i, { device, heard }] of sites.entries())
    first.coordinator.connect(device, null, ({ announcement }) => heard.push(announcement), { saeId: `sae-${i}` });
  while (sites.some(({ heard }) => heard.at(-1)?.state !== 'work'))
    await new Promise((resolve) => setTimeout(resolve, 5));
  const announced = sites[0]!.heard.at(-1)!.qkd;
  await first.close();

  const second = await createHttpsWorld({ plan, disk, qkd: qkd.coordinator });
  try {
    const again: Announcement[] = [];
    second.coordinator.connect(sites[0]!.device, null, ({ announcement }) => again.push(announcement), {
      saeId: 'sae-0',
    });
    while (again.at(-1)?.state !== 'work') await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(again.at(-1)!.qkd, announced);
    const { contribute } = await import('../../src/client/work.ts');
    const bytes = await contribute(again.at(-1)!, {
      plan,
      clientId: sites[0]!.device.clientId,
      key: sites[0]!.key,
      crypto,
      deflate,
      trainer: fakeTrainer,
      memory: createVolatileSiteMemory(),
      fetchModel: async (hash) => (await second.coordinator.model(hash))!,
      qkd: createClientQkd({
        plan,
        identity: invited[0]!.identity,
        save: async () => {},
        site: qkd.siteOf('sae-0'),
        say: () => {},
      }),
    });
    assert.ok((await second.coordinator.submit(sites[0]!.device, bytes)).ok);
  } finally {
    await second.close();
  }
});

test('a site refuses what would lower its plan: no key announced, no fresh one, none that it can fetch', async () => {
  const qkd = createQkdNetwork();
  const said: string[] = [];
  const identity = {
    qkd: { epochs: [{ epoch: 3, secret: crypto.randomBytes(32).toBase64() }] },
  } as unknown as Identity;
  const clientWith = (policy: Policy, site: SiteQkd | undefined = qkd.siteOf('sae-0')) =>
    createClientQkd({ plan: planWith(policy), identity, save: async () => {}, site, say: (text) => said.push(text) });
  const announcement = { deviceId: 'd-1', round: 1 } as Announcement;
  const withKey = (epoch: number, keyId: string): Announcement => ({
    ...announcement,
    qkd: { epoch, keyId, source: 'simulated' },
  });
  await assert.rejects(clientWith('required').keyFor(announcement), /announces work without the QKD key/);
  await assert.rejects(clientWith('required').keyFor(withKey(3, '')), /no fresh QKD key/);
  await assert.rejects(clientWith('required').keyFor(withKey(3, 'nobody')), NoQkdKeyError);
  await assert.rejects(clientWith('required').keyFor(withKey(9, '')), /no fresh QKD key/);
  const alone = createClientQkd({
    plan: planWith('required'),
    identity,
    save: async () => {},
    site: undefined,
    say: () => {},
  });
  await assert.rejects(alone.keyFor(withKey(3, 'k')), /no key source/);
  assert.equal(await clientWith('preferred').keyFor(announcement), null);
  assert.equal(await clientWith('preferred').keyFor(withKey(3, 'nobody')), null);
  assert.match(said.join('\n'), /no QKD key: no key nobody for sae-0; ML-KEM-768 and X25519 go on alone/);
  assert.equal(await clientWith('preferred').keyFor(withKey(9, 'k')), null);
  assert.ok((await clientWith('preferred').keyFor(withKey(3, '')))!.psk.key.length === 32);
  assert.equal(await clientWith('off').keyFor(withKey(3, 'k')), null);
});
