import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type AuthorityState, type AuthorityStorage, createAuthority, openAuthority } from '../authority-x509.ts';
import { createCertificateRequest } from '../certificate-request.ts';
import { authorityCertificate, freshKey } from './certificates.ts';
import { derValues } from './der.ts';
import { chainProblem, createOfflineRoot, revocationProblem, signAuthority } from './offline-root.ts';

const nowMs = Date.now();
const dayMs = 86_400_000;
const root = createOfflineRoot({ name: 'test root', nowMs, years: 20 });
const strange = createOfflineRoot({ name: 'test root', nowMs, years: 20, passphrase: 'correct horse' });

function memory(): AuthorityStorage & { state: AuthorityState | undefined } {
  const keys: Uint8Array[] = [];
  const storage = {
    state: undefined as AuthorityState | undefined,
    load: async () => storage.state,
    save: async (next: AuthorityState) => void (storage.state = next),
    keepKey: async (key: Uint8Array) => `${keys.push(key) - 1}`,
    key: async (id: string) => keys[Number(id)]!,
  };
  return storage;
}

const anchored = (async () => {
  const storage = memory();
  const authority = await createAuthority(storage, { name: 'issuing', algorithm: 'ML-DSA-65' }, () => nowMs);
  const own = authority.generations()[0]!.certificate;
  const certificate = signAuthority(root, own, { nowMs, years: 10 });
  await authority.anchor({ root: root.certificate, certificate });
  const { request } = await createCertificateRequest('d-1', 'ML-DSA-65');
  const issued = (await authority.issue(request, 'd-1'))!;
  return { storage, authority, own, certificate, issued };
})();

test('a device leads over ML-DSA-65 to a root under SLH-DSA; another root of the same name, a changed bit and a cut certificate do not', async () => {
  const { certificate, issued } = await anchored;
  assert.equal(new X509Certificate(root.certificate).publicKey.asymmetricKeyType, 'slh-dsa-sha2-128s');
  const problem = (leaf: string, by = root.certificate, between = [certificate], at = nowMs) =>
    chainProblem(leaf, { root: by, between, nowMs: at });
  assert.equal(problem(issued.certificate), undefined);
  assert.match(problem(issued.certificate, strange.certificate)!, /no way/);
  assert.match(problem(issued.certificate, root.certificate, [])!, /no way/);
  assert.match(problem(issued.certificate, issued.certificate)!, /not under SLH-DSA/);
  assert.match(problem('no certificate')!, /cannot be read/);
  // One bit of the root's signature, in the certificate between.
  const raw = Buffer.from(new X509Certificate(certificate).raw);
  raw[raw.length - 100]! ^= 1;
  assert.match(problem(issued.certificate, root.certificate, [new X509Certificate(raw).toString()])!, /no way/);
  // Times: before, after the leaf, after the root.
  for (const days of [-1, 91, 365 * 21]) {
    assert.notEqual(
      problem(issued.certificate, root.certificate, [certificate], nowMs + days * dayMs),
      undefined,
      `${days}`,
    );
  }
  // A device is no authority: what it signs leads nowhere.
  assert.match(problem(issued.certificate, root.certificate, [issued.certificate])!, /no way/);
});

test('a root signs authorities only: no leaf, and none whose own signature does not hold; its key opens with its passphrase only', async () => {
  const { issued, own } = await anchored;
  assert.throws(() => signAuthority(root, issued.certificate, { nowMs, years: 1 }), RangeError);
  const raw = Buffer.from(new X509Certificate(own).raw);
  raw[raw.length - 100]! ^= 1;
  assert.throws(() => signAuthority(root, new X509Certificate(raw).toString(), { nowMs, years: 1 }), RangeError);
  assert.throws(() => signAuthority(strange, own, { nowMs, years: 1 }));
  const made = signAuthority({ ...strange, passphrase: 'correct horse' }, own, { nowMs, years: 40 });
  // Never longer than the root itself.
  assert.deepEqual(new X509Certificate(made).validToDate, new X509Certificate(strange.certificate).validToDate);
});

