// Runs the test files, each in one of two processes (start-up dominates otherwise; one half waits for child processes
// while the other computes); one process for deep and for picked tests. Usage: run-tests.ts [--deep] [path part …]
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

const args = process.argv.slice(2);
const isDeep = args.includes('--deep');
const parts = args.filter((arg) => !arg.startsWith('--'));

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', ...(isDeep ? ['test/**/*.deep.ts'] : [])])
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`run-tests: no test file matches ${parts.join(' ')}\n`);
  process.exit(2);
}

const shardCount = isDeep || parts.length > 0 || files.length < 2 || availableParallelism() < 2 ? 1 : 2;
const shards = Array.from({ length: shardCount }, (_, shard) => files.filter((__, i) => i % shardCount === shard));
const statuses = await Promise.all(shards.map(runShard));
process.exit(Math.max(...statuses));

/** Exit code of a process that runs these files: the first shows what it does, another what it did once it has ended. */
async function runShard(shardFiles: readonly string[], shard: number): Promise<number> {
  // Tests make folders with keys in them: what unlocks those is no file of the user.
  const state = mkdtempSync(join(tmpdir(), 'qflare-state-'));
  const child = spawn(process.execPath, ['--test', '--test-isolation=none', '--test-timeout=240000', ...shardFiles], {
    stdio: ['ignore', shard === 0 ? 'inherit' : 'pipe', shard === 0 ? 'inherit' : 'pipe'],
    env: {
      ...process.env,
      XDG_STATE_HOME: state,
      // A reporter that writes to a file writes to one for each shard.
      ...(process.env['NODE_OPTIONS']
        ? { NODE_OPTIONS: process.env['NODE_OPTIONS'].replaceAll('{shard}', String(shard)) }
        : {}),
      ...(isDeep ? { QFLARE_DEEP: '1' } : {}),
    },
  });
  const said = [child.stdout, child.stderr].map((stream) => (stream === null ? undefined : buffer(stream)));
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 70));
  });
  const [out, err] = await Promise.all(said);
  if (out !== undefined) process.stdout.write(out);
  if (err !== undefined) process.stderr.write(err);
  rmSync(state, { recursive: true, force: true });
  return status;
}
