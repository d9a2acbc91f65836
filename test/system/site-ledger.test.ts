// A site's own ledger under local privacy: what leaves the site is in it, whenever the site dies and whatever is changed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createFileSiteLedger, readSiteLedger, siteLedgerFile } from '../../src/adapters/site-ledger-file.ts';
import { createRecordPrivateTrainer } from '../../src/adapters/trainer-record-private.ts';
import { RefusedError } from '../../src/client/ends.ts';
import { createLocalPrivacy } from '../../src/client/local-privacy.ts';
import { createDataset } from '../../src/core/data/dataset.ts';
import type { Plan, PlanInput } from '../../src/core/plan/plan.ts';
import { siteLedgerProblem, siteSpending } from '../../src/core/privacy/local/site-ledger.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { SiteLedgerStore } from '../../src/ports/site-ledger.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { runLocalSite } from './local-site.ts';
import { killAll, runToEnd } from './processes.ts';
import { d, fakeTrainer, smallPlan } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-site-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

const rounds = 3;
const local = { mode: 'local', epsilon: 4, delta: 1e-5, clipNorm: 0.5 } as const;
const planOf = (privacy: PlanInput['privacy']) =>
  smallPlan({ rounds: { count: rounds }, cohort: { expected: 1, quorum: 1 }, privacy });
const asking = planOf({
  ...local,
  histograms: [
    { name: 'labels', mechanism: 'oue', epsilon: 0.5, rounds: [1, 3] },
    { name: 'again', mechanism: 'hadamard', epsilon: 0.25 },
  ],
});
const trainer: Trainer = { ...fakeTrainer, categoriesOf: () => [0, 1, 2] };
const recordTrainer: Trainer = {
  ...fakeTrainer,
  recordSteps: () => ({ noiseMultiplier: 2.5, sampleRate: 0.1, steps: 20 }),
};

type Kept = NonNullable<Identity['local']>;
/** Dies right after its n-th durable write, or in the middle of it. */
type Death = { readonly at: number; readonly how: 'after' | 'torn' };

/** One life of a site: releases until it is refused or dead. Gives how many updates left it, and which answers. */
async function live(plan: Plan, folder: string, disk: { kept?: Kept | undefined }, death?: Death, by = trainer) {
  let writes = 0;
  const left: string[] = [];
  const answers = new Map<string, string>();
  async function write(work: () => Promise<void>, torn = async () => {}): Promise<void> {
    const isNow = death !== undefined && writes++ === death.at;
    await (isNow && death.how === 'torn' ? torn() : work());
    if (isNow) throw new Error('dead');
  }
  const file = createFileSiteLedger(folder);
  const ledger: SiteLedgerStore = {
    load: file.load,
    append: (entries) =>
      write(
        () => file.append(entries),
        async () => writeFileSync(join(folder, siteLedgerFile), JSON.stringify(entries[0]).slice(0, 40), { flag: 'a' }),
      ),
  };
  const site = createLocalPrivacy({
    plan,
    released: disk.kept?.released ?? 0,
    answers: disk.kept?.reports,
    head: disk.kept?.ledger,
    ledger,
    owner: { subject: 'client-01', run: 'run-1' },
    entropy: createNodeEntropy(),
    save: (next) => write(async () => void (disk.kept = next)),
  })!;
  try {
    for (let round = 1; round <= rounds + 2; round++) {
      const reserved = await site.reserve(round, by);
      if (!reserved.ok) return { left, answers, refusal: reserved.reason };
      const update = site.protect(new Float32Array(d).fill(1));
      const reports = await site.reports(Math.min(round, rounds), by);
      await site.commit(new Uint8Array(update.buffer));
      left.push(Buffer.from(update.buffer).toString('hex'));
      for (const [key, report] of Object.entries(reports ?? {})) answers.set(key, report);
    }
  } catch (error) {
    if ((error as Error).message !== 'dead') throw error;
  }
  return { left, answers, refusal: undefined, writes };
}

const plans: Readonly<Record<string, readonly [Plan, Trainer]>> = {
  gaussian: [asking, trainer],
  'priv-unit': [planOf({ ...local, mechanism: 'priv-unit' }), trainer],
  record: [planOf({ ...local, unit: 'record' }), recordTrainer],
};

