import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { openFileKms } from '../../src/adapters/kms-file.ts';
import { rekeyToken, type Token, type Unlocking } from '../../src/adapters/kms-file/token.ts';
import { openKeyVault } from '../../src/node/key-vault.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';
import type { Kms } from '../../src/ports/kms.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-kms-'));
after(() => rmSync(root, { recursive: true }));
const crypto = createNodeCrypto();
const unlocking: Unlocking = { kind: 'key-file', bytes: new Uint8Array(32).fill(3) };
const utf8 = (text: string) => new TextEncoder().encode(text);
let count = 0;
const fresh = () => join(root, `token-${++count}.json`);

/** What every token does, whatever keeps it. `open` opens the same token again. */
function kmsContract(name: string, open: () => Promise<() => Promise<Kms>>): void {
  test(`${name}: keys are found by label, oldest first, each version once, also when it is opened again`, async () => {
    const reopen = await open();
    const kms = await reopen();
    assert.deepEqual(await kms.find('kek'), []);
    const made = [await kms.generate('kek', 10), await kms.generate('kek', 20)];
    await kms.generate('other', 30);
    assert.deepEqual(made, [
      { label: 'kek', version: 1, createdAtMs: 10 },
      { label: 'kek', version: 2, createdAtMs: 20 },
    ]);
    assert.deepEqual(await (await reopen()).find('kek'), made);
    await kms.destroy(made[0]!);
    assert.deepEqual(await (await reopen()).find('kek'), [made[1]]);
    assert.equal((await kms.generate('kek', 40)).version, 3, 'a version is given once');
  });

  test(`${name}: what is wrapped unwraps under its key, with what was said beside it, and nowhere else`, async () => {
    const reopen = await open();
    const kms = await reopen();
    const [one, two] = [await kms.generate('kek', 0), await kms.generate('kek', 0)];
    const secret = crypto.randomBytes(32);
    const [wrapped, again] = await Promise.all([kms.wrap(one, secret, utf8('a')), kms.wrap(one, secret, utf8('a'))]);
    assert.notDeepEqual(wrapped, again);
    assert.equal(Buffer.from(wrapped!).indexOf(secret), -1);
    assert.deepEqual(Uint8Array.from(await (await reopen()).unwrap(one, wrapped!, utf8('a'))), Uint8Array.from(secret));
    const changed = wrapped!.slice();
    changed[changed.length - 1]! ^= 1;
    for (const [key, bytes, aad] of [
      [two, wrapped!, 'a'],
      [one, wrapped!, 'b'],
      [one, changed, 'a'],
      [one, wrapped!.subarray(1), 'a'],
      [one, new Uint8Array(), 'a'],
    ] as const) {
      await assert.rejects(kms.unwrap(key, bytes, utf8(aad)), { name: 'KmsError' });
    }
    await kms.destroy(one);
    await assert.rejects(kms.unwrap(one, wrapped!, utf8('a')), { name: 'KmsError' });
    await assert.rejects(kms.wrap(one, secret, utf8('a')), { name: 'KmsError' });
    await assert.rejects(kms.destroy(one), { name: 'KmsError' });
  });
}

kmsContract('kms-file by key file', async () => {
  const path = fresh();
  return () => openFileKms(path, unlocking, crypto);
});

