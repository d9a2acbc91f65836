import 'reflect-metadata';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { X509Certificate as ParsedCertificate, X509Crl, PemConverter } from '@peculiar/x509';
import { createTestAuthority } from '../../test/system/memory-authority.ts';
import { authorityTimes, openAuthority } from './authority-x509.ts';
import { createCertificateRequest } from './certificate-request.ts';

const crlOf = (pem: string) => new X509Crl(PemConverter.decodeFirst(pem));
/** The number of a list, from its extension (RFC 5280, section 5.2.3). */
const numberOf = (crl: X509Crl) => {
  const value = Buffer.from(crl.extensions.find(({ type }) => type === '2.5.29.20')!.value);
  return value.readUIntBE(2, value[1]!);
};

test('a certificate names the device, is for clients only, and is signed by the authority with ML-DSA-65', async () => {
  const { authority } = await createTestAuthority();
  const { request } = await createCertificateRequest('d-1');
  const issued = (await authority.issue(request, 'd-1'))!;
  const certificate = new X509Certificate(issued.certificate);
  const root = new X509Certificate(authority.trust().ca[0]!);
  assert.equal(certificate.subject, 'CN=d-1');
  assert.equal(certificate.publicKey.asymmetricKeyType, 'ml-dsa-65');
  assert.ok(certificate.verify(root.publicKey) && certificate.checkIssued(root));
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.serialNumber.toLowerCase(), issued.record.serial);
  const lifetimeMs = certificate.validToDate.getTime() - Date.now();
  assert.ok(Math.abs(lifetimeMs - authorityTimes.certificateMs) < 60_000);
  assert.equal(authority.standingOf(issued.record.serial), 'valid');
  assert.equal(authority.standingOf('00'), 'unknown');
});

test('the list of revoked certificates is signed, numbered, dated, and made anew at half of its time', async () => {
  const { storage } = await createTestAuthority();
  let nowMs = Date.now();
  const authority = (await openAuthority(storage, () => nowMs))!;
  const { request } = await createCertificateRequest('d-1');
  const { record } = (await authority.issue(request, 'd-1'))!;
  assert.equal(numberOf(crlOf(authority.trust().crl[0]!)), 1);
  await authority.revoke(record.serial, 'keyCompromise');
  await authority.revoke(record.serial, 'superseded');
  const crl = crlOf(authority.trust().crl[0]!);
  assert.equal(numberOf(crl), 2);
  assert.deepEqual(
    crl.entries.map(({ serialNumber, reason }) => [serialNumber, reason]),
    [[record.serial, 1]],
  );
  const root = new ParsedCertificate(authority.trust().ca[0]!);
  assert.equal(await crl.verify({ publicKey: root.publicKey }), true);
  assert.equal(authority.standingOf(record.serial), 'revoked');
  assert.ok(Math.abs(crl.nextUpdate!.getTime() - nowMs - authorityTimes.listMs) < 1000);

  await authority.refresh();
  assert.equal(numberOf(crlOf(authority.trust().crl[0]!)), 2);
  nowMs += authorityTimes.listMs / 2 + 1000;
  await authority.refresh();
  const later = crlOf(authority.trust().crl[0]!);
  assert.deepEqual([numberOf(later), later.entries.length], [3, 1]);
  // What is on disk is what an authority that is opened again goes on with.
  assert.equal((await openAuthority(storage, () => nowMs))!.standingOf(record.serial), 'revoked');
});

test('a list number of one to three bytes is a positive DER integer', async () => {
  const { storage } = await createTestAuthority();
  for (const number of [126, 127, 254, 255, 65_535]) {
    await storage.save({ ...storage.saved(), listNumber: number, lists: [] });
    const authority = (await openAuthority(storage, Date.now))!;
    await authority.refresh();
    assert.equal(numberOf(crlOf(authority.trust().crl[0]!)), number + 1);
  }
});

test('a new authority is vouched for by the former one, which is trusted until its certificates have ended', async () => {
  const { storage } = await createTestAuthority();
  let nowMs = Date.now();
  const authority = (await openAuthority(storage, () => nowMs))!;
  const made = await authority.rotate();
  const [old, fresh, cross] = [authority.trust().ca[0]!, made.certificate, made.cross!].map(
    (pem) => new X509Certificate(pem),
  );
  assert.ok(cross!.checkIssued(old!) && cross!.verify(old!.publicKey) && cross!.ca);
  assert.deepEqual(
    cross!.publicKey.export({ type: 'spki', format: 'der' }),
    fresh!.publicKey.export({ type: 'spki', format: 'der' }),
  );
  assert.equal(authority.trust().ca.length, 2);
  assert.equal(authority.trust().crl.length, 2);
  nowMs += authorityTimes.certificateMs + 1000;
  await authority.refresh();
  assert.deepEqual([authority.trust().ca.length, authority.trust().crl.length], [1, 1]);
  assert.deepEqual(
    authority.generations().map(({ state }) => state),
    ['retired', 'active'],
  );
});

test('an EC request is answered by a dual authority only, a request that was changed by none', async () => {
  const { request } = await createCertificateRequest('d-1', 'ECDSA-P-384');
  const [plain, dual] = [await createTestAuthority(), await createTestAuthority('ML-DSA-65', true)];
  assert.equal(await plain.authority.issue(request, 'd-1'), undefined);
  assert.equal((await dual.authority.issue(request, 'd-1'))!.record.algorithm, 'ECDSA-P-384');
  const { request: other } = await createCertificateRequest('d-1');
  const der = Buffer.from(PemConverter.decodeFirst(other));
  der[der.length - 9]! ^= 1;
  assert.equal(await dual.authority.issue(PemConverter.encode(der, 'CERTIFICATE REQUEST'), 'd-1'), undefined);
  assert.equal(dual.authority.certificates().length, 1);
});

test('an authority of ML-DSA-87 issues to ML-DSA-87', async () => {
  const { authority } = await createTestAuthority('ML-DSA-87');
  const { request } = await createCertificateRequest('d-1', 'ML-DSA-87');
  const { certificate } = (await authority.issue(request, 'd-1'))!;
  const root = new X509Certificate(authority.trust().ca[0]!);
  assert.equal(root.publicKey.asymmetricKeyType, 'ml-dsa-87');
  assert.ok(new X509Certificate(certificate).verify(root.publicKey));
});