test('rotation under a root: the next authority leads over the former, and the one after only once the root has signed', async () => {
  const storage = memory();
  const authority = await createAuthority(storage, { name: 'issuing', algorithm: 'ML-DSA-65' }, () => nowMs);
  const vouch = (number: number) => {
    const own = authority.generations().find((one) => one.number === number)!.certificate;
    return authority.anchor({ root: root.certificate, certificate: signAuthority(root, own, { nowMs, years: 10 }) });
  };
  await vouch(1);
  await authority.rotate();
  const reopened = (await openAuthority(storage, () => nowMs))!;
  const { request } = await createCertificateRequest('d-2', 'ML-DSA-65');
  const issued = (await reopened.issue(request, 'd-2'))!;
  assert.equal(issued.record.generation, 2);
  const between = () => [
    ...storage.state!.anchor!.vouched.map(({ certificate }) => certificate),
    ...storage.state!.generations.flatMap(({ cross }) => cross ?? []),
  ];
  assert.equal(chainProblem(issued.certificate, { root: root.certificate, between: between(), nowMs }), undefined);
  await assert.rejects(authority.rotate(), /the root must have signed authority 2 first/);
  await vouch(2);
  await authority.rotate();
  assert.equal(authority.generations().length, 3);

  // The list: signed by who has issued, fresh, and without the certificate.
  const list = () => storage.state!.lists.find(({ generation }) => generation === 2)!.pem;
  const pool = between();
  const problem = (at = nowMs, of = list()) =>
    revocationProblem(issued.certificate, { list: of, between: pool, nowMs: at });
  const standing = (await openAuthority(storage, () => nowMs))!;
  await standing.refresh();
  assert.equal(await problem(), undefined);
  assert.match((await problem(nowMs + 8 * dayMs))!, /outdated/);
  assert.match(
    (await problem(nowMs, storage.state!.lists.find(({ generation }) => generation === 1)!.pem))!,
    /not signed by/,
  );
  assert.match((await problem(nowMs, 'no list'))!, /cannot be read/);
});

test('an authority under a root fails closed: its certificate swapped on the disk, the root swapped, the signature gone', async () => {
  const { storage, authority, certificate } = await anchored;
  const good = storage.state!;
  const reopen = (change: Partial<AuthorityState>, at = nowMs) => {
    storage.state = { ...good, ...change };
    return openAuthority(storage, () => at).finally(() => (storage.state = good));
  };
  assert.ok(await reopen({}));
  const key = freshKey('ML-DSA-65');
  const own = {
    algorithm: 'ML-DSA-65',
    key,
    name: 'CN=issuing 1',
    notBeforeMs: nowMs,
    notAfterMs: nowMs + dayMs,
  } as const;
  const forged = await authorityCertificate(own);
  const swapped = good.generations.map((one) => ({ ...one, certificate: forged }));
  await assert.rejects(reopen({ generations: swapped }), { name: 'AnchorError' });
  await assert.rejects(reopen({ anchor: { root: root.certificate, vouched: [] } }), { name: 'AnchorError' });
  const other = { root: strange.certificate, vouched: good.anchor!.vouched };
  await assert.rejects(reopen({ anchor: other }), { name: 'AnchorError' });
  await assert.rejects(
    reopen({ anchor: { root: root.certificate, vouched: [{ generation: 1, certificate: forged }] } }),
    {
      name: 'AnchorError',
    },
  );
  // Not for this key, and not under another root.
  await assert.rejects(authority.anchor({ root: root.certificate, certificate: forged }), /key of authority 1/);
  await assert.rejects(authority.anchor({ root: strange.certificate, certificate }), /keep the one that it has/);
});

test('derValues() refuses what is cut, and lengths that no certificate has', () => {
  assert.throws(() => derValues(Uint8Array.of(0x30, 5, 1)), RangeError);
  assert.throws(() => derValues(Uint8Array.of(0x30)), RangeError);
  assert.throws(() => derValues(Uint8Array.of(0x30, 0x85, 0, 0, 0, 0, 1, 0)), RangeError);
  assert.deepEqual(derValues(new Uint8Array()), []);
});
