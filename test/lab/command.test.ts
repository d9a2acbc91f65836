import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'qflare-lab-command-'));
after(() => rmSync(folder, { recursive: true }));
const program = join(import.meta.dirname, '../../bin/qflare.js');

const textOf = (seeds: number): string => `name = "killed"
[plan]
model = { kind = "softmax-regression", inputs = 64, classes = 4 }
rounds = { count = 60 }
cohort = { expected = 10 }
[matrix]
attack = ["none", "mean-sign-flip"]
attackers = [2]
rule = ["mean", "median"]
seed = [${Array.from({ length: seeds }, (_, i) => i + 1).join()}]
`;
const matrix = join(folder, 'matrix.toml');
writeFileSync(matrix, textOf(2));
/** So many cells that a signal comes before the last one on any machine. */
const large = join(folder, 'large.toml');
writeFileSync(large, textOf(100));

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [program, 'lab', ...args], { encoding: 'utf8', cwd: folder });
}

/** Starts the matrix and sends a signal when that many cells have ended: to launcher and process, as a terminal does. */
function cutAfter(
  cells: number,
  signal: NodeJS.Signals,
  out: string,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, 'lab', large, '--out', out, '--threads', '1'], {
    cwd: folder,
    detached: true,
  });
  let stderr = '';
  let isSent = false;
  child.stderr.on('data', (text) => {
    stderr += text;
    // Once: a second Ctrl-C ends what the first one lets finish.
    if (isSent || !stderr.includes(`\n${cells} of 400: `)) return;
    isSent = true;
    process.kill(-child.pid!, signal);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

test('a matrix that is killed goes on where it was, to the same bytes; Ctrl-C keeps what has ended', async () => {
  const whole = run(matrix, '--out', 'whole', '--json');
  assert.equal(whole.status, 0, whole.stderr);
  assert.equal(JSON.parse(whole.stdout).cells.length, 8);

  const killed = await cutAfter(2, 'SIGKILL', 'cut');
  assert.equal(killed.code, null);
  const stopped = await cutAfter(linesOf('cut') + 3, 'SIGINT', 'cut');
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stderr, /^400 cells, ([2-9]|\d\d+) of them known already/);
  assert.match(stopped.stderr, /cells to run: the same command goes on from here/);
  // A smaller matrix takes over what it has in common with the one that was cut.
  const ended = run(matrix, '--out', 'cut');
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stderr, /^8 cells, [2-8] of them known already/);
  assert.match(ended.stdout, /rule +none +mean-sign-flip +lowest\nmean +\d/);
  for (const file of ['results.csv', 'results.json', 'report.html']) {
    const read = (place: string) => readFileSync(join(folder, place, file), 'utf8');
    assert.equal(read('cut'), read('whole'), file);
  }
});

/** Cells on the disk. */
function linesOf(out: string): number {
  return readFileSync(join(folder, out, 'cells.jsonl'), 'utf8').split('\n').length - 1;
}

test('the command of a row runs its cell again, and --fresh runs all', () => {
  const { cells } = JSON.parse(readFileSync(join(folder, 'whole/results.json'), 'utf8'));
  const words = cells[4].command.split(' ');
  assert.deepEqual(words.slice(0, 2), ['qflare', 'lab']);
  const again = run(...words.slice(2));
  assert.equal(again.status, 0, again.stderr);
  assert.deepEqual(JSON.parse(again.stdout).outcome, cells[4].outcome);
  const csv = readFileSync(join(folder, 'whole/results.csv'), 'utf8').split('\r\n');
  assert.equal(csv.length, 10);
  assert.ok(csv[5]!.endsWith(cells[4].command));
});

test('a file that is not there, not TOML or not a matrix is exit code 2 and one sentence', () => {
  const missing = run('nowhere.toml');
  assert.deepEqual([missing.status, missing.stderr.includes('there is no such file')], [2, true]);
  writeFileSync(join(folder, 'broken.toml'), 'name = ');
  assert.match(run('broken.toml').stderr, /must be TOML: line 1/);
  writeFileSync(join(folder, 'wrong.toml'), '[plan]\n[matrix]\nrules = []\n');
  const wrong = run('wrong.toml');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /matrix\.rules: there is no such setting/);
  assert.equal(run(matrix, '--threads', '0').status, 2);
});
