import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { requestCertificate } from '../../src/client/certificate.ts';
import { parsePlan, PlanError } from '../../src/core/plan/plan.ts';
import { channelProfileIds, channelProfiles, clientChannel } from '../../src/core/protocol/channel-profile.ts';
import { statusOf } from '../../src/coordinator/status.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import { createAnnouncementTrust } from '../../src/client/announcement-trust.ts';
import { enrol } from '../../src/client/enrol.ts';
import { parseLink } from '../../src/client/link.ts';
import { createAnnouncer } from '../../src/coordinator/announcer.ts';
import { certifyKey } from '../../src/core/protocol/key-certificate.ts';
import { type Announcement, announcementBytes } from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import type { Identity } from '../../src/ports/identity.ts';
import { createHttpsWorld, memoryIdentity } from '../system/https-world.ts';
import { createTestAuthority } from '../system/memory-authority.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, smallPlan } from '../system/world.ts';

const base = '/v1/orgs/org/runs/run';

for (const profile of channelProfileIds) {
  const { group, signature } = channelProfiles[profile];

  test(`profile ${profile}: a site with a certificate is served over ${group}, every other profile is refused`, async () => {
    const tls = await createServerIdentity(['127.0.0.1'], Date.now(), signature);
    const { authority } = await createTestAuthority(signature);
    const plan = smallPlan({ security: { profile, clientCertificates: 'required' } });
    const world = await createHttpsWorld({ plan, tls, parts: { authority } });
    const journaled: JournalEntry[] = [];
    world.coordinator.onCommit((rows) => journaled.push(...rows.map(({ entry }) => entry)));
    const pin = Uint8Array.fromHex(tls.pin);
    const target = { host: '127.0.0.1', port: world.port, pin };
    try {
      const { identity, transport, session } = await world.enrolSite();
      assert.equal(transport.negotiated()!.group, group);
      const { deviceId } = identity;
      const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
      const made = await createCertificateRequest(deviceId, signature);
      const cert = await requestCertificate(transport, { deviceId, key, pin: tls.pin, request: made.request });
      const certified = createHttpsTransport({
        ...target,
        ...clientChannel(profile),
        certificate: () => ({ cert, key: made.key }),
      });
      const own = await session();
      const listen = async (headers: Record<string, string>) => {
        const ending = new AbortController();
        try {
          for await (const { event } of certified.events(
            { method: 'GET', path: `${base}/events`, session: own, headers },
            ending.signal,
          )) {
            return event;
          }
        } finally {
          ending.abort();
        }
        return undefined;
      };
      // What the journal says of the channel is what the server's own end reads; a client that reads another is refused.
      assert.equal(await listen({}), 'announcement');
      const connected = () => journaled.find(({ kind }) => kind === 'client.connected');
      await until(() => connected() !== undefined, 'connected');
      assert.equal((connected()!.data['tls'] as { group: string }).group, group);
      await assert.rejects(listen({ 'qflare-tls': 'TLSv1.3 X25519Kyber768 TLS_AES_256_GCM_SHA384' }));
      await until(() => journaled.some(({ kind }) => kind === 'channel.differs'), 'journaled');

      const { channel } = statusOf(world.coordinator, world.parts);
      assert.deepEqual([channel.profile, channel.group], [profile, group]);
      assert.equal(/CLASSICAL/.test(channel.is), profile === 'compatibility');
      certified.close();
      for (const other of channelProfileIds.filter((id) => id !== profile)) {
        const refused = createHttpsTransport({ ...target, ...clientChannel(other) });
        await assert.rejects(refused.request({ method: 'GET', path: '/health' }), /refused the secure channel/, other);
        refused.close();
      }
    } finally {
      await world.close();
    }
  });
}

test('a server key of another algorithm is refused before a byte of the request, even over the right group', async () => {
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), 'ECDSA-P-384');
  const { createServer } = await import('node:https');
  const server = createServer({ ...tls, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }, () =>
    assert.fail('served'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const pin = Uint8Array.fromHex(tls.pin);
  const transport = createHttpsTransport({ host: '127.0.0.1', port, pin, ...clientChannel('default') });
  await assert.rejects(transport.request({ method: 'GET', path: '/health' }), /refused the secure channel/);
  transport.close();
  await new Promise((resolve) => server.close(resolve));
});

