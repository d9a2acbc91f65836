import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { type AuthorityState, type AuthorityStorage, openAuthority } from '../../src/adapters/authority-x509.ts';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { requestCertificate } from '../../src/client/certificate.ts';
import { openSession } from '../../src/client/session.ts';
import { certifiedTransport } from '../../src/node/certified-transport.ts';
import type { CertificateAuthority } from '../../src/ports/authority.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import type { TlsIdentity } from '../../src/ports/tls-identity.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld, ownerToken, tlsIdentity } from '../system/https-world.ts';
import { createTestAuthority } from '../system/memory-authority.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, smallPlan } from '../system/world.ts';

/* Hostile programs against mutual TLS, over real sockets: each is refused before a request of it is read, and journaled. */

const dayMs = 86_400_000;
const base = '/v1/orgs/org/runs/run';
const pin = Uint8Array.fromHex(tlsIdentity.pin);

let world: HttpsWorld;
let authority: CertificateAuthority;
let storage: AuthorityStorage & { readonly saved: () => AuthorityState };
before(async () => {
  ({ authority, storage } = await createTestAuthority());
  const plan = smallPlan({ security: { clientCertificates: 'required' } });
  world = await createHttpsWorld({ plan, parts: { authority } });
  world.coordinator.onCommit((fresh) => journaled.push(...fresh.map(({ entry }) => entry)));
});
after(() => world.close());

/** Connects, asks for /health, and gives the status or that the connection was closed. */
function ask(identity: Partial<TlsIdentity>) {
  return new Promise<string>((resolve) => {
    let text = '';
    const socket: TLSSocket = connect({
      port: world.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ecdhCurve: 'X25519MLKEM768',
      ...identity,
    });
    socket.on('secureConnect', () => socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text === '' ? 'closed' : text.split(' ')[1]!));
  });
}

const journaled: JournalEntry[] = [];
const rows = (kind: string) => journaled.flatMap((entry) => (entry.kind === kind ? [entry.data] : []));

async function issuedBy(issuer: CertificateAuthority, subject = 'd-test'): Promise<TlsIdentity & { serial: string }> {
  const { key, request } = await createCertificateRequest(subject);
  const issued = await issuer.issue(request, subject);
  return { key, cert: issued!.certificate, serial: issued!.record.serial };
}

/** A site with its certificate, as `qflare join` has it. */
async function arrive() {
  const { identity, transport, session } = await world.enrolSite();
  const { deviceId } = identity;
  const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
  const made = await createCertificateRequest(deviceId);
  const cert = await requestCertificate(transport, { deviceId, key, pin: tlsIdentity.pin, request: made.request });
  const own: TlsIdentity = { key: made.key, cert };
  const target = { host: '127.0.0.1', port: world.port, pin, group: 'X25519MLKEM768' };
  const certified = createHttpsTransport({ ...target, certificate: () => own });
  return { identity, key, own, bare: transport, certified, session };
}

const model = () => `${base}/models/${world.coordinator.snapshot().models[0]!.hash}`;

/** Closed before an answer, and journaled with this code. */
async function isRefused(identity: TlsIdentity, code: string): Promise<void> {
  const before = rows('certificate.refused').length;
  assert.equal(await ask(identity), 'closed', code);
  await until(() => rows('certificate.refused').length > before, `${code} is journaled`);
  assert.equal(rows('certificate.refused').at(-1)!['code'], code);
}

test('a good certificate connects; one of another authority, one that has ended and one that has not begun do not', async () => {
  assert.equal(await ask({}), '200');
  assert.equal(await ask(await issuedBy(authority)), '200');
  const other = await createTestAuthority();
  await isRefused(await issuedBy(other.authority), 'untrusted');
  const past = await openAuthority(storage, () => Date.now() - 91 * dayMs);
  await isRefused(await issuedBy(past!), 'expired');
  const future = await openAuthority(storage, () => Date.now() + dayMs);
  await isRefused(await issuedBy(future!), 'not-yet-valid');
});

test('a revoked certificate opens no connection', async () => {
  const own = await issuedBy(authority);
  assert.equal(await ask(own), '200');
  const json = { reason: 'keyCompromise' };
  const owner = world.transport();
  const path = `/v1/admin/certificates/${own.serial}`;
  const reply = await owner.request({ method: 'POST', path, session: ownerToken, json });
  assert.equal(reply.status, 200);
  await isRefused(own, 'revoked');
  const unknown = await owner.request({ method: 'POST', path: '/v1/admin/certificates/00', session: ownerToken, json });
  assert.equal(unknown.status, 404);
});

