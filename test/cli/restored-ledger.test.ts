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