test('kms-file: a file of mode 0600 with no key in the open, which nothing but its own key file or passphrase unlocks', async () => {
  const path = fresh();
  const kms = await openFileKms(path, unlocking, crypto);
  await kms.generate('kek', 0);
  assert.match(kms.description, /unlocked by key file/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const other: Unlocking = { kind: 'key-file', bytes: new Uint8Array(32).fill(4) };
  await assert.rejects(openFileKms(path, other, crypto), /must be the one they were made with/);
  const passphrase: Unlocking = { kind: 'passphrase', passphrase: 'x' };
  await assert.rejects(openFileKms(path, passphrase, crypto), /a key-file must be given/);
  await assert.rejects(openFileKms(fresh(), { kind: 'passphrase', passphrase: '' }, crypto), /must not be empty/);
  const short: Unlocking = { kind: 'key-file', bytes: new Uint8Array(31) };
  await assert.rejects(openFileKms(fresh(), short, crypto), /at least 32 random bytes: current value is 31/);
  writeFileSync(path, '{');
  await assert.rejects(openFileKms(path, unlocking, crypto), { name: 'DamagedError' });
});

test('kms-file: a key that was changed in the file is refused, and one that has wrapped 2^32 times wraps no more', async () => {
  const path = fresh();
  const key = await (await openFileKms(path, unlocking, crypto)).generate('kek', 0);
  const token = JSON.parse(readFileSync(path, 'utf8')) as Token;
  const edit = (change: Partial<Token['keys'][number]>) =>
    writeFileSync(path, JSON.stringify({ ...token, keys: token.keys.map((one) => ({ ...one, ...change })) }));
  edit({ wraps: 2 ** 32 });
  const full = await openFileKms(path, unlocking, crypto);
  await assert.rejects(full.wrap(key, utf8('s'), utf8('a')), /fewer than 2\^32 times: rotate it/);
  const swapped = Uint8Array.fromBase64(token.keys[0]!.wrapped);
  swapped[20]! ^= 1;
  edit({ wrapped: swapped.toBase64() });
  await assert.rejects((await openFileKms(path, unlocking, crypto)).wrap(key, utf8('s'), utf8('a')), /it was changed/);
  await assert.rejects(
    rekeyToken(JSON.parse(readFileSync(path, 'utf8')), unlocking, unlocking, crypto),
    /it was changed/,
  );
});

test('a vault keeps each secret over restarts and rotations; a changed one is refused, a destroyed one is gone', async () => {
  const folder = join(root, 'vault');
  const vault = await openKeyVault(folder, unlocking, crypto, () => 1000);
  const first = await vault.secret('announcement');
  const sealed = vault.atRest.seal('place', utf8('text'));
  await vault.rotateKek();
  await vault.replace('data');
  const again = await openKeyVault(folder, unlocking, crypto, () => 1000);
  assert.deepEqual(await again.secret('announcement'), first);
  assert.equal(new TextDecoder().decode(again.atRest.open('place', sealed)), 'text');
  assert.throws(() => again.atRest.open('elsewhere', sealed), { name: 'DamagedError' });
  assert.throws(() => again.atRest.open('place', utf8('no sealed thing')), { name: 'DamagedError' });
  assert.deepEqual(readdirSync(folder).toSorted(), ['token.json', 'vault.json']);

  await assert.rejects(again.destroy('data-2'), /current value is active/);
  await assert.rejects(again.destroy('nothing-1'), /there is none/);
  assert.equal((await again.destroy('data-1')).state, 'destroyed');
  assert.throws(() => again.atRest.open('place', sealed), { name: 'KmsError' });
  await assert.rejects(again.secret('tls'), /must come with its certificate/);

  const path = join(folder, 'vault.json');
  const file = JSON.parse(readFileSync(path, 'utf8')) as { keys: { purpose: string; secret?: { sealed: string } }[] };
  const key = file.keys.find(({ purpose }) => purpose === 'announcement')!;
  const bytes = Uint8Array.fromBase64(key.secret!.sealed);
  bytes[bytes.length - 1]! ^= 1;
  key.secret!.sealed = bytes.toBase64();
  writeFileSync(path, JSON.stringify(file));
  const changed = await openKeyVault(folder, unlocking, crypto, () => 1000);
  await assert.rejects(changed.secret('announcement'), /must be whole: it was changed/);
  writeFileSync(path, 'no json');
  await assert.rejects(
    openKeyVault(folder, unlocking, crypto, () => 1000),
    { name: 'DamagedError' },
  );
});

test('an expired key signs, seals and admits nothing until a new one is in its place; what it has sealed still opens', async () => {
  const folder = join(root, 'expiring');
  const day = 86_400_000;
  let now = 1000;
  const open = () => openKeyVault(folder, unlocking, crypto, () => now);
  let vault = await open();
  const old = {
    announcement: await vault.secret('announcement'),
    token: await vault.secret('owner-token'),
    head: await vault.secret('tree-head'),
  };
  const sealed = vault.atRest.seal('x', utf8('kept'));
  now += 60 * day;
  assert.throws(() => vault.atRest.seal('x', utf8('more')), /data-1 as it must not have expired: it has on 1970-03-02/);
  assert.deepEqual(Uint8Array.from(vault.atRest.open('x', sealed)), utf8('kept'));
  assert.deepEqual(await vault.secret('announcement'), old.announcement, 'its time is longer');

  now += 700 * day;
  vault = await open();
  await assert.rejects(vault.secret('announcement'), /announcement-1 as it must not have expired/);
  await assert.rejects(vault.secret('owner-token'), /owner-token-1 as it must not have expired/);
  await assert.rejects(vault.replace('announcement'), /kek-1 as it must not have expired/);
  assert.deepEqual(await vault.secret('tree-head'), old.head, 'what verifiers pin has no end');

  const made = await vault.replaceExpired();
  assert.deepEqual(
    made.map(({ id }) => id),
    ['kek-2', 'data-2', 'announcement-2', 'owner-token-2'],
  );
  assert.deepEqual(await vault.replaceExpired(), []);
  vault = await open();
  assert.notDeepEqual(await vault.secret('announcement'), old.announcement);
  assert.deepEqual(Uint8Array.from(vault.atRest.open('x', sealed)), utf8('kept'));
  vault.atRest.open('y', vault.atRest.seal('y', utf8('more')));
  const states = (await vault.inventory()).map(({ id, state }) => `${id} ${state}`);
  for (const one of ['data-1 expired', 'data-2 active', 'announcement-1 destroyed', 'kek-2 active'])
    assert.ok(states.includes(one), `${one}: ${states.join(', ')}`);
  assert.equal((await vault.destroy('data-1')).state, 'destroyed');
  assert.throws(() => vault.atRest.open('x', sealed), /data key 1 must be there/);
});

test('a vault that is opened while its key-encryption key is rotated opens every key', async () => {
  const folder = join(root, 'busy');
  const vault = await openKeyVault(folder, unlocking, crypto);
  const wanted = await vault.secret('owner-token');
  let isDone = false;
  const rotating = (async () => {
    for (let i = 0; i < 12; i++) await vault.rotateKek();
    isDone = true;
  })();
  let opened = 0;
  while (!isDone) {
    const reader = await openKeyVault(folder, unlocking, crypto);
    assert.deepEqual(await reader.secret('owner-token'), wanted);
    opened += 1;
  }
  await rotating;
  assert.ok(opened > 0);
});

test("many processes that begin at once share the user's one key file", async () => {
  const environment = { XDG_STATE_HOME: join(root, 'state') };
  const found = await Promise.all(Array.from({ length: 12 }, () => findUnlocking(environment)));
  const files = new Set(found.map((one) => (one.kind === 'key-file' ? Buffer.from(one.bytes).toString('hex') : '')));
  assert.equal(files.size, 1);
  assert.equal([...files][0]!.length, 64);
  assert.deepEqual(readdirSync(join(root, 'state', 'qflare')), ['unlock.key']);
});
