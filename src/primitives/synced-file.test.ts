import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeSynced } from './synced-file.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-synced-'));
after(() => rmSync(root, { recursive: true }));

test('writeSynced() leaves the file alone of its name, readable by its owner, over what a crash left aside', async () => {
  const path = join(root, 'vault.json');
  writeFileSync(`${path}.part`, 'a longer text that a crash cut o');
  await writeSynced(path, 'first');
  await writeSynced(path, Uint8Array.of(50));
  assert.equal(readFileSync(path, 'utf8'), '2');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(root), ['vault.json']);
});

test('writeSynced() that cannot be done leaves the old content', async () => {
  const folder = join(root, 'blocked');
  mkdirSync(join(folder, 'kept.json.part'), { recursive: true });
  writeFileSync(join(folder, 'kept.json'), 'old');
  await assert.rejects(writeSynced(join(folder, 'kept.json'), 'new'), { code: 'EISDIR' });
  assert.equal(readFileSync(join(folder, 'kept.json'), 'utf8'), 'old');
});
