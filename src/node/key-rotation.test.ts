import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { createAnnouncer } from '../coordinator/announcer.ts';
import { createKeyRotation } from './key-rotation.ts';
import { openKeyVault } from './key-vault.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-key-rotation-'));
after(() => rmSync(root, { recursive: true, force: true }));
const crypto = createNodeCrypto();
const day = 86_400_000;

test('an owner token whose rotation fails is good until it expires, and opens nothing from then on', async () => {
  let now = 0;
  const unlocking = { kind: 'key-file', bytes: new Uint8Array(32) } as const;
  const vault = await openKeyVault(root, unlocking, crypto, () => now);
  const token = new TextDecoder().decode(await vault.secret('owner-token'));
  const told: string[] = [];
  const stuck = { ...vault, replace: () => Promise.reject(new Error('the disk is full')) };
  const announcer = createAnnouncer(
    crypto.generateSigningKey(),
    { orgId: 'o', runId: 'r' },
    crypto.generateSigningKey(),
  );
  const tell = (kind: string, { id }: Readonly<Record<string, string>>) => void told.push(`${kind} ${id}`);
  const rotation = await createKeyRotation({ vault: stuck, announcer, crypto, nowMs: () => now, tell });
  const isGood = () => rotation.ownerToken() === token;
  const look = async (days: number) => {
    now = days * day;
    told.length = 0;
    await rotation.watch();
    rotation.stop();
  };
  await look(89);
  assert.ok(isGood() && !told.some((line) => line.includes('owner-token')));
  await look(179);
  assert.ok(isGood() && told.includes('key.rotation-failed owner-token-1'));
  await look(180);
  assert.ok(!isGood());
  assert.ok(told.includes('key.expired owner-token-1'));
  assert.equal(rotation.ownerToken(), undefined);
});
