import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { createFileSiteMemory } from '../../adapters/site-memory-files.ts';
import { openKeyVault } from '../../node/key-vault.ts';
import { findUnlocking } from '../../node/unlocking.ts';
import { run } from '../main.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-personal-'));
after(() => rmSync(root, { recursive: true }));
const out = join(root, 'own.safetensors');

test('personal: a model that rests sealed is written for its owner; one that an earlier release left in clear is sealed', async () => {
  const state = join(root, 'site');
  assert.equal(await run(['personal', state, '--out', out]), 2, 'no folder of a site');
  assert.ok(!existsSync(state), 'and none is made');
  const { atRest } = await openKeyVault(join(state, 'keys'), await findUnlocking(process.env), createNodeCrypto());
  assert.equal(await run(['personal', state, '--out', out]), 2, 'no personal model');
  const memory = createFileSiteMemory(state, atRest);
  const clear = join(state, 'personal.safetensors');
  writeFileSync(clear, 'an earlier model');
  assert.equal(new TextDecoder().decode(await memory.read('personal')), 'an earlier model');
  await memory.write('personal', Buffer.from('a newer model'));
  assert.ok(!existsSync(clear));
  assert.ok(!readFileSync(join(state, 'personal.sealed')).includes('newer'));

  assert.equal(await run(['personal', state, '--out', out, '--json']), 0);
  assert.equal(readFileSync(out, 'utf8'), 'a newer model');
  assert.equal(statSync(out).mode & 0o777, 0o600);

  // What was changed is no model, even where an earlier one lies in clear.
  writeFileSync(clear, 'planted');
  const bytes = readFileSync(join(state, 'personal.sealed'));
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(join(state, 'personal.sealed'), bytes);
  assert.equal(await run(['personal', state, '--out', out]), 4);
  assert.equal(readFileSync(out, 'utf8'), 'a newer model');
});
