import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ratioCases } from '../../benchmarks/ratios/cases.ts';
import { ratioOf } from '../../benchmarks/ratios/ratio.ts';
import { commitThatWrote, withEarlierVersion } from '../../tools/gates/earlier-version.ts';
import { type Baseline, type Beside, judgePace, type Ratios } from '../../tools/gates/performance.ts';
import { repositoryRoot } from '../../tools/gates/source-files.ts';

const baseline: Baseline = { here: { fast: 2, slow: 5 } };

/** A machine that measures these ratios, one set for each process. */
function machine(...processes: readonly Ratios[]) {
  const asked: (readonly string[])[] = [];
  const measure = (only: readonly string[]) => {
    const ratios = processes[Math.min(asked.length, processes.length - 1)]!;
    asked.push(only);
    const shown = Object.entries(ratios).filter(([name]) => only.length === 0 || only.includes(name));
    return { machine: 'here', ratios: Object.fromEntries(shown) };
  };
  return { asked, measure };
}

/** The code of the baseline, which measures these ratios; counts how often it was asked for. */
function earlier(...processes: readonly Ratios[]) {
  const { asked, measure } = machine(...processes);
  const beside: Beside = (use) => use(measure);
  return { asked, beside };
}

test('judgePace() passes what is within a tenth of the baseline, in three processes and without the earlier code', () => {
  const { asked, measure } = machine({ fast: 2.19, slow: 4 });
  const then = earlier({ fast: 2, slow: 5 });
  const result = judgePace(baseline, measure, then.beside);
  assert.ok(result.ok, result.output);
  assert.match(result.summary, /2 ratios, 0 worse or missing; worst 1\.09 × its baseline, median of 3 processes$/);
  assert.deepEqual([asked, then.asked], [[[], [], []], []]);
});

test('judgePace() fails what is more than 10 % slower than the earlier code in nine pairs, and names it', () => {
  const { asked, measure } = machine({ fast: 2.23, slow: 5 });
  const result = judgePace(baseline, measure, earlier({ fast: 2 }).beside);
  assert.equal(result.ok, false);
  assert.equal(
    result.output,
    '"fast" takes 1.11 × what the code of the baseline takes, median of 9 pairs of processes: 10 % more are allowed',
  );
  assert.equal(asked.length, 3 + 9);
  assert.deepEqual(asked[3], ['fast'], 'only what was slow is repeated');
});

test('judgePace() passes what is slow in an hour in which the earlier code is as slow, and says so', () => {
  const then = earlier({ fast: 2.6 });
  const result = judgePace(baseline, machine({ fast: 2.7, slow: 5 }).measure, then.beside);
  assert.ok(result.ok, result.output);
  assert.match(
    result.summary,
    /worst 1\.35 ×.*; "fast" takes 1\.04 × what the code of the baseline takes, median of 3 pairs/,
  );
  assert.deepEqual(then.asked, [['fast'], ['fast'], ['fast']]);
});

test('judgePace() forgives a noisy process when the others are at pace', () => {
  const { asked, measure } = machine({ fast: 9, slow: 9 }, { fast: 2, slow: 5 });
  assert.ok(judgePace(baseline, measure, earlier({}).beside).ok);
  assert.equal(asked.length, 3);
});

test('judgePace() is not excused by one lucky process', () => {
  const { measure } = machine({ fast: 1, slow: 5 }, { fast: 2.4, slow: 5 });
  const result = judgePace(baseline, measure, earlier({ fast: 9 }, { fast: 2 }).beside);
  assert.equal(result.ok, false);
  assert.match(result.output, /"fast" takes 1\.20 ×/);
});

test('without the earlier code a ratio may move as it does between hours, is said to be not checked, and fails beyond', () => {
  const moved = judgePace(baseline, machine({ fast: 2.59, slow: 5 }).measure);
  assert.ok(moved.ok, moved.output);
  assert.match(
    moved.summary,
    /NOT CHECKED: "fast" takes 2\.590 of its yardstick where 2\.000 is the baseline: 2[89] % worse/,
  );
  const slower = judgePace(baseline, machine({ fast: 2.62, slow: 5 }).measure);
  assert.equal(slower.ok, false);
  assert.match(slower.output, /31 % worse, 30 % are allowed where history does not hold the earlier code/);
});

