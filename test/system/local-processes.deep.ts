// Real processes under local privacy: PrivUnit updates and two histograms from CSV files, through the commands.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { killAll, runToEnd, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-local-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

const plan = parsePlan({
  name: 'wards',
  model: { kind: 'softmax-regression', inputs: 4, classes: 2 },
  rounds: { count: 2 },
  cohort: { expected: 2, quorum: 2, deadlineSeconds: 50, absenceGraceSeconds: 40, gatherSeconds: 40 },
  data: {
    table: {
      names: ['age', 'ward', 'ill'],
      label: { column: 'ill', classes: [['no'], ['yes']] },
      columns: { ward: { kind: 'category', categories: ['a', 'b', 'c'] } },
    },
  },
  privacy: {
    mode: 'local',
    epsilon: 8,
    delta: 1e-5,
    mechanism: 'priv-unit',
    histograms: [
      { name: 'wards', of: 'ward', epsilon: 2, mechanism: 'oue' },
      { name: 'ill', epsilon: 1 },
    ],
  },
});

test('two sites report two histograms and PrivUnit updates; the ledger, the report and the sites’ own state say so', async () => {
  writeFileSync(join(root, 'plan.toml'), renderPlanToml(plan));
  const rows = Array.from({ length: 40 }, (_, i) => `${20 + i},${'abc'[i % 3]},${i % 4 === 0 ? 'yes' : 'no'}`);
  writeFileSync(join(root, 'site.csv'), `age,ward,ill\n${rows.join('\n')}\n`);
  const folder = join(root, 'run');
  const made = await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', join(root, 'plan.toml'));
  assert.equal(made.code, 0, made.err);
  const server = start('serve', folder, '--json');
  const { links } = await server.firstJson<{ links: readonly { link: string }[] }>();
  const state = (i: number) => join(root, `site-${i}`);
  const clients = links.map(({ link }, i) =>
    start('join', link, '--data', join(root, 'site.csv'), '--state', state(i)),
  );
  for (const client of clients) assert.equal(await client.exited, 0, client.err());
  assert.equal(await server.exited, 0, server.err());

  const shown = await runToEnd('privacy', 'ledger', folder);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /^local, \(ε = 8, δ = 0\.00001\) for each client over 2 rounds, updates by PrivUnit\n/);
  assert.match(shown.out, /client-01 +2 of 2 +2 +\d\.\d{4} +8\n/);
  assert.match(shown.out, /wards: ward from round 1 on, oue at ε = 2, 2 reports; one report that lies/);
  assert.match(shown.out, /ill: label from round 1 on, k-rr at ε = 1, 2 reports/);
  const { privacy } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord;
  assert.deepEqual(
    privacy!.local!.histograms.map(({ name, reports, values }) => [name, reports, values.length]),
    [
      ['wards', 2, 3],
      ['ill', 2, 2],
    ],
  );
  for (const { epsilon } of privacy!.local!.clients) assert.ok(epsilon! <= 8 && epsilon! > 7.9, `${epsilon}`);
  assert.ok(existsSync(join(folder, 'report.html')));
  assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /“wards”: ward, asked from round 1 on/);
});
