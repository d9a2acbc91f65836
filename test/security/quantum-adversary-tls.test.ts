import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorityCertificate,
  clientCertificate,
  freshKey,
  readRequest,
} from '../../src/adapters/authority-x509/certificates.ts';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { openSession } from '../../src/client/session.ts';
import { channelProfiles, clientChannel } from '../../src/core/protocol/channel-profile.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import { createHttpsWorld } from '../system/https-world.ts';
import { createTestAuthority } from '../system/memory-authority.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, smallPlan } from '../system/world.ts';

/*
 * The quantum adversary against mutual TLS, *simulated*: the test gives away what Shor's algorithm would compute, every EC
 * private key. Serial numbers and names of certificates are no secret to it either.
 */

const times = () => ({ notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 });

async function worldOf(profile: 'default' | 'compatibility') {
  const { signature } = channelProfiles[profile];
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), signature);
  const { authority, storage } = await createTestAuthority(signature);
  const plan = smallPlan({ security: { profile, clientCertificates: 'required' } });
  const world = await createHttpsWorld({ plan, tls, parts: { authority } });
  const journaled: JournalEntry[] = [];
  world.coordinator.onCommit((rows) => journaled.push(...rows.map(({ entry }) => entry)));
  const { identity } = await world.enrolSite();
  const { deviceId } = identity;
  const victim = await createCertificateRequest(deviceId, signature);
  const { record } = (await authority.issue(victim.request, deviceId))!;
  const target = { host: '127.0.0.1', port: world.port, pin: Uint8Array.fromHex(tls.pin), ...clientChannel(profile) };
  return { world, tls, authority, storage, journaled, deviceId, serial: record.serial, target };
}

test('the quantum adversary (simulated): with every EC key no certificate of the ML-DSA authority is forged', async () => {
  const { world, authority, journaled, deviceId, serial, target } = await worldOf('default');
  try {
    // A key of the attacker's own under the authority's very name: the best that it can do without ML-DSA's.
    const { key, request } = await createCertificateRequest(deviceId);
    const { publicKey } = (await readRequest(request))!;
    for (const algorithm of ['ECDSA-P-384', 'ML-DSA-65'] as const) {
      const own = freshKey(algorithm);
      const certificate = await authorityCertificate({ algorithm, key: own, name: 'CN=QFLARE test 1', ...times() });
      const cert = await clientCertificate(
        { algorithm, key: own, certificate },
        { publicKey, subject: deviceId, serial, ...times() },
      );
      const transport = createHttpsTransport({ ...target, certificate: () => ({ cert, key }) });
      await assert.rejects(transport.request({ method: 'GET', path: '/health' }));
      transport.close();
    }
    const refused = () => journaled.filter(({ kind }) => kind === 'certificate.refused');
    await until(() => refused().length === 2, 'both are journaled');
    assert.ok(refused().every(({ data }) => data['code'] === 'untrusted'));
    assert.equal(authority.standingOf(serial), 'valid');
  } finally {
    await world.close();
  }
});

test('the control: under the classical profile the same attacker forges a certificate that connects; a session still needs ML-DSA', async () => {
  const { world, tls, authority, storage, deviceId, serial, target } = await worldOf('compatibility');
  try {
    const computed = await storage.key(storage.saved().generations[0]!.keyId);
    const signer = { algorithm: 'ECDSA-P-384', key: computed, certificate: authority.trust().ca[0]! } as const;
    const { key, request } = await createCertificateRequest(deviceId, 'ECDSA-P-384');
    const { publicKey } = (await readRequest(request))!;
    const cert = await clientCertificate(signer, { publicKey, subject: deviceId, serial, ...times() });
    const transport = createHttpsTransport({ ...target, certificate: () => ({ cert, key }) });
    assert.equal((await transport.request({ method: 'GET', path: '/health' })).status, 200);
    const guess = crypto.generateSigningKey();
    await assert.rejects(openSession(transport, { deviceId, key: guess, pin: tls.pin }), /does not know this device/);
    transport.close();
  } finally {
    await world.close();
  }
});