test('routes of devices need the certificate of that device: none and that of another are refused', async () => {
  const [one, two] = [await arrive(), await arrive()];
  const session = await openSession(one.certified, {
    deviceId: one.identity.deviceId,
    key: one.key,
    pin: tlsIdentity.pin,
  });
  const status = async (transport: typeof one.bare) =>
    (await transport.request({ method: 'GET', path: model(), session })).status;
  assert.equal(await status(one.certified), 200);
  assert.equal(await status(one.bare), 401);
  assert.equal(await status(two.certified), 401);
  for (const { certified } of [one, two]) certified.close();
});

test('a device that is removed loses its certificate, its open connections, and gets no other', async () => {
  const site = await arrive();
  const session = await openSession(site.certified, {
    deviceId: site.identity.deviceId,
    key: site.key,
    pin: tlsIdentity.pin,
  });
  assert.equal((await site.certified.request({ method: 'GET', path: model(), session })).status, 200);
  await world.coordinator.enrolment.setStatus(site.identity.deviceId, 'removed');
  await until(() => rows('certificate.revoked').some(({ deviceId }) => deviceId === site.identity.deviceId), 'revoked');
  assert.equal(await ask(site.own), 'closed');
  await assert.rejects(arriveAgain(site), /The operator has removed this device/);
  site.certified.close();
});

async function arriveAgain({ identity, key, bare }: Awaited<ReturnType<typeof arrive>>): Promise<string> {
  const { deviceId } = identity;
  const { request } = await createCertificateRequest(deviceId);
  return requestCertificate(bare, { deviceId, key, pin: tlsIdentity.pin, request });
}

test('a certificate is asked for under the key of the device, with a request that its own key has signed', async () => {
  const [site, other] = [await arrive(), await arrive()];
  const { deviceId } = site.identity;
  const { request } = await createCertificateRequest(deviceId);
  const asked = { deviceId, pin: tlsIdentity.pin, request };
  await assert.rejects(requestCertificate(site.bare, { ...asked, key: other.key }), /The proof was not accepted/);
  const classical = await createCertificateRequest(deviceId, 'ECDSA-P-384');
  const [head, body] = [request.slice(0, 60), request.slice(60)];
  for (const bad of [classical.request, `${head}${body.replace('A', 'B')}`, 'no request at all']) {
    await assert.rejects(
      requestCertificate(site.bare, { ...asked, key: site.key, request: bad }),
      /was not accepted|malformed/,
    );
  }
  for (let i = 1; i < 8; i++) await requestCertificate(site.bare, { ...asked, key: site.key });
  await assert.rejects(requestCertificate(site.bare, { ...asked, key: site.key }), /too many certificates today/);
  for (const { certified } of [site, other]) certified.close();
});

test('a new authority takes over and nothing is dropped: certificates of the former one go on, lists of both hold', async () => {
  const site = await arrive();
  const reply = await world.transport().request({ method: 'POST', path: '/v1/admin/authority', session: ownerToken });
  assert.equal(bodyOf(reply)['number'], 2);
  assert.equal(await ask(site.own), '200');
  const later = await issuedBy(authority);
  assert.equal(await ask(later), '200');
  await authority.revokeSubject(site.identity.deviceId, 'superseded');
  await isRefused(site.own, 'revoked');
  assert.equal(await ask(later), '200');
  site.certified.close();
});

test('a site whose certificate is refused hears so; one whose coordinator is down does not', async () => {
  const site = await arrive();
  const { deviceId } = site.identity;
  const target = { host: '127.0.0.1', port: world.port, pin, group: 'X25519MLKEM768' };
  const transport = certifiedTransport(site.certified, () => createHttpsTransport(target));
  const health = () => transport.request({ method: 'GET', path: '/health' });
  assert.equal((await health()).status, 200);
  await authority.revokeSubject(deviceId, 'keyCompromise');
  site.certified.close();
  await assert.rejects(health(), /does not accept the certificate of this device/);
  const gone = { ...target, port: 1 };
  const dead = certifiedTransport(createHttpsTransport(gone), () => createHttpsTransport(gone));
  await assert.rejects(dead.request({ method: 'GET', path: '/health' }), { kind: 'network' });
});
