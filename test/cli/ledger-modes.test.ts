// "qflare privacy ledger" in every mode, on a folder whose run has ended: (ε, δ), unit and rounds are said in each.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSqliteStore } from '../../src/adapters/store-sqlite.ts';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import type { PlanInput } from '../../src/core/plan/plan.ts';
import { privacySection } from '../../src/core/report/privacy-section.ts';
import { toText } from '../../src/core/report/markup.ts';
import { readRun } from '../../src/node/read-run.ts';
import { attendAll } from '../system/private-world.ts';
import { killAll, runToEnd } from '../system/processes.ts';
import { createMemoryDisk, createWorld, finish, smallPlan } from '../system/world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-ledgers-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

/** A folder as "serve" leaves it, for the run that a plan makes. */
async function served(name: string, privacy: PlanInput['privacy']) {
  const cohort = { size: name === 'ftrl' ? 1 : 3, quorum: 1 };
  const plan = smallPlan({
    rounds: { count: 3 },
    cohort,
    privacy,
    ...(privacy?.mode === 'central' ? { aggregation: {} } : {}),
  });
  const folder = join(root, name);
  writeFileSync(join(root, `${name}.toml`), renderPlanToml(plan));
  const made = await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', join(root, `${name}.toml`));
  assert.equal(made.code, 0, made.err);
  const settings = JSON.parse(readFileSync(join(folder, 'coordinator.json'), 'utf8')) as Record<string, string>;
  const run = { orgId: settings['orgId']!, runId: settings['runId']! };
  mkdirSync(join(folder, 'state'), { recursive: true });
  const database = join(folder, 'state', 'run.db');
  const store = createSqliteStore(database, run);
  const world = await createWorld({ plan, disk: { ...createMemoryDisk(), store }, runId: run.runId });
  attendAll(world);
  await finish(world);
  await store.close();
  const { record } = await readRun({ database, blobs: join(folder, 'blobs') }, plan, run);
  const shown = await runToEnd('privacy', 'ledger', folder);
  assert.equal(shown.code, 0, shown.err);
  return { out: shown.out, privacy: record.privacy, page: toText(privacySection(record)!) };
}

test('central by coins: what each client has spent, and when it runs out', async () => {
  const { out, page } = await served('coins', { mode: 'central', preset: 'weak' });
  assert.match(out, /^central, weak: \(ε = 8, δ = 0\.00001\) for each client over 3 rounds$/m);
  assert.match(out, /client-01 +[78]\.\d+ +8 +0\.\d+ +0 +out/);
  assert.match(page, /Privacy spent by round.*client-01.*[78]\.\d+.*has run out/s);
});

test('DP-FTRL: limits in the statement, the same table and page', async () => {
  const { out, page } = await served('ftrl', { mode: 'central', mechanism: 'dp-ftrl', preset: 'moderate' });
  assert.match(
    out,
    /moderate: \(ε = 4, δ = 0\.00001\) for each client over 3 rounds, each taking part at most 1 times/,
  );
  assert.match(out, /client-03 +(?:3\.9\d+|4\.0000) +4 +0\.\d+ +0 +out/);
  assert.match(page, /Privacy spent by round.*client-03.*has run out/s);
  assert.match(page, /for readers who see who took part in which round, too/);
});

test('local: what has come from each site, as the sites count for themselves', async () => {
  const { out, privacy, page } = await served('local', { mode: 'local', preset: 'weak', clipNorm: 0.5 });
  assert.match(out, /^local, weak: \(ε = 8, δ = 0\.00001\) for each client over 3 rounds/m);
  assert.match(out, /client-02 +3 of 3 +0 +[78]\.\d+ +8$/m);
  assert.equal(privacy!.local!.clients[0]!.updates, 3);
  assert.match(page, /client-01/);
});

test('off: nothing is counted, and that is said', async () => {
  await assert.rejects(served('off', { mode: 'off' }), /must be "central" or "local": current value is "off"/);
});
