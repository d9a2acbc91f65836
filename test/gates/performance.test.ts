import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ratioCases } from '../../benchmarks/ratios/cases.ts';
import { ratioOf } from '../../benchmarks/ratios/ratio.ts';
import { type Baseline, judgePace, type Ratios } from '../../tools/gates/performance.ts';

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

test('judgePace() passes what is within a tenth of the baseline, in three processes', () => {
  const { asked, measure } = machine({ fast: 2.19, slow: 4 });
  const result = judgePace(baseline, measure);
  assert.ok(result.ok, result.output);
  assert.match(result.summary, /2 ratios, 0 worse or missing; worst 1\.09 ×/);
  assert.deepEqual(asked, [[], [], []]);
});

test('judgePace() fails what stays 10 % worse after repeats, and names it', () => {
  const { asked, measure } = machine({ fast: 2.21, slow: 5 });
  const result = judgePace(baseline, measure);
  assert.equal(result.ok, false);
  assert.match(result.output, /"fast" takes 2\.210 of its yardstick where 2\.000 is the baseline: 1[01] % worse/);
  assert.equal(asked.length, 8);
  assert.deepEqual(asked[3], ['fast'], 'only what was slow is repeated');
});

test('judgePace() forgives a noisy process when the others are at pace', () => {
  const { asked, measure } = machine(
    { fast: 9, slow: 9 },
    { fast: 2, slow: 9 },
    { fast: 2, slow: 5 },
    { slow: 5 },
    { slow: 5 },
  );
  assert.ok(judgePace(baseline, measure).ok);
  assert.deepEqual(asked, [[], [], [], ['slow'], ['slow']]);
});

test('judgePace() is not excused by one lucky process', () => {
  const { asked, measure } = machine({ fast: 1, slow: 5 }, { fast: 2.4, slow: 5 });
  const result = judgePace(baseline, measure);
  assert.equal(result.ok, false);
  assert.match(result.output, /"fast" takes 2\.400/);
  assert.equal(asked.length, 8);
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
