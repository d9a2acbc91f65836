// The main job, small: four client processes, one of them hostile, two rounds, and what it leaves behind.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors } from '../../src/core/model/safetensors.ts';

const launcher = fileURLToPath(new URL('../../bin/qflare.js', import.meta.url));

test('the demo prints one JSON document with what was measured, and leaves its files (> 5 s)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-demo-'));
  const options = '--rounds 2 --clients 5 --attackers 1 --attack scaled-sign-flip --alpha 5 --seed 3 --json';
  const args = [launcher, 'demo', ...options.split(' '), '--out', folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 200_000 });
  assert.equal(status, 0, stderr);

  const result = JSON.parse(stdout);
  assert.deepEqual(result.tls, { group: 'X25519MLKEM768', protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' });
  assert.deepEqual([result.signature, result.kem], ['ML-DSA-65', 'MLKEM768-X25519']);
  assert.deepEqual(result.flagged, result.attackers);
  assert.equal(result.rounds.length, 2);
  assert.ok(result.accuracy > result.undefendedAccuracy && result.accuracy < result.centralizedAccuracy + 0.01);
  assert.ok(result.clientAccuracy.worst <= result.clientAccuracy.mean);
  assert.ok(result.bytesUp > 0 && result.bytesDown > result.bytesUp && result.seconds > 0);

  const model = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')));
  assert.deepEqual(
    model.tensors.map((tensor) => tensor.name),
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias'],
  );
  const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    journal.map((entry) => entry.sequence),
    [...journal.keys()],
  );
  assert.equal(readFileSync(join(folder, 'metrics.csv'), 'utf8').trim().split('\r\n').length, 3);
  assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /simulated/);
  assert.deepEqual(existsSync(join(folder, 'round-keys')) && readdirSync(join(folder, 'round-keys')), []);

  // Each exported file is what the run holds.
  const target = `${folder}-export`;
  const exported = spawnSync(process.execPath, [launcher, 'export', folder, '--to', target, '--json'], {
    encoding: 'utf8',
  });
  assert.equal(exported.status, 0, exported.stderr);
  assert.equal(
    readFileSync(join(target, 'journal.jsonl'), 'utf8'),
    readFileSync(join(folder, 'journal.jsonl'), 'utf8'),
  );
  const audit = (...more: string[]) => {
    const args = [launcher, 'audit', 'verify', target, '--site', join(folder, 'sites', 'client-01', 'device'), ...more];
    return spawnSync(process.execPath, args, { encoding: 'utf8' });
  };
  const verified = audit();
  assert.equal(verified.status, 0, verified.stderr);
  assert.match(verified.stdout, /the key you trust[\s\S]*every file is as it was signed/);
  const bytes = readFileSync(join(target, 'journal.jsonl'));
  const at = bytes.indexOf('"kind":"round.opened"');
  bytes[at + 12]! ^= 1;
  writeFileSync(join(target, 'journal.jsonl'), bytes);
  const changed = audit('--json');
  assert.equal(changed.status, 5);
  const entry = bytes.subarray(0, at).filter((byte) => byte === 0x0a).length;
  assert.match(changed.stderr, new RegExp(`journal\\.jsonl, entry ${entry}, .* was changed`));
  assert.equal(JSON.parse(changed.stdout).isIntact, false);
  rmSync(folder, { recursive: true });
  rmSync(target, { recursive: true });
});

test('the demo refuses an attack, a rule or a number that makes no sense, with one sentence and code 2', () => {
  for (const [args, wish] of [
    [['--attack', 'none-such'], /--attack must be one of/],
    [['--aggregator', 'none-such'], /--aggregator/],
    [['--clients', '3', '--attackers', '9'], /--attackers must be at most/],
    [['--alpha', '-1'], /must be a positive number/],
  ] as const) {
    const out = join(tmpdir(), `qflare-demo-refused-${process.pid}`);
    const { status, stderr } = spawnSync(process.execPath, [launcher, 'demo', ...args, '--out', out], {
      encoding: 'utf8',
    });
    assert.equal(status, 2, stderr);
    assert.match(stderr, wish);
    rmSync(out, { recursive: true, force: true });
  }
});
