import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { killAll, runToEnd, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-qkd-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

const planOf = (policy: string) => `
name = "qkd"
[model]
kind = "softmax-regression"
inputs = 2
classes = 2
[rounds]
count = 2
[cohort]
expected = 2
[aggregation]
pipeline = [{ rule = "mean" }]
[security.qkd]
policy = "${policy}"
`;

/** A trainer that needs no data: it gives the base model back, one weight moved. */
const trainer = join(root, 'trainer.mjs');
writeFileSync(
  trainer,
  `import { readFileSync, writeFileSync } from 'node:fs';
const task = JSON.parse(readFileSync(process.argv[2], 'utf8'));
if (task.task === 'evaluate') {
  writeFileSync(task.result, JSON.stringify({ examples: 4, metrics: { loss: 0.5, accuracy: 0.5 } }));
} else {
  writeFileSync(task.output, readFileSync(task.model));
  writeFileSync(task.result, JSON.stringify({ examples: 4, metrics: {} }));
}
`,
);

async function init(policy: string): Promise<string> {
  const folder = join(root, policy);
  const plan = join(root, `${policy}.toml`);
  writeFileSync(plan, planOf(policy));
  const made = await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', plan);
  assert.equal(made.code, 0, made.err);
  return folder;
}

test('processes: a plan that demands QKD runs on keys of a simulated link, and refuses to start without one', async () => {
  const folder = await init('required');
  const refused = await runToEnd('serve', folder);
  assert.equal(refused.code, 5);
  assert.match(refused.err, /the plan demands QKD keys .*--kme must name/);

  const link = join(root, 'link');
  const kme = start('qkd', 'kme', link, '--sae', 'coordinator', 'site-1', 'site-2', '--json');
  const { url } = await kme.firstJson<{ url: string }>();
  const flags = (saeId: string) => [
    `--kme=${url}`,
    `--kme-sae-id=${saeId}`,
    `--kme-ca=${join(link, 'ca.pem')}`,
    `--kme-cert=${join(link, `${saeId}.cert.pem`)}`,
    `--kme-key=${join(link, `${saeId}.key.pem`)}`,
  ];
  // An id that the certificate does not name is refused here, before the entity hears of it.
  const claimed = flags('site-1').map((flag) => (flag === '--kme-sae-id=site-1' ? '--kme-sae-id=coordinator' : flag));
  const other = await runToEnd('serve', folder, ...claimed);
  assert.equal(other.code, 5);
  assert.match(
    other.err,
    /Cannot be the SAE coordinator as --kme-cert must name it by common-name .*: current value is site-1/,
  );
  const serving = start('serve', folder, '--json', ...flags('coordinator'), '--kme-sae-rule=san-uri');
  const { links } = await serving.firstJson<{ links: { link: string }[] }>();
  const command = `${process.execPath} ${trainer}`;
  const sites = links.map(({ link: one }, i) =>
    start(
      'join',
      one,
      `--data=${root}`,
      `--state=${join(root, `state-${i}`)}`,
      `--trainer=${command}`,
      ...flags(`site-${i + 1}`),
    ),
  );
  assert.deepEqual(await Promise.all(sites.map((site) => site.exited)), [0, 0], sites.map((site) => site.err()).join());
  assert.equal(await serving.exited, 0, serving.err());
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as { rounds: { withQkd: number }[] };
  assert.deepEqual(
    record.rounds.map(({ withQkd }) => withQkd),
    [2, 2],
  );
  // The keys of the rounds are gone; the secrets of the last epoch are wrapped, in one file.
  assert.deepEqual(readdirSync(join(folder, 'qkd-epochs')), ['round-2.key']);
  kme.child.kill('SIGTERM');
  assert.equal(await kme.exited, 0);
});

test('processes: what is missing for a key source is named', async () => {
  const folder = await init('preferred');
  const cases = [
    [['--kme', 'https://127.0.0.1:1'], /--kme-sae-id must be given/],
    [['--kme', 'https://127.0.0.1:1', '--kme-sae-id', 'a'], /--kme-cert must be given/],
    [
      ['--kme', 'https://127.0.0.1:1', '--kme-sae-id', 'a', '--kme-cert', join(root, 'none.pem'), '--kme-key', trainer],
      /Cannot read .*none\.pem \(--kme-cert\)|--kme-ca must be given/,
    ],
  ] as const;
  for (const [flags, wanted] of cases) {
    const { code, err } = await runToEnd('serve', folder, ...flags);
    assert.equal(code, 2, err);
    assert.match(err, wanted);
  }
});
