// The coordinator's folder on a file system of a few megabytes that fills up in mid-run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { requireTool } from '../../tools/gates/require-tool.ts';
import { killAll, runToEnd, sleep, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-full-'));
const disk = join(root, 'disk');
after(() => {
  killAll();
  spawnSync('umount', [disk]);
  rmSync(root, { recursive: true, force: true });
});

const plan = `name = "full"
model = { kind = "softmax-regression", inputs = 2, classes = 2 }
[rounds]
count = 20
[cohort]
expected = 1
deadlineSeconds = 50
absenceGraceSeconds = 40
gatherSeconds = 40
[aggregation]
pipeline = [{ rule = "mean" }]
[data.table]
names = ["x", "y", "z"]
[data.table.label]
column = "z"
classes = [["0"], ["1"]]
`;

/** Writes until nothing more goes in: a commit of the journal finds no room. */
function fill(): string {
  const ballast = join(disk, 'ballast');
  const file = openSync(ballast, 'w');
  const page = new Uint8Array(4096);
  try {
    for (;;) writeSync(file, page);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
  return ballast;
}

test('a disk that is full in mid-run ends the coordinator with one sentence, and with room again the run completes', async (t) => {
  const mount = requireTool(t, 'tmpfs');
  if (mount === undefined) return;
  mkdirSync(disk);
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]).status, 0);
  writeFileSync(join(root, 'plan.toml'), plan);
  const lines = Array.from({ length: 40 }, (_, i) => `${i % 7},${i % 5},${i % 2}`);
  writeFileSync(join(root, 'site.csv'), lines.join('\n'));
  const folder = join(disk, 'run');
  const made = await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', join(root, 'plan.toml'));
  assert.equal(made.code, 0, made.err);

  const served = start('serve', folder, '--json');
  const { links } = await served.firstJson<{ links: { link: string }[] }>();
  const state = join(root, 'state');
  const site = start('join', links[0]!.link, '--data', join(root, 'site.csv'), '--state', state, '--json');
  const journal = () => readFileSync(join(folder, 'journal.jsonl'), 'utf8');
  while (!journal().includes('"kind":"round.closed"')) await sleep(2);
  const ballast = fill();
  assert.equal(await served.exited, 4, served.err());
  const said = served.err().trim().split('\n').at(-1)!;
  assert.match(
    said,
    /^qflare: Cannot use .* as its disk must have free space: none is left.*Nothing that was acknowledged is lost: mend it, then "qflare serve .*" goes on$/,
  );
  assert.doesNotMatch(served.err(), /This is a bug/);
  const again = await runToEnd('serve', folder, '--json');
  assert.equal(again.code, 4, 'still full');

  rmSync(ballast);
  const resumed = start('serve', folder, '--json');
  assert.equal(await resumed.exited, 0, resumed.err());
  assert.equal(await site.exited, 0, site.err());
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord;
  assert.equal(record.status, 'completed');
  const completed = record.rounds.filter(({ status }) => status === 'completed');
  assert.deepEqual(
    completed.map(({ modelVersion }) => modelVersion),
    Array.from({ length: 20 }, (_, i) => i + 1),
    'no model is lost and none is made twice',
  );
});
