import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '../system/processes.ts';

const launcher = fileURLToPath(new URL('../../bin/qflare.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'qflare-launcher-'));
const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** How the launcher hands over: as this Node does, and as one that cannot become another program. */
const ways = { itself: [], 'as a child': ['--import', 'data:text/javascript,process.execve=undefined'] } as const;

function launch(flags: readonly string[], ...args: readonly string[]): ChildProcess {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, MALLOC_TRIM_THRESHOLD_: undefined };
  const child = spawn(process.execPath, [...flags, launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  started.push(child);
  return child;
}

for (const [way, flags] of Object.entries(ways)) {
  test(`launched ${way}: a signal and exit codes come through, and killed with SIGKILL nothing of it goes on`, {
    timeout: 120_000,
  }, async () => {
    const folder = join(root, `op-${flags.length}`);
    assert.equal((await runToEnd('init', folder, '--host', '127.0.0.1')).code, 0);
    const refused = launch(flags, 'status', join(root, 'nowhere'));
    refused.stdout!.resume();
    refused.stderr!.resume();
    assert.deepEqual(await once(refused, 'close'), [2, null]);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const child = launch(flags, 'serve', folder, '--json');
      child.stderr!.resume();
      await once(child.stdout!, 'data');
      child.stdout!.resume();
      // Whoever works holds the other end of its output: that closes when the last one is gone.
      const closed = once(child, 'close');
      child.kill(signal);
      assert.deepEqual(await closed, signal === 'SIGTERM' ? [0, null] : [null, 'SIGKILL']);
    }
  });
}
