import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnnouncementTrust } from '../../src/client/announcement-trust.ts';
import { createDeviceKey } from '../../src/client/device-key.ts';
import { createAnnouncer } from '../../src/coordinator/announcer.ts';
import { certifyKey, isCertified } from '../../src/core/protocol/key-certificate.ts';
import {
  type Announcement,
  announcementBytes,
  keyRotationBytes,
  type SignedAnnouncement,
} from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { SigningKey } from '../../src/ports/crypto.ts';
import { bodyOf, createHttpsWorld, ownerToken, tlsIdentity } from './https-world.ts';
import { settle, until } from './virtual-clock.ts';
import { createMemoryDisk, crypto, smallPlan } from './world.ts';

const [root, first, second, stranger] = Array.from({ length: 4 }, () => crypto.generateSigningKey());
const run = { orgId: 'org', runId: 'run' };

test('a certificate holds for its key, version, run and root only', async () => {
  const certificate = certifyKey(root!, run, first!.publicKey, { version: 2, endsAtMs: 5 });
  assert.equal(await isCertified(root!.publicKey, run, certificate, crypto), true);
  assert.equal(await isCertified(stranger!.publicKey, run, certificate, crypto), false);
  assert.equal(await isCertified(root!.publicKey, { ...run, runId: 'other' }, certificate, crypto), false);
  assert.equal(await isCertified(root!.publicKey, run, { ...certificate, version: 3 }, crypto), false);
  assert.equal(await isCertified(root!.publicKey, run, { ...certificate, endsAtMs: 6 }, crypto), false);
  const other = { ...certificate, publicKey: second!.publicKey.toBase64() };
  assert.equal(await isCertified(root!.publicKey, run, other, crypto), false);
});