test('the commit that wrote a file is told where history reaches it, and a shallow clone or no repository tells none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-history-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const origin = join(folder, 'origin');
  const git = (cwd: string, ...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd,
      encoding: 'utf8',
    }).trim();
  mkdirSync(origin);
  assert.equal(commitThatWrote(origin, 'baseline.json'), undefined);
  git(origin, 'init', '--quiet');
  const commits = ['baseline.json', 'other.txt'].map((name) => {
    writeFileSync(join(origin, name), name);
    git(origin, 'add', name);
    git(origin, 'commit', '--quiet', '--message', name);
    return git(origin, 'rev-parse', 'HEAD');
  });
  assert.equal(commitThatWrote(origin, 'baseline.json'), commits[0]);
  assert.equal(commitThatWrote(origin, 'never.json'), undefined);
  git(folder, 'clone', '--quiet', '--depth', '1', `file://${origin}`, 'shallow');
  assert.equal(commitThatWrote(join(folder, 'shallow'), 'baseline.json'), undefined);
});

test('the tree of an earlier commit is ready to measure, and is gone afterwards', (t) => {
  const commit = commitThatWrote(repositoryRoot, 'benchmarks/baseline.json');
  if (commit === undefined) return t.skip('this copy has no history');
  const folder = withEarlierVersion(repositoryRoot, commit, (tree) => {
    for (const path of [
      'benchmarks/ratios.ts',
      'src/core/vector/kernels/cohort.wasm.ts',
      'node_modules/zod/package.json',
    ])
      assert.ok(existsSync(join(tree, path)), path);
    return tree;
  });
  assert.ok(!existsSync(folder));
  assert.throws(
    () => withEarlierVersion(repositoryRoot, 'no-such-commit', () => 0),
    /Cannot run git archive .*no-such-commit/,
  );
});

test('judgePace() fails a case without a baseline and a baseline without its case, and says where it has none at all', () => {
  const added = judgePace(baseline, machine({ fast: 2, slow: 5, added: 1 }).measure);
  assert.match(added.output, /"added" has no baseline/);
  assert.equal(added.ok, false);
  const gone = judgePace(baseline, machine({ fast: 2 }).measure);
  assert.match(gone.output, /"slow" is in the baseline and is not measured/);
  assert.equal(gone.ok, false);
  assert.equal(judgePace({ here: {} }, machine({}).measure).ok, false);
  const elsewhere = judgePace({}, machine({ fast: 99, slow: 99 }).measure);
  assert.match(elsewhere.summary, /NOT CHECKED: no baseline of this machine \(here\)/);
  assert.equal(elsewhere.figures?.['unanswered'], 1);
});

/** A processor whose time stands still but for the work that is done on it, and for load that now and then falls on a run. */
function processor() {
  let now = 0;
  let runs = 0;
  const work = (ms: number) => () => {
    now += ms + (++runs % 3 === 0 ? 400 : 0);
  };
  return { clock: () => now, work };
}

test('ratioOf() sees work that was made a third slower, under load that falls on every third run', async () => {
  const { clock, work } = processor();
  const ratio = (ms: number) => ratioOf({ work: work(ms), yardstick: work(300) }, 9, clock);
  assert.equal(await ratio(300), 1);
  assert.equal(await ratio(400), 400 / 300);
});

test('ratioOf() repeats short work until it makes a sample that a coarse clock can tell', async () => {
  let now = 0;
  const work = (ms: number) => () => {
    now += ms;
  };
  const ratio = await ratioOf({ work: work(0.25), yardstick: work(0.5) }, 3, () => Math.floor(now));
  assert.ok(Math.abs(ratio - 0.5) < 0.03, String(ratio));
});

test('the baseline of the repository has every case of the benchmark', () => {
  const names = ratioCases.map(({ name }) => name);
  const file = join(import.meta.dirname, '../../benchmarks/baseline.json');
  const all = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Baseline);
  assert.ok(all.length > 0);
  for (const ratios of all) assert.deepEqual(Object.keys(ratios), names);
});
