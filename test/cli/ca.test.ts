import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { readInventory } from '../../src/node/key-vault.ts';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { until } from '../system/virtual-clock.ts';
import { killAll, runToEnd, start } from '../system/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-cli-ca-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

async function json<T = Record<string, never>>(...args: readonly string[]): Promise<T> {
  const { code, out, err } = await runToEnd(...args, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out) as T;
}

const planText = `name = "certificates"
[model]
kind = "softmax-regression"
inputs = 2
classes = 2
[rounds]
count = 2
[cohort]
expected = 2
quorum = 2
[aggregation]
pipeline = [{ rule = "mean" }]
[security]
profile = "cnsa-style"
clientCertificates = "required"
[data.table]
names = ["label", "a", "b"]
[data.table.label]
column = "label"
classes = [["0"], ["1"]]
`;

type Listed = {
  readonly listNumber: number;
  readonly generations: readonly { readonly state: string }[];
  readonly certificates: readonly {
    readonly serial: string;
    readonly subject: string;
    readonly reason: string | null;
  }[];
};

test('an authority by hand: init, issue, renew, revoke, rotate, list, and what is wrong says so', async () => {
  const folder = join(root, 'alone');
  assert.equal((await runToEnd('init', folder)).code, 0);
  const missing = await runToEnd('ca', 'rotate', folder);
  assert.deepEqual([missing.code, /qflare ca init/.test(missing.err)], [2, true]);
  await json('ca', 'init', folder);

  const request = join(root, 'request.pem');
  writeFileSync(request, (await createCertificateRequest('d-1')).request);
  const out = join(root, 'certificate.pem');
  const issued = await json<{ record: { serial: string } }>(
    'ca',
    'issue',
    folder,
    '--request',
    request,
    '--device',
    'd-1',
    '--out',
    out,
  );
  const { serial } = issued.record;
  assert.equal(new X509Certificate(readFileSync(out)).serialNumber.toLowerCase(), serial);
  const renewed = await json<{ record: { serial: string; subject: string } }>(
    'ca',
    'renew',
    folder,
    '--request',
    request,
    '--replaces',
    serial,
  );
  assert.equal(renewed.record.subject, 'd-1');
  await json('ca', 'rotate', folder);
  await json('ca', 'revoke', folder, renewed.record.serial, '--reason', 'cessationOfOperation');
  const state = JSON.parse(readFileSync(join(folder, 'keys', 'authority.json'), 'utf8')) as Listed;
  assert.deepEqual(
    state.certificates.map((row) => [row.serial, row.reason]),
    [
      [serial, 'superseded'],
      [renewed.record.serial, 'cessationOfOperation'],
    ],
  );
  assert.deepEqual(
    state.generations.map((one) => one.state),
    ['retired', 'active'],
  );
  assert.equal(state.listNumber, 4);
  const text = await runToEnd('ca', 'list', folder);
  assert.match(text.out, /authority 2 {2}ML-DSA-65 {2}active/);
  assert.match(text.out, /revoked \(superseded\)/);
  const unknown = await runToEnd('ca', 'revoke', folder, '00');
  assert.deepEqual([unknown.code, /it is none/.test(unknown.err)], [2, true]);

  writeFileSync(request, (await createCertificateRequest('d-1', 'ECDSA-P-384')).request);
  const classical = await runToEnd('ca', 'issue', folder, '--request', request, '--device', 'd-1');
  assert.deepEqual([classical.code, /with the authority's algorithm/.test(classical.err)], [5, true]);
  // The keys of both generations are in the inventory.
  const keys = (await readInventory(join(folder, 'keys'))).filter(({ purpose }) => purpose === 'certificate-authority');
  assert.deepEqual(
    keys.map(({ state: one }) => one),
    ['retired', 'active'],
  );
});

test('a plan that demands certificates: sites join in one line, the authority rotates in mid-run, the run completes', async () => {
  const folder = join(root, 'run');
  const plan = join(root, 'plan.toml');
  writeFileSync(plan, planText);
  const data = join(root, 'data.csv');
  const lines = Array.from({ length: 40 }, (_, i) => `${i % 2},${(i % 2) + (i % 5) / 10},${i % 7}`);
  writeFileSync(data, ['label,a,b', ...lines, ''].join('\n'));
  assert.equal((await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', plan)).code, 0);
  const server = start('serve', folder, '--json', '--no-plain-model');
  const { links } = await server.firstJson<{ links: readonly { link: string }[] }>();
  const first = start('join', links[0]!.link, '--data', data, '--state', join(root, 'site-1'), '--json');
  const register = () => JSON.parse(readFileSync(join(folder, 'keys', 'authority.json'), 'utf8')) as Listed;
  await until(() => register().certificates.length > 0, 'the first certificate', 60_000);
  // Under an offline root while it runs: what the root has not signed is refused and changes nothing.
  const at = (name: string) => join(root, name);
  for (const name of ['offline', 'stranger']) assert.equal((await runToEnd('ca', 'root', 'keygen', at(name))).code, 0);
  assert.equal((await runToEnd('ca', 'anchor', folder, '--request', at('issuing.pem'))).code, 0);
  const signed = ['--authority', at('issuing.pem'), '--out', at('vouched.pem')];
  assert.equal((await runToEnd('ca', 'root', 'sign', at('offline'), ...signed)).code, 0);
  const anchor = (name: string) =>
    runToEnd('ca', 'anchor', folder, '--root', at(`${name}.pem`), '--certificate', at('vouched.pem'));
  const refused = await anchor('stranger');
  assert.equal(refused.code, 5, refused.err);
  assert.doesNotMatch((await runToEnd('ca', 'list', folder)).out, /offline/);
  const anchored = await anchor('offline');
  assert.equal(anchored.code, 0, anchored.err);
  assert.match((await runToEnd('ca', 'list', folder)).out, /offline; has signed 1/);
  assert.match(readFileSync(join(folder, 'journal.jsonl'), 'utf8'), /"certificate\.anchored"/);
  await json('ca', 'rotate', folder);
  const second = start('join', links[1]!.link, '--data', data, '--state', join(root, 'site-2'), '--json');
  assert.deepEqual(
    await Promise.all([first.exited, second.exited, server.exited]),
    [0, 0, 0],
    `${first.err()}${second.err()}${server.err()}`,
  );
  const { certificates, generations } = register();
  assert.deepEqual([certificates.length, generations.length], [2, 2]);
  const kept = readFileSync(join(root, 'site-1', 'certificate.json'), 'utf8');
  assert.ok(!kept.includes('PRIVATE KEY'));
  // The whole run went over the plan's profile, and its folder serves no other.
  const run = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as { tls: { group: string } };
  assert.equal(run.tls.group, 'SecP384r1MLKEM1024');
  assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /cnsa-style/);
  // Envelopes, device keys and the key that certifies announcements are of the profile too.
  const said = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([said['kem'], said['signature']], ['MLKEM1024-P384', 'ML-DSA-87']);
  const store = new DatabaseSync(join(folder, 'state', 'run.db'), { readOnly: true });
  const devices = store.prepare('SELECT publicKey AS key FROM device').all() as { key: string }[];
  store.close();
  assert.deepEqual(
    devices.map(({ key }) => Uint8Array.fromBase64(key).length),
    [2592, 2592],
  );
  // No model lies in clear; an export has it, proved with ML-DSA-87, and continues what a site has seen.
  assert.ok(!existsSync(join(folder, 'model.safetensors')) && existsSync(join(folder, 'run.json')));
  const exported = await runToEnd('export', folder, '--to', join(root, 'export'));
  assert.equal(exported.code, 0, exported.err);
  assert.ok(existsSync(join(root, 'export', 'model.safetensors')));
  const site = ['--site', join(root, 'site-1')];
  const audit = await json<{ isIntact: boolean; isKeyTrusted: boolean }>(
    'audit',
    'verify',
    join(root, 'export'),
    ...site,
  );
  assert.deepEqual([audit.isIntact, audit.isKeyTrusted], [true, true]);
  const { log } = JSON.parse(readFileSync(join(root, 'site-1', 'identity.json'), 'utf8')) as { log: string };
  assert.match(log, /^qflare\/[^\n]+\n\d+\n/);
  const own = join(folder, 'plan.toml');
  const text = readFileSync(own, 'utf8')
    .replace('"cnsa-style"', '"compatibility"')
    .replace('"SecP384r1MLKEM1024"', '"X25519"')
    .replace('suite = 5', 'suite = 1');
  writeFileSync(own, text);
  const other = await runToEnd('serve', folder);
  assert.deepEqual([other.code, /security\.profile must be cnsa-style/.test(other.err)], [5, true], other.err);
});
