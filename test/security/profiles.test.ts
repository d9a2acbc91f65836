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
import { createHttpsWorld } from '../system/https-world.ts';
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
