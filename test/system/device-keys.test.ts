import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnnouncementTrust } from '../../src/client/announcement-trust.ts';
import { createAnnouncer } from '../../src/coordinator/announcer.ts';
import { certifyKey, isCertified } from '../../src/core/protocol/key-certificate.ts';
import { type Announcement, announcementBytes, keyRotationBytes } from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { SigningKey } from '../../src/ports/crypto.ts';
import { bodyOf, createHttpsWorld, ownerToken } from './https-world.ts';
import { createMemoryDisk, crypto } from './world.ts';

const [root, first, second, stranger] = Array.from({ length: 4 }, () => crypto.generateSigningKey());
const run = { orgId: 'org', runId: 'run' };

test('a certificate holds for its key, version, run and root only', async () => {
  const certificate = certifyKey(root!, run, first!.publicKey, 2);
  assert.equal(await isCertified(root!.publicKey, run, certificate, crypto), true);
  assert.equal(await isCertified(stranger!.publicKey, run, certificate, crypto), false);
  assert.equal(await isCertified(root!.publicKey, { ...run, runId: 'other' }, certificate, crypto), false);
  assert.equal(await isCertified(root!.publicKey, run, { ...certificate, version: 3 }, crypto), false);
  const other = { ...certificate, publicKey: second!.publicKey.toBase64() };
  assert.equal(await isCertified(root!.publicKey, run, other, crypto), false);
});

test('a site follows the announcement key to its next version, and never back, also after a restart', async () => {
  let identity = { ...run, coordinatorKey: root!.publicKey.toBase64() } as Identity;
  const save = async (part: Partial<Identity>) => void (identity = { ...identity, ...part });
  const trust = () => createAnnouncementTrust({ identity, crypto, save });
  const announcement = { version: 1, deviceId: 'd' } as Announcement;
  const signed = (key: SigningKey, certificate: ReturnType<typeof certifyKey>) => {
    const signature = key.sign(purposes.announcement, announcementBytes(announcement)).toBase64();
    return { announcement, signature, certificate };
  };
  const announcer = createAnnouncer(root!, run, first!);
  const before = signed(first!, announcer.current().certificate);
  announcer.replace(second!, 2);
  const after = signed(second!, announcer.current().certificate);
  const isTrusted = trust();
  assert.equal(await isTrusted(before), true);
  assert.equal(await isTrusted(signed(stranger!, certifyKey(stranger!, run, stranger!.publicKey, 9))), false);
  assert.equal(await isTrusted(signed(stranger!, before.certificate)), false);
  assert.equal(await isTrusted(after), true);
  assert.equal(await isTrusted(before), false, 'what was replaced is worth nothing');
  assert.equal(identity.announcementVersion, 2);
  const again = trust();
  assert.equal(await again(before), false);
  assert.equal(await again(after), true);
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
