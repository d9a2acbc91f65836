import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createAnnouncer } from '../../src/coordinator/announcer.ts';
import type { KeyRecord } from '../../src/core/keys/lifecycle.ts';
import { createKeyRotation } from '../../src/node/key-rotation.ts';
import { openKeyVault, readInventory } from '../../src/node/key-vault.ts';
import { killAll, runToEnd, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-revocation-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});
const crypto = createNodeCrypto();
const unlocking = { kind: 'key-file', bytes: crypto.randomBytes(32) } as const;
const stateOf = (rows: readonly KeyRecord[], id: string) => rows.find((key) => key.id === id)?.state;

test('a revoked key is worth nothing at once: its secret is gone from the file, a new one is in use, and it never comes back', async () => {
  const folder = join(root, 'vault');
  const vault = await openKeyVault(folder, unlocking, crypto);
  const token = await vault.secret('owner-token');
  const { revoked, inUse } = await vault.revoke('owner-token-1');
  assert.deepEqual([revoked.state, inUse?.id, inUse?.state], ['revoked', 'owner-token-2', 'active']);
  assert.notDeepEqual(await vault.secret('owner-token'), token);
  await assert.rejects(vault.secretOf('owner-token-1'), /must not be destroyed|it is/);
  const stored = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8')) as {
    keys: readonly { id: string; secret?: unknown }[];
  };
  assert.equal(stored.keys.find(({ id }) => id === 'owner-token-1')!.secret, undefined);
  await assert.rejects(vault.revoke('owner-token-1'), /it must not have ended: current value is revoked/);
  // After a restart as before; a new key-encryption key leaves it ended.
  const again = await openKeyVault(folder, unlocking, crypto);
  await again.rotateKek();
  assert.equal(stateOf(await readInventory(folder), 'owner-token-1'), 'revoked');
  await again.destroy('owner-token-1');
  assert.equal(stateOf(await readInventory(folder), 'owner-token-1'), 'destroyed');
});

test('what may not be revoked says what to do instead: pinned keys, the data key in use, authorities, unknown ones', async () => {
  const vault = await openKeyVault(join(root, 'refusals'), unlocking, crypto);
  await vault.secret('root');
  await vault.replace('certificate-authority', crypto.randomBytes(32));
  const cases = [
    ['root-1', /begin another in a new folder/],
    ['data-1', /"keys rotate data" first/],
    ['certificate-authority-1', /"qflare ca"/],
    ['announcement-9', /there is none/],
  ] as const;
  for (const [id, why] of cases) await assert.rejects(vault.revoke(id), why, id);
  await vault.replace('data');
  const { revoked, inUse } = await vault.revoke('data-1');
  assert.deepEqual([revoked.state, inUse], ['revoked', null]);
});

test('a coordinator that runs takes the new announcement key and owner token at once, and its journal says why', async () => {
  const vault = await openKeyVault(join(root, 'running'), unlocking, crypto);
  const first = crypto.importSigningKey(await vault.secret('announcement'));
  const announcer = createAnnouncer(crypto.generateSigningKey(), { orgId: 'org', runId: 'run' }, first);
  const told: string[] = [];
  const rotation = await createKeyRotation({
    vault,
    announcer,
    crypto,
    nowMs: Date.now,
    tell: (kind, data) => told.push(`${kind} ${data['id']} ${data['reason'] ?? ''}`.trim()),
  });
  const token = rotation.ownerToken();
  await rotation.revoke('announcement-1', 'keyCompromise');
  await rotation.revoke('owner-token-1', 'superseded');
  assert.notDeepEqual(announcer.current().key.publicKey, first.publicKey);
  assert.equal(announcer.current().certificate.version, 2);
  assert.notEqual(rotation.ownerToken(), token);
  assert.notEqual(rotation.ownerToken(), undefined);
  assert.deepEqual(told, [
    'key.revoked announcement-1 keyCompromise',
    'key.rotated announcement-2',
    'key.revoked owner-token-1 superseded',
    'key.rotated owner-token-2',
  ]);
});

test('processes: "keys revoke" works beside a coordinator that runs and without one, and the inventory shows it', async () => {
  const folder = join(root, 'run');
  assert.equal((await runToEnd('init', folder, '--host', '127.0.0.1')).code, 0);
  const server = start('serve', folder, '--json');
  await server.firstJson();
  const done = await runToEnd('keys', 'revoke', folder, 'announcement-1');
  assert.equal(done.out, 'announcement-1 is revoked; announcement-2 is in use\n', done.err);
  const pinned = await runToEnd('keys', 'revoke', folder, 'tree-head-1');
  assert.match(pinned.err, /begin another in a new folder/);
  assert.notEqual(pinned.code, 0);
  assert.equal((await runToEnd('stop', folder)).code, 0);
  assert.equal(await server.exited, 0, server.err());
  const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8');
  assert.match(journal, /key\.revoked/);
  const alone = await runToEnd('keys', 'revoke', folder, 'owner-token-1', '--json');
  assert.deepEqual(
    (JSON.parse(alone.out) as KeyRecord[]).map(({ id, state }) => `${id} ${state}`),
    ['owner-token-1 revoked', 'owner-token-2 active'],
  );
  assert.match((await runToEnd('keys', 'list', folder)).out, /announcement-1 +ML-DSA +revoked/);
});
