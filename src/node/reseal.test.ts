import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFileBlobs } from '../adapters/blobs-files.ts';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { createFileRoundKeys } from '../adapters/round-keys-files.ts';
import { filesUnder } from './data-key-use.ts';
import { openKeyVault } from './key-vault.ts';
import { resealFolder } from './reseal.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-reseal-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('what rests under a former data key is sealed anew, goes on after a kill, and opens when that key is destroyed', async () => {
  const crypto = createNodeCrypto();
  const vault = await openKeyVault(join(root, 'keys'), { kind: 'key-file', bytes: new Uint8Array(32) }, crypto);
  const folders = { blobs: join(root, 'blobs'), secrets: [join(root, 'round-keys')] };
  const blobs = createFileBlobs(folders.blobs, vault.atRest);
  const roundKeys = createFileRoundKeys(folders.secrets[0]!, vault.atRest);
  // Of one chunk, of many, empty, as it came, and sealed inside once more.
  const contents = [100, 3_000_000, 0].map((size) => crypto.randomBytes(size));
  const names = await Promise.all(contents.map((content) => blobs.put(content)));
  await blobs.put(crypto.randomBytes(50), undefined, 'as-it-is');
  const nested = await blobs.put(vault.atRest.seal('sketches', crypto.randomBytes(20)));
  const secret = crypto.randomBytes(70);
  await roundKeys.put(7, secret);
  const all = [folders.blobs, ...folders.secrets];
  const under = (version: number) => filesUnder(version, all);
  assert.deepEqual(await resealFolder(vault, folders), { resealed: 0, left: 0, under: 'data-1' });

  await vault.replace('data');
  assert.deepEqual([await under(1), await under(2)], [5, 0]);
  // The disk is full, or the process gone, at the second file that is to be sealed.
  let sealed = 0;
  const seal: typeof vault.atRest.seal = (place, plaintext) => {
    // The first of each file measures the length of a wrapped key.
    if (plaintext.length === 32 && place !== 'blob/' && ++sealed === 2) throw new Error('no space left');
    return vault.atRest.seal(place, plaintext);
  };
  const failing = { ...vault, atRest: { ...vault.atRest, seal } };
  await assert.rejects(resealFolder(failing, folders), /no space left/);
  assert.deepEqual([await under(1), await under(2)], [4, 1]);
  const reader = createFileBlobs(folders.blobs, vault.atRest);
  for (const [i, name] of names.entries()) assert.deepEqual(await reader.get(name), Uint8Array.from(contents[i]!));

  assert.deepEqual(await resealFolder(vault, folders), { resealed: 3, left: 1, under: 'data-2' });
  assert.deepEqual([await under(1), await under(2)], [1, 4]);
  assert.ok(
    readdirSync(folders.blobs).every((name) => /^[0-9a-f]{2}$/.test(name)),
    'nothing is left aside',
  );
  // What is sealed inside is all that needs the former key: the run writes it anew.
  await blobs.remove(nested);
  assert.equal(await under(1), 0);
  await vault.destroy('data-1');
  const again = await openKeyVault(join(root, 'keys'), { kind: 'key-file', bytes: new Uint8Array(32) }, crypto);
  const anew = createFileBlobs(folders.blobs, again.atRest);
  for (const [i, name] of names.entries()) {
    await anew.check(name);
    assert.deepEqual(await anew.get(name), Uint8Array.from(contents[i]!));
  }
  assert.deepEqual(await createFileRoundKeys(folders.secrets[0]!, again.atRest).get(7), Buffer.from(secret));
});
