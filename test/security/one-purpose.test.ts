import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { keyPurposes } from '../../src/core/keys/lifecycle.ts';
import { preimageOf, type Purpose, purposes, signers, signsOnlyAs } from '../../src/core/protocol/purposes.ts';
import { type SignatureScheme, signatureSchemes } from '../../src/core/protocol/signature-scheme.ts';
import { openKeyVault, readInventory } from '../../src/node/key-vault.ts';
import { makeFolderAuthority } from '../../src/node/folder-authority.ts';
import { openAnnouncer, openProofKeys } from '../../src/node/coordinator-keys.ts';
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

const contexts = Object.values(purposes);
const message = new TextEncoder().encode('{"version":1}');

for (const scheme of Object.keys(signatureSchemes) as SignatureScheme[]) {
  test(`law over purposes, ${scheme}: of the same bytes a signature for one purpose verifies for that one only`, async () => {
    const crypto = createNodeCrypto();
    const key = crypto.generateSigningKey(scheme);
    for (const made of contexts) {
      const signature = key.sign(made, message);
      for (const wanted of contexts) {
        assert.equal(
          await crypto.verify(key.publicKey, wanted, message, signature),
          made === wanted,
          `${made} ${wanted}`,
        );
      }
    }
  });
}

test('law over purposes: no message makes the signed bytes of one purpose those of another, as no purpose holds the separator', () => {
  const tags = new Map<string, Purpose>();
  for (const purpose of contexts) {
    assert.ok(!purpose.includes('\0'));
    const bytes = preimageOf(purpose, message);
    const end = bytes.indexOf(0);
    assert.deepEqual(bytes.subarray(end + 1), message);
    tags.set(new TextDecoder().decode(bytes.subarray(0, end)), purpose);
  }
  assert.deepEqual(
    [...tags],
    contexts.map((purpose) => [purpose, purpose]),
  );
});

test('law over signers: each key of a coordinator signs for one purpose, a key that is asked for another throws, and the inventory knows it', () => {
  const crypto = createNodeCrypto();
  const key = crypto.generateSigningKey();
  for (const signer of new Set(Object.values(signers))) {
    const own = (Object.keys(purposes) as (keyof typeof purposes)[]).filter((name) => signers[name] === signer);
    if (signer !== 'device') assert.equal(own.length, 1, signer);
    // A witness has a folder of its own; an invitation's key is the site's, made from its link.
    if (!['device', 'witness', 'invitation'].includes(signer)) assert.ok(Object.hasOwn(keyPurposes, signer), signer);
    const limited = signsOnlyAs(signer, key);
    for (const name of Object.keys(purposes) as (keyof typeof purposes)[]) {
      const sign = () => limited.sign(purposes[name], message);
      if (own.includes(name)) assert.equal(sign().length, 3309);
      else assert.throws(sign, /Cannot sign as the purpose must be one of/, `${signer} ${name}`);
    }
  }
});

test('the keys that a coordinator opens are limited: its tree-head key signs no card, its root no announcement', async () => {
  const crypto = createNodeCrypto();
  const folder = mkdtempSync(join(root, 'proof-'));
  const vault = await openKeyVault(folder, await findUnlocking(process.env), crypto);
  const { treeHead, modelCard, exportList } = await openProofKeys(vault, crypto);
  const announcer = await openAnnouncer(vault, { orgId: 'org', runId: 'run' }, crypto);
  const keys = [
    [treeHead, purposes.treeHead],
    [modelCard, purposes.modelCard],
    [exportList, purposes.exportList],
    [announcer.current().key, purposes.announcement],
  ] as const;
  for (const [key, own] of keys) {
    for (const purpose of contexts) {
      if (purpose === own) assert.ok(await crypto.verify(key.publicKey, own, message, key.sign(purpose, message)));
      else assert.throws(() => key.sign(purpose, message), RangeError);
    }
  }
});

test('law over the source: a label of a signature, key or sealed file stands in one place, so that none serves two purposes', () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  const places = new Map<string, string[]>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const code = readFileSync(join(src, file), 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, label] of code.matchAll(/['"`](qflare\/[a-z0-9/-]*\/v\d+[^'"`$]*)/g)) {
      places.set(label!, [...(places.get(label!) ?? []), file]);
    }
  }
  for (const context of contexts) assert.equal(places.get(context)?.length, 1, context);
  // A template that ends in what it is for counts by its beginning.
  assert.deepEqual(
    [...places].filter(([, files]) => files.length > 1),
    [],
  );
  assert.ok(places.size > 20, `${places.size}`);
});