test('a plan that names the group of another profile, or a group that no profile has, is refused with the way out', () => {
  const model = { kind: 'softmax-regression', inputs: 2, classes: 2 } as const;
  const problemOf = (security: object) => {
    try {
      parsePlan({ model, security } as never);
      return '';
    } catch (error) {
      assert.ok(error instanceof PlanError);
      return error.message;
    }
  };
  assert.match(
    problemOf({ channel: 'X25519' }),
    /security\.channel: must be X25519MLKEM768 under profile default \(security\.profile = "compatibility" has this group\)/,
  );
  assert.match(problemOf({ profile: 'cnsa-style', channel: 'MLKEM512' }), /no profile has this group/);
  assert.match(problemOf({ profile: 'weak' }), /security\.profile/);
  assert.equal(parsePlan({ model, security: { profile: 'cnsa-style' } }).security.channel, 'SecP384r1MLKEM1024');
});

test('cnsa-style holds behind the channel: a device with a key of ML-DSA-65 and envelopes of another suite are refused', async () => {
  const plan = smallPlan({ security: { profile: 'cnsa-style' } });
  assert.equal(plan.security.suite, 5);
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), 'ML-DSA-87');
  const world = await createHttpsWorld({ plan, tls });
  try {
    const { identity } = await world.enrolSite();
    const seed = Uint8Array.fromBase64(identity.signingSeed);
    assert.equal(crypto.importSigningKey(seed).publicKey.length, 2592);
    const [invited] = await world.coordinator.enrolment.invite(1);
    const link = parseLink(world.linkOf(invited!.token));
    assert.equal(link.suite, 5);
    const weaker = { link: { ...link, suite: 1 as const }, name: 'site', crypto, transport: world.transport() };
    await assert.rejects(enrol({ ...weaker, store: memoryIdentity() }), /refused|proof|key/i);
    const { channel } = statusOf(world.coordinator, world.parts);
    assert.deepEqual([channel.kem, channel.signature], ['MLKEM1024-P384', 'ML-DSA-87']);
  } finally {
    await world.close();
  }
});

test('a coordinator whose announcements would be signed with less than the plan says is refused by the site', async () => {
  const weak = createAnnouncer(
    crypto.generateSigningKey(),
    { orgId: 'org', runId: 'run' },
    crypto.generateSigningKey(),
  );
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), 'ML-DSA-87');
  const plan = smallPlan({ security: { profile: 'cnsa-style' } });
  const world = await createHttpsWorld({ plan, tls, parts: { announcer: weak } });
  try {
    await assert.rejects(world.enrolSite(), /announcements must be signed as the suite of the plan says/);
  } finally {
    await world.close();
  }
});

test('an announcement under a key of another scheme than the root key is not trusted, whatever certified it', async () => {
  const root = crypto.generateSigningKey('ML-DSA-87');
  const run = { orgId: 'org', runId: 'run' };
  const identity = { ...run, coordinatorKey: root.publicKey.toBase64() } as Identity;
  const trustIn = () => createAnnouncementTrust({ identity, crypto, nowMs: () => 0, save: async () => {} });
  for (const [scheme, isTrusted] of [
    ['ML-DSA-87', true],
    ['ML-DSA-65', false],
  ] as const) {
    const key = crypto.generateSigningKey(scheme);
    const certificate = certifyKey(root, run, key.publicKey, { version: 1, endsAtMs: 1 });
    const announcement = { version: 1, ...run, round: 1 } as unknown as Announcement;
    const signature = key.sign(purposes.announcement, announcementBytes(announcement)).toBase64();
    assert.equal(await trustIn()({ announcement, signature, certificate }), isTrusted, scheme);
  }
});

test('a plan whose suite is not of its profile is refused with the nearest legal one', () => {
  const model = { kind: 'softmax-regression', inputs: 2, classes: 2 } as const;
  const of = (security: object) => parsePlan({ model, security } as never).security.suite;
  assert.deepEqual(
    [of({}), of({ suite: 3 }), of({ profile: 'cnsa-style' }), of({ profile: 'compatibility' })],
    [1, 3, 5, 1],
  );
  const message =
    /security\.suite: must be 5 under profile cnsa-style \(security\.profile = "default" has this suite\): current value is 1/;
  assert.throws(() => of({ profile: 'cnsa-style', suite: 1 }), message);
  assert.throws(() => of({ suite: 5 }), /must be 1 or 3 under profile default \(security\.profile = "cnsa-style"/);
  assert.throws(() => of({ suite: 6 }), /security\.suite/);
});
