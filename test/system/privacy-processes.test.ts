// Real processes: a coordinator killed with -9, a budget that is used up, and a second run on the same ledger.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { createSqliteStore } from '../../src/adapters/store-sqlite.ts';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import { createDataset } from '../../src/core/data/dataset.ts';
import { datasetToIdx } from '../../src/core/data/idx.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { kill, killAll, type Process, runToEnd, sleep, start } from './processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-privacy-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

const rounds = 3;
const plan = parsePlan({
  name: 'private',
  model: { kind: 'softmax-regression', inputs: 64, classes: 3 },
  rounds: { count: rounds },
  cohort: { expected: 2, quorum: 2, deadlineSeconds: 50, absenceGraceSeconds: 40, gatherSeconds: 40 },
  data: { holdoutShare: 0 },
  privacy: {
    mode: 'central',
    epsilon: 5,
    delta: 1e-5,
    sampleRate: 0.7,
    replanEvery: 0,
    groups: [{ name: 'both', clients: ['client-01', 'client-02'] }],
  },
});
writeFileSync(join(root, 'plan.toml'), renderPlanToml(plan));

const data = join(root, 'site');
mkdirSync(data);
const rng = createRng(2);
const { features, labels } = datasetToIdx(
  createDataset({
    features: Uint8Array.from({ length: 30 * 64 }, () => rng.below(256)),
    labels: Int32Array.from({ length: 30 }, () => rng.below(3)),
    scale: 1 / 255,
    sampleShape: [8, 8],
    classCount: 3,
  }),
);
writeFileSync(join(data, 'images-idx3-ubyte'), features);
writeFileSync(join(data, 'labels-idx1-ubyte'), labels);

type Greeting = { readonly links: readonly { readonly link: string }[] };

async function init(name: string): Promise<string> {
  const folder = join(root, name);
  const options = ['--host', '127.0.0.1', '--plan', join(root, 'plan.toml'), '--ledger', join(root, 'ledger.db')];
  const made = await runToEnd('init', folder, ...options);
  assert.equal(made.code, 0, made.err);
  return folder;
}

const serve = (folder: string) => start('serve', folder, '--json');

function joinAll(folder: string, { links }: Greeting): Process[] {
  return links.map(({ link }, i) => start('join', link, '--data', data, '--state', `${folder}-${i}`, '--json'));
}

type LedgerReport = {
  readonly status: string;
  readonly reason: string | null;
  readonly central: {
    readonly clients: readonly { clientId: string; plan: number; granted: number; roundsLeft: number }[];
  };
};

/** Whether a reservation is on disk: before that the sites may not even have enrolled. */
async function isReserved(): Promise<boolean> {
  const ledger = join(root, 'ledger.db');
  if (!existsSync(ledger)) return false;
  const store = createSqliteStore(':memory:', { orgId: 'default', runId: 'none', ledger });
  const entries = await store.ledger();
  await store.close();
  return entries.length > 0;
}

async function ledgerOf(folder: string): Promise<LedgerReport> {
  const shown = await runToEnd('privacy', 'ledger', folder, '--json');
  assert.equal(shown.code, 0, shown.err);
  return JSON.parse(shown.out) as LedgerReport;
}