for (const [name, [plan, by]] of Object.entries(plans)) {
  test(`${name}: a site that dies at any durable write gives away no more than its grant, and everything that left is in its ledger`, async () => {
    for (const how of name === 'gaussian' ? (['after', 'torn'] as const) : (['torn'] as const)) {
      // As many writes as a calm life has, and a few more.
      for (let at = 0; at < (name === 'gaussian' ? 22 : 10); at++) {
        const folder = mkdtempSync(join(root, 'death-'));
        const disk: { kept?: Kept } = {};
        const first = await live(plan, folder, disk, { at, how }, by);
        const second = await live(plan, folder, disk, undefined, by);
        const where = `${how} ${at}`;
        assert.match(second.refusal!, /as many as the plan allows/, where);
        const third = await live(plan, folder, disk, undefined, by);
        assert.deepEqual([third.left.length, third.refusal], [0, second.refusal], 'a restart cannot go on');
        const { entries } = await readSiteLedger(folder);
        assert.equal(siteLedgerProblem(entries, disk.kept!.ledger), undefined, where);
        const left = [...first.left, ...second.left];
        assert.ok(left.length <= rounds && left.length >= rounds - 1, `${where}: ${left.length} left`);
        const spent = siteSpending(entries);
        for (const { grant, epsilon, reserved } of spent) {
          assert.ok(epsilon <= grant.epsilon * (1 + 1e-12), `${where}: ${epsilon} of ${grant.epsilon}`);
          assert.equal(reserved, 0, where);
        }
        assert.ok(spent[0]!.committed >= left.length, where);
        // An answer that has left is the answer for ever.
        for (const [key, report] of first.answers) assert.equal(second.answers.get(key) ?? report, report, where);
        const kept = Object.keys(disk.kept!.reports ?? {});
        if (name === 'gaussian') {
          const epsilon = kept.reduce((sum, key) => sum + (key.startsWith('labels') ? 0.5 : 0.25), 0);
          assert.deepEqual([spent[1]!.committed, spent[1]!.epsilon], [kept.length, epsilon], where);
        }
        // What was charged and never left is given back: all three updates leave where the death came before the commit.
        if (name === 'priv-unit' && at === 2) assert.equal(left.length, rounds, where);
      }
    }
  });
}

test('a site whose data has changed is refused by its ledger before its rounds are over', async () => {
  const [plan] = plans['record']!;
  const folder = mkdtempSync(join(root, 'changed-'));
  const steps = { noiseMultiplier: 0.9, sampleRate: 0.3, steps: 20 };
  const end = await live(plan, folder, {}, undefined, { ...recordTrainer, recordSteps: () => steps });
  assert.match(
    end.refusal!,
    /^Cannot release update\/1 as ε of updates must be at most 4 at δ = 0.00001: with it \d+\.\d+, and 4 is left/,
  );
  assert.equal(end.left.length, 0);
});

test('a ledger that was changed, shortened or taken away stops the site; an older site is charged for what it remembers', async () => {
  const folder = mkdtempSync(join(root, 'tampered-'));
  const path = join(folder, siteLedgerFile);
  const disk: { kept?: Kept } = {};
  await live(asking, folder, disk);
  const whole = readFileSync(path, 'utf8');
  const lines = whole.split('\n').slice(0, -1);
  const joined = (some: readonly string[]) => some.map((line) => `${line}\n`).join('');
  const bad = {
    'a number': whole.replace('"epsilon":0.5', '"epsilon":0.1'),
    'the middle': joined(lines.filter((_, i) => i !== 4)),
    'the order': joined([lines[1]!, lines[0]!, ...lines.slice(2)]),
    'no entry': joined([...lines.slice(0, 3), 'not json', ...lines.slice(3)]),
    'the end': joined(lines.slice(0, 6)),
    everything: '',
  };
  for (const [what, text] of Object.entries(bad)) {
    writeFileSync(path, text);
    await assert.rejects(live(asking, folder, disk), (error: Error) => error instanceof RefusedError, what);
  }
  // A state folder of before there were ledgers: three updates and two answers, remembered as numbers alone.
  rmSync(path);
  const { ledger: _, ...older } = disk.kept!;
  const again = await live(asking, folder, { kept: { ...older, released: 2 } });
  assert.equal(again.left.length, 1);
  const spent = siteSpending((await readSiteLedger(folder)).entries);
  assert.deepEqual(
    spent.map(({ committed }) => committed),
    [3, 3],
  );
});