test('a site follows the announcement key to its next version, and never back, also after a restart', async () => {
  let identity = { ...run, coordinatorKey: root!.publicKey.toBase64() } as Identity;
  const save = async (part: Partial<Identity>) => void (identity = { ...identity, ...part });
  const trust = () => createAnnouncementTrust({ identity, crypto, nowMs: () => now, save });
  let now = 0;
  const announcement = { version: 1, deviceId: 'd' } as Announcement;
  const signed = (key: SigningKey, certificate: ReturnType<typeof certifyKey>) => {
    const signature = key.sign(purposes.announcement, announcementBytes(announcement)).toBase64();
    return { announcement, signature, certificate };
  };
  const announcer = createAnnouncer(root!, run, first!);
  const before = signed(first!, announcer.current().certificate);
  announcer.replace(second!, { version: 2, endsAtMs: 1000 });
  const after = signed(second!, announcer.current().certificate);
  const isTrusted = trust();
  assert.equal(await isTrusted(before), true);
  assert.equal(
    await isTrusted(signed(stranger!, certifyKey(stranger!, run, stranger!.publicKey, { version: 9, endsAtMs: 1000 }))),
    false,
  );
  assert.equal(await isTrusted(signed(stranger!, before.certificate)), false);
  assert.equal(await isTrusted(after), true);
  assert.equal(await isTrusted(before), false, 'what was replaced is worth nothing');
  assert.equal(identity.announcementVersion, 2);
  const again = trust();
  assert.equal(await again(before), false);
  assert.equal(await again(after), true);
  // The same key from the moment on at which it ends, and with an end that its holder has moved.
  now = 999;
  assert.equal(await again(after), true);
  now = 1000;
  await assert.rejects(again(after), /announcement key ended at 1970-01-01T00:00:01.000Z, by this machine's clock/);
  assert.equal(await again(signed(second!, { ...after.certificate, endsAtMs: 2000 })), false);
});

test('a device replaces its key by both keys: in its own name, for this run, once, and not with a key that is taken', async () => {
  const disk = createMemoryDisk();
  const world = await createHttpsWorld({ disk });
  try {
    const [a, b] = [await world.enrolSite(), await world.enrolSite()];
    const oldKey = crypto.importSigningKey(Uint8Array.fromBase64(a.identity.signingSeed));
    const { deviceId } = a.identity;
    const rotation = (publicKey: Uint8Array, change: object = {}) =>
      ({ version: 1, ...run, deviceId, publicKey: publicKey.toBase64(), ...change }) as const;
    const send = async (body: ReturnType<typeof rotation>, by: SigningKey, held: SigningKey, site = a) => {
      const bytes = keyRotationBytes(body);
      const json = {
        rotation: body,
        signature: by.sign(purposes.deviceKey, bytes).toBase64(),
        proof: held.sign(purposes.deviceKey, bytes).toBase64(),
      };
      const session = await site.session();
      const reply = await site.transport.request({ method: 'POST', path: '/v1/orgs/org/runs/run/keys', session, json });
      return reply.status === 200 ? 'replaced' : (bodyOf(reply)['error'] as string);
    };
    const keyOf = () => world.coordinator.snapshot().devices.get(deviceId)!.publicKey;
    const before = keyOf();
    assert.equal(await send(rotation(second!.publicKey), stranger!, second!), 'bad-signature');
    assert.equal(await send(rotation(second!.publicKey), oldKey, stranger!), 'bad-signature');
    assert.equal(await send(rotation(second!.publicKey), oldKey, second!, b), 'bad-signature', 'another device');
    assert.equal(await send(rotation(second!.publicKey, { runId: 'other' }), oldKey, second!), 'bad-signature');
    const taken = crypto.importSigningKey(Uint8Array.fromBase64(b.identity.signingSeed));
    assert.equal(await send(rotation(taken.publicKey), oldKey, taken), 'key-taken');
    assert.equal(keyOf(), before);

    const owner = async (path: string) =>
      (await a.transport.request({ method: 'POST', path: `/v1/admin/devices/${path}`, session: ownerToken })).status;
    assert.deepEqual(
      [await owner('nobody/key'), await owner(`${deviceId}/key`), await owner(`${deviceId}/key`)],
      [404, 200, 200],
    );
    assert.equal(world.coordinator.snapshot().run.deviceKeys[deviceId]!.isAsked, true);

    // The answer is lost and asked for again: the session is older than the new key, as an agent's would be.
    const session = await a.session();
    const bytes = keyRotationBytes(rotation(second!.publicKey));
    const json = {
      rotation: rotation(second!.publicKey),
      signature: oldKey.sign(purposes.deviceKey, bytes).toBase64(),
      proof: second!.sign(purposes.deviceKey, bytes).toBase64(),
    };
    for (let i = 0; i < 2; i++) {
      const reply = await a.transport.request({ method: 'POST', path: '/v1/orgs/org/runs/run/keys', session, json });
      assert.deepEqual([reply.status, bodyOf(reply)], [200, { replaced: true }]);
    }
    assert.equal(keyOf(), second!.publicKey.toBase64());
    await assert.rejects(a.session(), /does not know this device/, 'the old key opens no session');
    const kinds = (await world.coordinator.journal(0)).map(({ entry }) => entry.kind);
    assert.deepEqual(
      kinds.filter((kind) => kind.startsWith('device.key')),
      ['device.key-asked', 'device.key'],
    );
    assert.equal(world.coordinator.snapshot().run.deviceKeys[deviceId]!.isAsked, false);
    assert.equal(
      (await disk.store.devices()).find((device) => device.deviceId === deviceId)!.publicKey,
      second!.publicKey.toBase64(),
    );
  } finally {
    await world.close();
  }
});

const dayMs = 86_400_000;

test('the key of a device ends at 180 days: asked for at 90, removed with the reason then, unless a new one was made', async () => {
  const world = await createHttpsWorld({ plan: smallPlan({ cohort: { expected: 2, quorum: 2 } }) });
  const { coordinator, clock } = world;
  try {
    const [a, b] = [await world.enrolSite(), await world.enrolSite()];
    const heard: SignedAnnouncement[] = [];
    const deviceOf = (site: typeof a) => coordinator.snapshot().devices.get(site.identity.deviceId)!;
    coordinator.connect(deviceOf(a), null, (message) => heard.push(message));
    assert.equal(heard.at(-1)!.announcement.rotateKey, undefined);
    clock.advance(90 * dayMs);
    const leave = coordinator.connect(deviceOf(a), null, (message) => heard.push(message));
    assert.equal(heard.at(-1)!.announcement.rotateKey, true, 'asked for as soon as it is due');

    // One site does what it is asked for, the other is away.
    const transport = b.transport;
    const { deviceId } = b.identity;
    const saved: Partial<Identity>[] = [];
    const save = async (seeds: Partial<Identity>) => void saved.push(seeds);
    const key = createDeviceKey({ identity: b.identity, crypto, transport, pin: tlsIdentity.pin, save });
    await key.replace(await b.session());
    leave();

    clock.advance(90 * dayMs - 60_001);
    await settle();
    assert.equal(deviceOf(a).status, 'approved', 'up to the last minute');
    const session = await a.session();
    clock.advance(60_001);
    await until(() => deviceOf(a).status === 'removed', 'the key of the site that was away has ended');
    assert.equal(deviceOf(b).status, 'approved');
    const entries = (await coordinator.journal(0)).map(({ entry }) => entry);
    assert.deepEqual(
      entries.filter(({ kind }) => kind === 'device.status').map(({ data }) => data),
      [
        {
          deviceId: a.identity.deviceId,
          clientId: a.identity.clientId,
          status: 'removed',
          reason: 'its key has expired',
        },
      ],
    );
    await assert.rejects(a.session(), /removed this device/);
    const path = `/v1/orgs/org/runs/run/models/${coordinator.snapshot().models[0]!.hash}`;
    assert.equal((await a.transport.request({ method: 'GET', path, session })).status, 401);
    // The site that made a new key goes on, until that one's time.
    assert.match(await key.openSession(), /^session\./);
    assert.equal(coordinator.snapshot().devices.get(deviceId)!.publicKey, key.current().publicKey.toBase64());
    // And the one that was away comes back with a new link.
    await world.enrolSite();
  } finally {
    await world.close();
  }
});

test('an announcement key that has ended signs nothing more, and a new one in its place goes on', async () => {
  const endsAtMs = 1_700_000_000_000 + 1000;
  const announcer = createAnnouncer(root!, run, first!, { version: 1, endsAtMs });
  const world = await createHttpsWorld({ parts: { announcer } });
  try {
    const { identity } = await world.enrolSite();
    const heard: SignedAnnouncement[] = [];
    const device = world.coordinator.snapshot().devices.get(identity.deviceId)!;
    world.coordinator.connect(device, null, (message) => heard.push(message));
    await world.enrolSite();
    await settle();
    assert.ok(heard.length > 0);
    world.clock.advance(1000);
    const before = heard.length;
    await world.enrolSite();
    await settle();
    assert.equal(heard.length, before);
    announcer.replace(second!, { version: 2, endsAtMs: endsAtMs + 1000 });
    await world.enrolSite();
    await until(() => heard.length > before, 'the new key announces');
    assert.deepEqual(
      heard.map(({ certificate }) => certificate.version).filter((version, i, all) => version !== all[i - 1]),
      [1, 2],
    );
  } finally {
    await world.close();
  }
});
