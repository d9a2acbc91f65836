import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFileRoundKeys } from '../../src/adapters/round-keys-files.ts';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { atRestUnder } from './at-rest.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-keys-'));
after(() => rmSync(root, { recursive: true }));

let count = 0;
const wrapping = atRestUnder(1);
const secret = new Uint8Array(1248).map((_, i) => i * 3);

function fresh() {
  const folder = join(root, String(++count));
  return { folder, keys: createFileRoundKeys(folder, wrapping) };
}

test('round-keys-files: gives back what was put, by round, also after a restart', async () => {
  const { folder, keys } = fresh();
  await keys.put(1, secret);
  await keys.put(2, secret.subarray(1));
  const again = createFileRoundKeys(folder, wrapping);
  assert.deepEqual(Uint8Array.from((await again.get(1))!), secret);
  assert.deepEqual(Uint8Array.from((await again.get(2))!), secret.slice(1));
});

test('round-keys-files: a missing key is undefined, destroying it is no error, a destroyed one is gone', async () => {
  const { folder, keys } = fresh();
  assert.equal(await keys.get(1), undefined);
  await keys.destroy(1);
  await keys.put(1, secret);
  await keys.destroy(1);
  assert.equal(await keys.get(1), undefined);
  assert.deepEqual(readdirSync(folder), []);
});

test('round-keys-files: killed while it destroys a key, it has none any more, and the next destroy leaves nothing', async () => {
  const { folder, keys } = fresh();
  await keys.put(1, secret);
  // As far as the first step of destroy() goes.
  renameSync(join(folder, 'round-1.key'), join(folder, 'round-1.key.part'));
  assert.equal(await keys.get(1), undefined);
  await keys.destroy(1);
  assert.deepEqual(readdirSync(folder), []);
});

test('round-keys-files: a key that is put again replaces the first', async () => {
  const { keys } = fresh();
  await keys.put(1, secret);
  await keys.put(1, secret.subarray(5));
  assert.deepEqual(Uint8Array.from((await keys.get(1))!), secret.slice(5));
});

test('round-keys-files: the secret lies wrapped, in files of mode 0600 in a folder of mode 0700', async () => {
  const { folder, keys } = fresh();
  await keys.put(3, secret);
  assert.deepEqual(readdirSync(folder), ['round-3.key']);
  const file = readFileSync(join(folder, 'round-3.key'));
  assert.equal(file.indexOf(secret.subarray(0, 16)), -1);
  assert.equal(file.length, 69 + secret.length + 16);
  assert.equal(statSync(join(folder, 'round-3.key')).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('round-keys-files: another wrapping key, a changed file and a file of another round are refused', async () => {
  const { folder, keys } = fresh();
  await keys.put(1, secret);
  const other = createFileRoundKeys(folder, atRestUnder(2));
  await assert.rejects(other.get(1), /round 1/);
  const path = join(folder, 'round-1.key');
  const good = readFileSync(path);
  for (const at of [0, 12, good.length - 1]) {
    const bad = Buffer.from(good);
    bad[at]! ^= 1;
    writeFileSync(path, bad);
    await assert.rejects(keys.get(1), /round 1/);
  }
  for (const length of [0, 5, 27, good.length - 1]) {
    writeFileSync(path, good.subarray(0, length));
    await assert.rejects(keys.get(1), /round 1/, `${length} bytes`);
  }
  writeFileSync(path, good);
  renameSync(path, join(folder, 'round-2.key'));
  await assert.rejects(keys.get(2), /round 2/);
});

test('round-keys-files: a real round key opens what was sealed before the restart', async () => {
  const { keys } = fresh();
  const crypto = createNodeCrypto();
  const roundKey = await crypto.generateRoundKey();
  await keys.put(9, roundKey.exportSecret());
  const info = new Uint8Array(3);
  const { enc, aead } = await crypto.seal(roundKey.publicKey, info);
  const sealed = aead.seal(new Uint8Array(12), Uint8Array.of(42));
  const again = await crypto.importRoundKey((await keys.get(9))!);
  assert.deepEqual([...(await again.open(enc, info))!.open(new Uint8Array(12), sealed)!], [42]);
});
