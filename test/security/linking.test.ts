// What two runs, or a register that is kept, tell of a site.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { pseudonymOf } from '../../src/core/transparency/model-card.ts';
import { createHttpsWorld } from '../system/https-world.ts';
import { createTestAuthority } from '../system/memory-authority.ts';
import { crypto, proofKeys } from '../system/world.ts';

test('a site in two runs shows neither the same key, nor the same device, nor the same pseudonym', async () => {
  const [a, b] = [
    await createHttpsWorld(),
    await createHttpsWorld({ parts: { proofKeys: { ...proofKeys, pseudonym: crypto.randomBytes(32) } } }),
  ];
  try {
    const [inA, inB] = [(await a.enrolSite()).identity, (await b.enrolSite()).identity];
    const keyOf = ({ signingSeed }: { signingSeed: string }) =>
      crypto.importSigningKey(Uint8Array.fromBase64(signingSeed)).publicKey.toHex();
    assert.notEqual(keyOf(inA), keyOf(inB));
    assert.notEqual(inA.deviceId, inB.deviceId);
    assert.equal(inA.clientId, inB.clientId, 'the place in the run is the same, and links nothing');
    const named = [a, b].map(({ parts }) => pseudonymOf(inA.clientId, parts.proofKeys.pseudonym));
    assert.notEqual(named[0], named[1]);
  } finally {
    await a.close();
    await b.close();
  }
});

test('the register of certificates holds device ids, numbers, dates and reasons, and no more of a site', async () => {
  const { authority, storage } = await createTestAuthority();
  const { request } = await createCertificateRequest('device-7', 'ML-DSA-65');
  const { record } = (await authority.issue(request, 'device-7'))!;
  await authority.revoke(record.serial, 'superseded');
  const [kept] = storage.saved().certificates;
  assert.deepEqual(Object.keys(kept!).toSorted(), [
    'algorithm',
    'generation',
    'notAfterMs',
    'notBeforeMs',
    'reason',
    'revokedAtMs',
    'serial',
    'subject',
  ]);
  assert.deepEqual([kept!.subject, kept!.reason], ['device-7', 'superseded']);
});