test('kill -9 of a process that does nothing but release, again and again: never more than the grant, nothing unknown', async () => {
  const folder = mkdtempSync(join(root, 'killed-'));
  const count = 12;
  const plan = smallPlan({ rounds: { count }, privacy: local });
  const identity = { clientId: 'client-01', runId: 'run-1', plan };
  writeFileSync(join(folder, 'identity.json'), JSON.stringify(identity));
  let left = 0;
  let last = '';
  for (let life = 0; last === '' && life < 15; life++) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('site-process.ts', import.meta.url)), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let released = 0;
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      released = out.split('released\n').length - 1;
      if (released >= 4) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    left += released;
    last = /refused: .*/.exec(out)?.[0] ?? '';
  }
  assert.match(last, /has made 12 noisy updates/);
  const { entries } = await readSiteLedger(folder);
  assert.equal(siteLedgerProblem(entries), undefined);
  const [spent] = siteSpending(entries);
  assert.ok(left <= spent!.committed && spent!.committed <= count, `${left} left, ${spent!.committed} committed`);
  assert.ok(spent!.epsilon <= 4 && spent!.epsilon > 3.9);

  const table = await runToEnd('privacy', 'ledger', folder);
  assert.equal(table.code, 0, table.err);
  assert.match(table.out, /^local, \(ε = 4, δ = 0\.00001\) for each client over 12 rounds\nclient-01 in run-1/);
  assert.match(table.out, /updates +each client +12 +0 +(?:3\.9\d+|4\.0000) +4 +0\.\d+ +0\.00001/);
  const path = join(folder, siteLedgerFile);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"round":2', '"round":9'));
  const changed = await runToEnd('privacy', 'ledger', folder);
  assert.equal(changed.code, 5);
  assert.match(changed.err, /Cannot trust .*privacy-ledger\.jsonl as .* entry \d+ does not follow from the one before/);
});

test('a site that takes part keeps its ledger: each update and answer is charged before it is drawn, and committed as it left', async () => {
  const folder = mkdtempSync(join(root, 'part-'));
  await runLocalSite(asking, { trainer, siteLedger: createFileSiteLedger(folder) }, async (_, { payloads, kept }) => {
    assert.equal(payloads.length, rounds);
    const { entries } = await readSiteLedger(folder);
    assert.equal(siteLedgerProblem(entries, kept.at(-1)!.local!.ledger), undefined);
    const [updates, reports] = siteSpending(entries);
    assert.deepEqual([updates!.committed, reports!.committed, reports!.epsilon], [3, 3, 1.25]);
    assert.ok(updates!.epsilon <= 2.75 && updates!.epsilon > 2.74, `${updates!.epsilon}`);
    const hashes = entries.flatMap(({ event }) => (event.kind === 'commit' ? [event.release] : []));
    const { createHash } = await import('node:crypto');
    for (const payload of payloads) {
      assert.ok(
        hashes.includes(createHash('sha256').update(payload).digest('hex')),
        'what was sealed is what is noted',
      );
    }
    assert.deepEqual(
      entries.slice(0, 3).map(({ event }) => event.kind),
      ['grant', 'grant', 'reserve'],
    );
  });
});

test('privacy of each record with a histogram: its ε is taken from the noise of the gradients, and both are in the ledger', async () => {
  const folder = mkdtempSync(join(root, 'record-'));
  const plan = planOf({ ...local, unit: 'record', histograms: [{ name: 'labels', epsilon: 1 }] });
  const data = createDataset({
    features: new Float32Array(4 * 30).fill(1),
    labels: Int32Array.from({ length: 30 }, (_, i) => i % 3),
    scale: 1,
    sampleShape: [4],
    classCount: 3,
  });
  const noisy = createRecordPrivateTrainer(plan, data, createNodeEntropy());
  await runLocalSite(plan, { trainer: noisy, siteLedger: createFileSiteLedger(folder) }, async (world, { said }) => {
    assert.deepEqual([said, world.coordinator.snapshot().run.status], [[], 'completed']);
    const spent = siteSpending((await readSiteLedger(folder)).entries);
    assert.deepEqual(
      spent.map(({ grant, committed }) => [grant.purpose, grant.unit, grant.epsilon, committed]),
      [
        ['updates', 'record', 3, 3],
        ['reports', 'record', 1, 1],
      ],
    );
    assert.ok(spent[0]!.epsilon <= 3 && spent[0]!.epsilon > 2.9, `${spent[0]!.epsilon}`);
    assert.equal(world.coordinator.snapshot().run.histograms['labels/1']?.clients.length, 1);
  });
});
