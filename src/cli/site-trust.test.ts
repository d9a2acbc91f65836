import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DamagedError } from '../ports/damage.ts';
import { readSiteTrust } from './site-trust.ts';

const folder = mkdtempSync(join(tmpdir(), 'qflare-site-trust-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const logKey = new Uint8Array(1952).fill(7).toBase64();
const read = (text: string) => {
  writeFileSync(join(folder, 'identity.json'), text);
  return readSiteTrust(folder);
};

test('readSiteTrust() takes the key and the head of an identity, whatever else is in it', async () => {
  assert.deepEqual(await read(JSON.stringify({ logKey, clientId: 'c', sealed: 'x' })), {
    logKey: new Uint8Array(1952).fill(7),
    log: undefined,
  });
  assert.equal((await read(JSON.stringify({ logKey, log: 'head' }))).log, 'head');
});

test('readSiteTrust() refuses what is no identity, and says what is wrong', async () => {
  const bad = ['', '{', 'null', '[]', '{}', '{"logKey":7}', '{"logKey":""}', `{"logKey":"${logKey.slice(4)}"}`];
  for (const text of [...bad, JSON.stringify({ logKey, log: 5 }), JSON.stringify({ logKey, log: '' })]) {
    await assert.rejects(read(text), (error: Error) => {
      assert.ok(error instanceof DamagedError, text);
      assert.match(
        error.message,
        /must be the identity of a site that has enrolled: (it is no JSON|its "(logKey|log)?" is none)/,
      );
      return true;
    });
  }
});