test('kill -9 in a private run, exhaustion, a second run on the same ledger, an export without coins (> 5 s)', async () => {
  const folder = await init('first');
  let server = serve(folder);
  const clients = joinAll(folder, await server.firstJson<Greeting>());
  const database = join(folder, 'state', 'run.db');
  // Killed as soon as the first reservation is on disk, and again a little later.
  for (const pauseMs of [0, 150]) {
    while (!(await isReserved())) await sleep(20);
    await sleep(pauseMs);
    await kill(server);
    const { orgId, runId } = JSON.parse(readFileSync(join(folder, 'coordinator.json'), 'utf8')) as Record<
      string,
      string
    >;
    const store = createSqliteStore(database, { orgId: orgId!, runId: runId!, ledger: join(root, 'ledger.db') });
    const before = (await store.models()).map(({ hash }) => hash);
    await store.close();
    const shown = existsSync(join(root, 'ledger.db')) ? await ledgerOf(folder) : undefined;
    for (const client of shown?.central?.clients ?? []) assert.ok(client.plan <= client.granted);
    server = serve(folder);
    await server.firstJson();
    const again = createSqliteStore(database, { orgId: orgId!, runId: runId!, ledger: join(root, 'ledger.db') });
    const models = (await again.models()).map(({ hash }) => hash);
    await again.close();
    assert.deepEqual(models.slice(0, before.length), before, 'what was published stays as it was');
  }
  assert.equal(await server.exited, 0, server.err());
  for (const client of clients) {
    assert.equal(await client.exited, 0, client.err());
    const { privacy } = JSON.parse(client.out()) as { privacy: { individual: number; odometer: number; plan: number } };
    assert.ok(privacy.individual <= privacy.odometer && privacy.plan <= 5, client.out());
  }
  const spent = await ledgerOf(folder);
  assert.equal(spent.status, 'completed');
  for (const { plan: epsilon, granted, roundsLeft } of spent.central.clients) {
    assert.deepEqual([granted, roundsLeft], [5, 0]);
    assert.ok(epsilon <= 5 && epsilon > 4.9, `${epsilon}`);
  }

  const second = await init('second');
  const other = serve(second);
  const late = joinAll(second, await other.firstJson<Greeting>());
  assert.equal(await other.exited, 0, other.err());
  for (const client of late) assert.match((await client.exited, client.out()), /used up for 2 of 2 clients/);
  const record = JSON.parse(readFileSync(join(second, 'run.json'), 'utf8')) as RunRecord;
  assert.equal(record.status, 'stopped');
  assert.match(record.reason!, /privacy budget "training" is used up for 2 of 2 clients \(client-01, client-02\)/);
  if (process.env['QFLARE_DEEP'] !== undefined) {
    // It waits a while for sites that have not heard of the end.
    const restarted = serve(second);
    assert.equal(await restarted.exited, 0, restarted.err());
  }
  assert.equal((JSON.parse(readFileSync(join(second, 'run.json'), 'utf8')) as RunRecord).rounds.length, 0);

  const exported = await runToEnd('export', folder, '--to', join(root, 'out'), '--json');
  assert.equal(exported.code, 0, exported.err);
  const journal = readFileSync(join(root, 'out', 'journal.jsonl'), 'utf8');
  assert.ok(!/participants|"accepted"|"salt"|contentHash/.test(journal), 'no coin in the journal');
  const shownRecord = JSON.parse(readFileSync(join(root, 'out', 'run.json'), 'utf8')) as RunRecord;
  for (const round of shownRecord.rounds)
    assert.deepEqual([round.participants, round.accepted, round.bytesUp], [[], [], 0]);
  assert.equal((await runToEnd('export', second, '--to', join(root, 'out-2'))).code, 0);
  const audit = await runToEnd('audit', 'verify', join(root, 'out'), '--site', `${folder}-0`);
  assert.equal(audit.code, 0, audit.err);
  assert.match(audit.out, /entries are hidden/);
  // The log has sealed where the ledger stood: one that was reset since is named, offline.
  const heads = (await runToEnd('privacy', 'ledger', folder, '--json')).out;
  writeFileSync(join(root, 'heads.json'), heads);
  const held = ['audit', 'verify', join(root, 'out'), '--site', `${folder}-0`, '--ledger-heads'];
  const same = await runToEnd(...held, join(root, 'heads.json'));
  assert.equal(same.code, 0, same.out);
  assert.match(same.out, /ledger +\d+ entries of 2 clients sealed/);
  writeFileSync(join(root, 'reset.json'), JSON.stringify({ heads: { 'client-01': { entries: 1, hash: '0' } } }));
  const reset = await runToEnd(...held, join(root, 'reset.json'));
  assert.equal(reset.code, 5, reset.out);
  assert.match(reset.err, /privacy ledger is behind what the log has sealed: 1 entries of 1 clients/);
  // With the hash of every entry a chain that has grown since it was reset is named, too.
  const now = await runToEnd('privacy', 'ledger', folder, '--json', '--chains');
  writeFileSync(join(root, 'chains.json'), now.out);
  assert.equal((await runToEnd(...held, join(root, 'chains.json'))).code, 0);
  const grown = JSON.parse(now.out) as { chains: Record<string, string[]> };
  grown.chains['client-01'] = [grown.chains['client-01']![0]!, ...Array.from({ length: 99 }, () => 'f'.repeat(64))];
  writeFileSync(join(root, 'grown.json'), JSON.stringify(grown));
  assert.match((await runToEnd(...held, join(root, 'grown.json'))).err, /chain [0-9a-f]{16} does not hold the entry/);

  const table = await runToEnd('privacy', 'ledger', folder);
  assert.match(table.out, /client-01 +[45]\.\d+ +5 +0\.\d+ +0 +out/);
  assert.match(table.out, /each follows from the one before/);
  assert.match(table.out, /both +\d+\.\d+ +no limit +client-01, client-02/);
  const entries = await runToEnd('privacy', 'ledger', folder, '--client', 'client-02');
  assert.match(entries.out, /^0 grant purpose training, epsilon 5/);
});
