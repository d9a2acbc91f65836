// A run that fails, as processes: exit codes, the owner's commands at another address, and a folder that was changed.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { killAll, runToEnd, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-failed-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

// Nobody waits for the deadline: the site says that its trainer failed.
const plan = `model = { kind = "softmax-regression", inputs = 2, classes = 2 }
[rounds]
count = 3
attempts = 2
[cohort]
expected = 1
deadlineSeconds = 3000
[aggregation]
pipeline = [{ rule = "mean" }]
`;

test('a run that fails ends serve and join with 3, and a changed journal ends export with 4', async () => {
  const folder = join(root, 'run');
  writeFileSync(join(root, 'plan.toml'), plan);
  const made = await runToEnd('init', folder, '--host', '127.0.0.2', '--plan', join(root, 'plan.toml'));
  assert.equal(made.code, 0, made.err);
  const served = start('serve', folder, '--json', '--bind', '127.0.0.2');
  const { links } = await served.firstJson<{ links: { link: string }[] }>();
  const status = await runToEnd('status', folder, '--json');
  assert.equal(status.code, 0, status.err);
  assert.equal((JSON.parse(status.out) as { status: string }).status, 'waiting');

  const trainer = `"${process.execPath}" --eval process.exit(7)`;
  const site = start('join', links[0]!.link, '--data', root, '--state', join(root, 'state'), '--trainer', trainer);
  assert.equal(await served.exited, 3, served.err());
  assert.match(served.err(), /qflare: The run has failed: 2 rounds in a row failed: 0 of 1 contributions to "train"/);
  assert.equal(await site.exited, 3, site.err());
  assert.match(site.err(), /The run has failed: 2 rounds in a row failed/);
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord;
  assert.equal(record.status, 'failed');
  assert.deepEqual(
    record.rounds.map(({ declined }) => declined),
    [['client-01'], ['client-01']],
  );

  const database = new DatabaseSync(join(folder, 'state', 'run.db'));
  database.exec(`UPDATE journal SET text = replace(text, '"attempts":2', '"attempts":9') WHERE sequence = 0`);
  database.close();
  const exported = await runToEnd('export', folder, '--to', join(root, 'out'));
  assert.equal(exported.code, 4);
  assert.match(exported.err, /Cannot trust the journal in .*run\.db as entry 0 must match its hash: it was changed/);
});
