// The commands that look at a folder, as processes: exit codes, one sentence on stderr, one document on stdout.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../bin/qflare.js', import.meta.url));

function qflare(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

const scratch = mkdtempSync(join(tmpdir(), 'qflare-cli-'));
const folder = join(scratch, 'run');

test('init makes a plan that the plan command accepts and explains; a second init is refused', () => {
  const made = qflare('init', folder, '--json');
  assert.equal(made.code, 0, made.err);
  assert.match(JSON.parse(made.out).pin, /^[0-9a-f]{64}$/);

  const plan = join(folder, 'plan.toml');
  assert.match(qflare('plan', plan, '--explain').out, /# contributions wanted in a round/);
  const first = JSON.parse(qflare('plan', plan, '--json').out);
  writeFileSync(plan, `# a comment changes no hash\n${readFileSync(plan, 'utf8')}`);
  assert.equal(JSON.parse(qflare('plan', plan, '--json').out).planHash, first.planHash);

  const again = qflare('init', folder);
  assert.equal(again.code, 2);
  assert.match(again.err, /is one already/);
});

test('a mistyped setting names the file and its path, a broken file its line', () => {
  const plan = join(scratch, 'typo.toml');
  writeFileSync(plan, '[model]\nkind = "mlp"\nlayers = [4, 2]\n[rounds]\ncuont = 3\n');
  const typo = qflare('plan', plan);
  assert.equal(typo.code, 2);
  assert.match(typo.err, /typo\.toml[\s\S]*rounds\.cuont: there is no such setting/);
  writeFileSync(plan, 'name = \n');
  assert.match(qflare('plan', plan).err, /must be TOML: line 1/);
  assert.match(qflare('plan', join(scratch, 'none.toml')).err, /there is no such file/);
});

test('doctor finds a sound machine and folder, and a key that others can read', () => {
  const sound = JSON.parse(qflare('doctor', folder, '--json').out);
  const bad = sound.findings.filter((one: { ok: boolean; name: string }) => !one.ok && one.name !== 'disk');
  assert.deepEqual(bad, []);
  const channel = sound.findings.find((one: { name: string }) => one.name === 'channel');
  assert.equal(channel.found, 'TLSv1.3 X25519MLKEM768 with ML-DSA-65 on loopback (profile default)');

  chmodSync(join(folder, 'keys', 'vault.json'), 0o644);
  const open = qflare('doctor', folder);
  assert.equal(open.code, 2);
  assert.match(open.out, /✗ keys[\s\S]*chmod 600/);
});

test('export and status of a folder that was never served say so', () => {
  const exported = qflare('export', folder, '--to', join(scratch, 'out'));
  assert.equal(exported.code, 2);
  assert.match(exported.err, /holds no run yet/);
  const status = qflare('status', folder);
  assert.equal(status.code, 3);
  assert.match(status.err, /never been started/);
  assert.equal(qflare('status', scratch).code, 2);
});

test('an unknown command and an unknown option are refused with a hint', () => {
  const command = qflare('serv');
  assert.equal(command.code, 2);
  assert.match(command.err, /Did you mean serve/);
  assert.equal(qflare('init', folder, '--hots', 'x').code, 2);
  assert.equal(qflare('--help').code, 0);
});
