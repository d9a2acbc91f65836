// Runs the test files in one process (start-up dominates otherwise). Usage: run-tests.ts [--deep] [path part …]
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

// Tests make folders with keys in them: what unlocks those is no file of the user.
const state = mkdtempSync(join(tmpdir(), 'qflare-state-'));
const { status } = spawnSync(process.execPath, ['--test', '--test-isolation=none', '--test-timeout=240000', ...files], {
  stdio: 'inherit',
  env: { ...process.env, XDG_STATE_HOME: state, ...(isDeep ? { QFLARE_DEEP: '1' } : {}) },
});
rmSync(state, { recursive: true, force: true });
process.exit(status ?? 70);
