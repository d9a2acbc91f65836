import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { keyPurposes } from '../../src/core/keys/lifecycle.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { openKeyVault, readInventory } from '../../src/node/key-vault.ts';
import { makeFolderAuthority } from '../../src/node/folder-authority.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-one-purpose-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('law over the inventory: no two keys of a coordinator share a secret, and each has one purpose that the list knows', async () => {
  const crypto = createNodeCrypto();
  const vault = await openKeyVault(root, await findUnlocking(process.env), crypto);
  await makeFolderAuthority(root, vault, { orgId: 'org', runId: 'run' }, {});
  await vault.replace('tls', crypto.randomBytes(32));
  const stored = Object.keys(keyPurposes).filter((purpose) => purpose !== 'kek') as Parameters<
    typeof vault.secret
  >[0][];
  const secrets = new Map<string, string>();
  for (const purpose of stored) {
    const secret = (await vault.secret(purpose)).toHex();
    assert.equal(secrets.get(secret), undefined, purpose);
    secrets.set(secret, purpose);
  }
  const inventory = await readInventory(root);
  assert.deepEqual(new Set(inventory.map(({ purpose }) => purpose)), new Set(Object.keys(keyPurposes)));
  for (const { id, purpose, version } of inventory) assert.equal(id, `${purpose}-${version}`);
  assert.equal(new Set(inventory.map(({ id }) => id)).size, inventory.length);
});

test('law over purposes: each has a context of its own, of this project and versioned; none is the empty one of X.509', () => {
  const contexts = Object.values(purposes);
  assert.equal(new Set(contexts).size, contexts.length);
  for (const context of contexts) assert.match(context, /^qflare\/[a-z-]+\/v\d+$/);
});
