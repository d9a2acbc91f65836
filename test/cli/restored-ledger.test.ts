// A restored backup must not give budgets back: its ledger is compared with heads that were kept elsewhere.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSqliteStore } from '../../src/adapters/store-sqlite.ts';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { commit, grantBudget, type LedgerChain, reserve } from '../../src/core/privacy/index.ts';
import { killAll, runToEnd } from '../system/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-restored-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});
const folder = join(root, 'run');
const at = (name: string) => join(root, name);

async function ok(...args: readonly string[]): Promise<string> {
  const ended = await runToEnd(...args);
  assert.equal(ended.code, 0, ended.err);
  return ended.out;
}

function spent(chain: LedgerChain, round: number): LedgerChain {
  const steps = { noiseMultiplier: 9, sampleRate: 1, steps: 1 };
  const answer = reserve(chain, { purpose: 'training', run: 'r', reservation: `r/${round}`, ...steps });
  assert.ok(answer.ok);
  return commit(answer.chain, `r/${round}`, `release ${round}`);
}

async function write(entries: LedgerChain): Promise<void> {
  const settings = JSON.parse(readFileSync(join(folder, 'coordinator.json'), 'utf8')) as Record<string, string>;
  const run = { orgId: settings['orgId']!, runId: settings['runId']! };
  mkdirSync(join(folder, 'state'), { recursive: true });
  const store = createSqliteStore(join(folder, 'state', 'run.db'), run);
  await store.commit(
    entries.map((entry) => ({ kind: 'ledger', entry })),
    [],
  );
  await store.close();
}

test('a backup is restored with heads that its ledger holds, and refused with later ones', async () => {
  const plan = parsePlan({
    model: { kind: 'softmax-regression', inputs: 4, classes: 2 },
    cohort: { expected: 2 },
    privacy: { mode: 'central', epsilon: 5, delta: 1e-5 },
  });
  writeFileSync(at('plan.toml'), renderPlanToml(plan));
  await ok('init', folder, '--host', '127.0.0.1', '--plan', at('plan.toml'));
  const { recipient } = JSON.parse(await ok('backup', '--new-identity', at('identity'), '--json'));
  const grant = { subject: 'client-01', purpose: 'training', epsilon: 5, delta: 1e-5, rule: 'plan', order: 2 } as const;
  const before = spent(grantBudget([], grant), 1);
  await write(before);
  writeFileSync(at('heads'), await ok('privacy', 'ledger', folder, '--json'));
  await ok('backup', folder, '--to', at('sealed'), '--recipient', recipient);
  const later = spent(before, 2);
  await write(later.slice(before.length));
  writeFileSync(at('later-heads'), await ok('privacy', 'ledger', folder, '--json'));

  const restore = (to: string, ...more: readonly string[]) =>
    runToEnd('restore', at('sealed'), '--identity', at('identity'), '--to', at(to), ...more);
  const bare = await restore('bare');
  assert.deepEqual([bare.code, existsSync(at('bare'))], [5, false]);
  const late = await restore('late', '--ledger-heads', at('later-heads'));
  assert.deepEqual([late.code, existsSync(at('late'))], [5, false]);
  assert.match(late.err, /ledger must not go back: client-01 had 5 entries, the ledger holds 3 or other ones/);
  const other = await restore('other', '--ledger-heads', at('plan.toml'));
  assert.deepEqual([other.code, existsSync(at('other'))], [2, false]);
  assert.match(other.err, /must be what "qflare privacy ledger DIR --json" prints: it is not/);
  const good = await restore('good', '--ledger-heads', at('heads'));
  assert.equal(good.code, 0, good.err);
  const again = JSON.parse(await ok('privacy', 'ledger', at('good'), '--json')) as { heads: object };
  assert.deepEqual(again.heads, { 'client-01': { entries: 3, hash: before.at(-1)!.hash } });
});

test('a ledger in a file of its own is in the backup: it comes back where it is gone, and stays where it has gone on', async () => {
  const plan = parsePlan({
    model: { kind: 'softmax-regression', inputs: 4, classes: 2 },
    cohort: { expected: 2 },
    privacy: { mode: 'central', epsilon: 5, delta: 1e-5 },
  });
  writeFileSync(at('shared.toml'), renderPlanToml(plan));
  const [run, ledger] = [at('shared'), at('ledger.db')];
  await ok('init', run, '--host', '127.0.0.1', '--plan', at('shared.toml'), '--ledger', ledger);
  const { recipient } = JSON.parse(await ok('backup', '--new-identity', at('shared-identity'), '--json'));
  const { orgId, runId } = JSON.parse(readFileSync(join(run, 'coordinator.json'), 'utf8'));
  const append = async (entries: LedgerChain) => {
    mkdirSync(join(run, 'state'), { recursive: true });
    const store = createSqliteStore(join(run, 'state', 'run.db'), { orgId, runId, ledger });
    await store.commit(
      entries.map((entry) => ({ kind: 'ledger', entry })),
      [],
    );
    await store.close();
  };
  const grant = { subject: 'client-01', purpose: 'training', epsilon: 5, delta: 1e-5, rule: 'plan', order: 2 } as const;
  const before = spent(grantBudget([], grant), 1);
  await append(before);
  writeFileSync(at('shared-heads'), await ok('privacy', 'ledger', run, '--json'));
  await ok('backup', run, '--to', at('shared-sealed'), '--recipient', recipient);
  await append(spent(before, 2).slice(before.length));
  writeFileSync(at('shared-later'), await ok('privacy', 'ledger', run, '--json'));

  const restore = (to: string, ...more: readonly string[]) =>
    runToEnd('restore', at('shared-sealed'), '--identity', at('shared-identity'), '--to', at(to), ...more);
  const headsOf = async (name: string) => JSON.parse(await ok('privacy', 'ledger', at(name), '--json')).heads;
  const kept = await restore('shared-kept', '--ledger-heads', at('shared-later'));
  assert.equal(kept.code, 0, kept.err);
  assert.equal((await headsOf('shared-kept'))['client-01'].entries, 5, 'a ledger that is there stays as it is');
  for (const end of ['', '-wal', '-shm']) rmSync(`${ledger}${end}`, { force: true });
  const late = await restore('shared-late', '--ledger-heads', at('shared-later'));
  assert.deepEqual([late.code, existsSync(at('shared-late')), existsSync(ledger)], [5, false, false]);
  const back = await restore('shared-back', '--ledger-heads', at('shared-heads'));
  assert.equal(back.code, 0, back.err);
  assert.deepEqual(await headsOf('shared-back'), { 'client-01': { entries: 3, hash: before.at(-1)!.hash } });
  // Begun anew, with the heads of before it was: what the backup's copy knew is missed.
  for (const end of ['', '-wal', '-shm']) rmSync(`${ledger}${end}`, { force: true });
  await append(grantBudget([], grant));
  writeFileSync(at('shared-reset'), await ok('privacy', 'ledger', run, '--json'));
  const reset = await restore('shared-new', '--ledger-heads', at('shared-reset'));
  assert.deepEqual([reset.code, existsSync(at('shared-new'))], [5, false]);
  assert.match(reset.err, /client-01 had 3 entries, the ledger holds 1 or other ones/);
  const accepted = await restore('shared-accepted', '--accept-rewound-ledger');
  assert.equal(accepted.code, 0, accepted.err);
  for (const end of ['', '-wal', '-shm']) rmSync(`${ledger}${end}`, { force: true });
  const gone = await runToEnd('backup', run, '--to', at('shared-none'), '--recipient', recipient);
  assert.match(gone.err, /ledger .* must be there: it is gone/);
});
