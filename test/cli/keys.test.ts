import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { enrol } from '../../src/client/enrol.ts';
import { parseLink } from '../../src/client/link.ts';
import type { KeyRecord } from '../../src/core/keys/lifecycle.ts';
import { openKeyVault, readInventory } from '../../src/node/key-vault.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';
import { killAll, runToEnd, start } from '../system/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-cli-keys-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});
const launcher = fileURLToPath(new URL('../../bin/qflare.js', import.meta.url));

/** Runs a command with more in its environment. */
function qflareWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8', env });
  return { code: status, out: stdout, err: stderr };
}

async function listed(folder: string): Promise<readonly (KeyRecord & { nextRotationMs: number | null })[]> {
  const { code, out, err } = await runToEnd('keys', 'list', folder, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('each key that may be replaced is replaced while the coordinator runs, and what went before is worth nothing', async () => {
  const folder = join(root, 'run');
  assert.equal((await runToEnd('init', folder, '--host', '127.0.0.1')).code, 0);
  const keys = join(folder, 'keys');
  const made = await readInventory(keys);
  assert.deepEqual(made.map(({ id }) => id).sort(), [
    'announcement-1',
    'data-1',
    'export-list-1',
    'kek-1',
    'model-card-1',
    'owner-token-1',
    'pseudonym-1',
    'root-1',
    'tls-1',
    'tree-head-1',
  ]);
  assert.ok(made.every(({ state }) => state === 'active'));
  const table = (await runToEnd('keys', 'list', folder)).out;
  const dayIn = (days: number) => new Date(made[0]!.createdAtMs + days * 86_400_000).toISOString().slice(0, 10);
  const line = table.split('\n').find((text) => text.startsWith('announcement-1'))!;
  assert.ok(line.includes(`${dayIn(90)}  `) && line.includes(`${dayIn(180)}  `) && !table.includes('overdue'), table);
  const unlocking = await findUnlocking(process.env);
  const tokenOf = async () =>
    new TextDecoder().decode(
      await (await openKeyVault(join(folder, 'keys'), unlocking, createNodeCrypto())).secret('owner-token'),
    );
  const oldToken = await tokenOf();

  const server = start('serve', folder, '--json');
  const { url, links } = await server.firstJson<{ url: string; links: { link: string }[] }>();
  const { code, out, err } = await runToEnd('keys', 'rotate', folder, 'owner-token', 'data', 'kek', 'announcement');
  assert.equal(code, 0, err);
  assert.match(out, /owner-token-2 is in use.*destroyed\ndata-2 is in use.*kept.*\nkek-2 .*\nannouncement-2 /);
  const refused = await runToEnd('keys', 'rotate', folder, 'tree-head');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /others pin this key for the life of the run/);
  assert.match((await runToEnd('keys', 'destroy', folder, 'data-1')).err, /no other coordinator may serve it/);

  const { pin } = JSON.parse(readFileSync(join(folder, 'coordinator.json'), 'utf8')) as { pin: string };
  const { hostname, port } = new URL(url);
  const transport = createHttpsTransport({
    host: hostname,
    port: Number(port),
    pin: Uint8Array.fromHex(pin),
    group: 'X25519MLKEM768',
  });
  const statusWith = async (session: string) =>
    (await transport.request({ method: 'GET', path: '/v1/admin/status', session })).status;
  assert.deepEqual([await statusWith(oldToken), await statusWith(await tokenOf())], [401, 200]);
  // A device is asked by its client's name, once it is there.
  const crypto = createNodeCrypto();
  const store = { load: async () => undefined, save: async () => {} };
  await enrol({ link: parseLink(links[0]!.link), name: 'site', store, crypto, transport });
  transport.close();
  assert.match((await runToEnd('devices', 'rotate-key', folder, 'nobody')).err, /must name one device: 0 have this id/);
  assert.match((await runToEnd('devices', 'rotate-key', folder, 'client-01')).out, /client-01 is asked for a new key/);
  assert.equal((await runToEnd('stop', folder)).code, 0);
  assert.equal(await server.exited, 0, server.err());
  const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    journal.flatMap(({ kind, data }) => (kind === 'key.rotated' ? [data.id] : [])),
    ['owner-token-2', 'data-2', 'kek-2', 'announcement-2'],
  );
  assert.ok(journal.some(({ kind, data }) => kind === 'device.key-asked' && data.clientId === 'client-01'));

  const now = await listed(folder);
  const stateOf = (id: string) => now.find((key) => key.id === id)?.state;
  assert.deepEqual(['owner-token-1', 'owner-token-2', 'data-1', 'data-2', 'kek-1', 'kek-2', 'tls-1'].map(stateOf), [
    'destroyed',
    'active',
    'retired',
    'active',
    undefined,
    'active',
    'active',
  ]);
  assert.ok(now.every((key) => key.nextRotationMs === null || key.nextRotationMs > Date.now()));
  assert.match((await runToEnd('keys', 'destroy', folder, 'data-2')).err, /current value is active/);
  // The first model rests under it: it is not lost by mistake.
  for (const verb of ['destroy', 'revoke']) {
    const kept = await runToEnd('keys', verb, folder, 'data-1');
    assert.deepEqual(
      [kept.code, /data-1 as nothing must rest under it: \d+ files do/.test(kept.err)],
      [2, true],
      kept.err,
    );
  }
  assert.equal((await runToEnd('export', folder, '--to', join(root, 'export'))).code, 0);
  // Sealed anew, nothing needs the former key; ended with files under it, they are lost.
  assert.match((await runToEnd('keys', 'reseal', folder)).out, /^[1-9]\d* files are sealed anew under data-2\n$/);
  assert.deepEqual(JSON.parse((await runToEnd('keys', 'reseal', folder, '--json')).out), {
    resealed: 0,
    left: 0,
    under: 'data-2',
  });
  assert.equal((await runToEnd('keys', 'destroy', folder, 'data-1')).code, 0);
  assert.equal((await readInventory(keys)).find(({ id }) => id === 'data-1')?.state, 'destroyed');
  assert.equal((await runToEnd('export', folder, '--to', join(root, 'export-anew'))).code, 0);
  assert.equal((await runToEnd('keys', 'rotate', folder, 'data')).code, 0);
  assert.equal((await runToEnd('keys', 'destroy', folder, 'data-2', '--lose-files')).code, 0);
  // Stopped, it rotates by itself; and the folder still works.
  assert.match((await runToEnd('keys', 'rotate', folder, 'kek', '--json')).out, /"id":"kek-3"/);
  assert.match((await runToEnd('keys', folder)).out, /kek-3 +AES-256-GCM +active +0 d( +\d{4}-\d\d-\d\d){2} +wraps/);
});

