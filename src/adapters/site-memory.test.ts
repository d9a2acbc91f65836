import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SiteMemory } from '../ports/site-memory.ts';
import { atRestUnder } from '../../test/contracts/at-rest.ts';
import { createFileSiteMemory } from './site-memory-files.ts';
import { createVolatileSiteMemory } from './site-memory-volatile.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-memory-'));
after(() => rmSync(root, { recursive: true }));

const adapters: Readonly<Record<string, () => SiteMemory>> = {
  files: () => createFileSiteMemory(join(root, 'state'), atRestUnder(1)),
  volatile: createVolatileSiteMemory,
};

for (const [name, make] of Object.entries(adapters)) {
  test(`${name}: what a site remembers is read back, the last one of each name`, async () => {
    const memory = make();
    assert.equal(await memory.read('kept'), undefined);
    await memory.write('kept', Uint8Array.of(1));
    await memory.write('kept', Uint8Array.of(2, 3));
    await memory.write('personal', Uint8Array.of(4));
    assert.deepEqual([...(await memory.read('kept'))!], [2, 3]);
    assert.deepEqual([...(await memory.read('personal'))!], [4]);
  });
}

test('files: they outlive the process, only their owner reads them, and nothing is left beside them', async () => {
  const folder = join(root, 'state');
  assert.deepEqual([...(await createFileSiteMemory(folder, atRestUnder(1)).read('kept'))!], [2, 3]);
  assert.deepEqual(readdirSync(folder).sort(), ['kept.sealed', 'personal.sealed']);
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  assert.ok(readFileSync(join(folder, 'personal.sealed')).length > 80, 'sealed, as the rest is');
});
