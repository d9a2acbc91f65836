import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeFileLock } from './file-lock.ts';

test('takeFileLock() lets one in, and the next after the first has let go', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lock');
  const first = takeFileLock(path);
  assert.ok(first);
  assert.equal(takeFileLock(path), undefined);
  first.release();
  const second = takeFileLock(path);
  assert.ok(second);
  second.release();
});

test('takeFileLock() is held by a living process and by no dead one, kill -9 included', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lock');
  const source = `import { takeFileLock } from ${JSON.stringify(new URL('file-lock.ts', import.meta.url).href)};
    process.stdout.write(takeFileLock(${JSON.stringify(path)}) ? 'held' : 'refused'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  assert.equal(said.toString(), 'held');
  assert.equal(takeFileLock(path), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = takeFileLock(path);
  assert.ok(lock, 'the kernel has released it');
  lock.release();
});