test('a folder opens with its passphrase or key file only, and says which is missing', () => {
  const [right, wrong] = [join(root, 'right'), join(root, 'wrong')];
  writeFileSync(right, 'correct horse battery staple\n');
  writeFileSync(wrong, 'correct horse battery stable\n');
  const folder = join(root, 'by-passphrase');
  assert.equal(qflareWith({ QFLARE_PASSPHRASE_FILE: right }, 'init', folder).code, 0);
  const rotate = (environment: Readonly<Record<string, string>>) =>
    qflareWith(environment, 'keys', 'rotate', folder, 'data');
  assert.equal(rotate({ QFLARE_PASSPHRASE_FILE: right }).code, 0);
  const other = rotate({ QFLARE_PASSPHRASE_FILE: wrong });
  assert.deepEqual([other.code, /passphrase must be the one they were made with/.test(other.err)], [5, true]);
  const none = rotate({});
  assert.deepEqual([none.code, /a passphrase must be given.*a key-file is/.test(none.err)], [5, true]);
  // Relocked, it opens with the new one only.
  const keyFile = join(root, 'key-file');
  writeFileSync(keyFile, createNodeCrypto().randomBytes(32));
  const relock = (...flags: readonly string[]) =>
    qflareWith({ QFLARE_PASSPHRASE_FILE: right }, 'keys', 'relock', folder, ...flags);
  assert.match(relock().err, /one of --to-passphrase-file and --to-key-file must be given/);
  assert.equal(relock('--to-key-file', keyFile).code, 0);
  assert.deepEqual([rotate({ QFLARE_PASSPHRASE_FILE: right }).code, rotate({ QFLARE_KEY_FILE: keyFile }).code], [5, 0]);
});
