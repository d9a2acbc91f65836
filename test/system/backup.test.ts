// The restore drill: a backup is taken while a round is open, the machine is lost, and the run goes on from the backup.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import { subset } from '../../src/core/data/dataset.ts';
import { datasetToIdx } from '../../src/core/data/idx.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { readMnist } from '../../src/simulation/demo/sites.ts';
import { kill, killAll, runToEnd, sleep, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-backup-'));
const [folder, restored, data] = ['run', 'restored', 'data'].map((name) => join(root, name)) as [
  string,
  string,
  string,
];
const [identity, sealed] = [join(root, 'identity'), join(root, 'run.age')];
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

test('a backup taken in mid-round restores a run that repeats the round, ends, and still verifies (> 5 s)', async () => {
  const plan = join(root, 'plan.toml');
  const model = { kind: 'softmax-regression', inputs: 784, classes: 10 } as const;
  const cohort = { expected: 1, quorum: 1, deadlineSeconds: 60, absenceGraceSeconds: 60, gatherSeconds: 1 };
  const aggregation = { pipeline: [{ rule: 'mean' as const }] };
  writeFileSync(plan, renderPlanToml(parsePlan({ name: 'drill', model, cohort, aggregation, rounds: { count: 1 } })));
  const { training } = await readMnist();
  const { features, labels } = datasetToIdx(
    subset(
      training,
      Array.from({ length: 60 }, (_, i) => i),
    ),
  );
  mkdirSync(data);
  writeFileSync(join(data, 'images-idx3-ubyte'), features);
  writeFileSync(join(data, 'labels-idx1-ubyte'), labels);
  assert.equal((await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', plan)).code, 0);
  const { recipient } = JSON.parse((await runToEnd('backup', '--new-identity', identity, '--json')).out);

  // A site that takes its time: the round is open when the backup is taken.
  const server = start('serve', folder, '--json');
  const { links } = await server.firstJson<{ links: { link: string }[] }>();
  const join1 = ['join', links[0]!.link, '--data', data, '--state', join(root, 'site')];
  const site = start(...join1, '--trainer', `"${process.execPath}" -e "setTimeout(() => {}, 60000)"`);
  while (!existsSync(join(folder, 'round-keys', 'round-1.key'))) await sleep(50);
  while (!readFileSync(join(folder, 'journal.jsonl'), 'utf8').includes('round.opened')) await sleep(50);
  const made = await runToEnd('backup', folder, '--to', sealed, '--recipient', recipient);
  assert.equal(made.code, 0, made.err);
  await kill(site);
  await kill(server);

  const bytes = readFileSync(sealed);
  for (const kept of ['keys/vault.json', 'keys/token.json', 'plan.toml']) {
    assert.equal(bytes.indexOf(readFileSync(join(folder, kept))), -1, `${kept} lies open in the backup`);
  }
  rmSync(folder, { recursive: true });

  assert.equal((await runToEnd('restore', sealed, '--identity', identity, '--to', restored)).code, 0);
  assert.ok(!existsSync(join(restored, 'round-keys')), 'the key of the open round is in no backup');
  const again = start('serve', restored, '--json');
  await again.firstJson();
  const worker = start(...join1);
  assert.equal(await again.exited, 0, again.err());
  assert.equal(await worker.exited, 0, worker.err());
  const rounds = JSON.parse(readFileSync(join(restored, 'run.json'), 'utf8')).rounds as {
    status: string;
    reason: string;
  }[];
  assert.deepEqual(
    rounds.map(({ status }) => status),
    ['aborted', 'completed'],
  );
  assert.match(rounds[0]!.reason, /key of the round is gone/);

  const target = join(root, 'export');
  assert.equal((await runToEnd('export', restored, '--to', target)).code, 0);
  const audit = await runToEnd('audit', 'verify', target, '--site', join(root, 'site'));
  assert.equal(audit.code, 0, audit.err);
});

test('a backup opens with its identity only, whole only, and never over an existing folder', async () => {
  const other = join(root, 'other');
  await runToEnd('backup', '--new-identity', other);
  const refused = async (...args: string[]) => {
    const { code, err } = await runToEnd(...args);
    return `${code} ${err}`;
  };
  const to = join(root, 'new');
  assert.match(await refused('restore', sealed, '--identity', other, '--to', to), /^5 .*identity is another/);
  const cut = join(root, 'cut.age');
  writeFileSync(cut, readFileSync(sealed).subarray(0, -40));
  assert.match(await refused('restore', cut, '--identity', identity, '--to', to), /^5 /);
  assert.ok(!existsSync(to) && readdirSync(root).length > 0);
  assert.match(await refused('restore', sealed, '--identity', identity, '--to', restored), /^2 .*must be new/);
  assert.match(await refused('backup', restored, '--to', to, '--recipient', 'age1abc'), /^5 .*post-quantum/);
  assert.match(await refused('backup', restored), /^2 .*must be given/);
});
