import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf } from '../well-formed.fixture.ts';
import { labCsv } from './lab-csv.ts';
import { renderLabReport } from './lab-report.ts';
import type { CellOutcome, LabRecord } from './record.ts';
import { gridsOf, groupsOf, momentsOf } from './summary.ts';

const outcome = (accuracy: number | null): CellOutcome => ({
  status: accuracy === null ? 'diverged' : 'completed',
  reason: accuracy === null ? 'round 3: <the loss>' : null,
  accuracy,
  loss: 1,
  best: accuracy,
  curve: accuracy === null ? [] : [5, 10].map((round) => [round, accuracy - 0.1 / round] as const),
  attackSuccess: null,
  detection: { attackers: 0.5, honest: 0 },
  modelHash: 'ab',
});

const place = (rule: string, attack: string, seed: string) => ({ partition: 'iid', rule, attack, seed });
const cell = (axes: ReturnType<typeof place>, accuracy: number | null) => ({
  key: Object.values(axes).join(),
  axes,
  command: `qflare lab x --cell ${axes.seed}`,
  outcome: outcome(accuracy),
});

const record: LabRecord = {
  name: 'hand-made',
  description: 'By <hand>.',
  simulated: true,
  leftOut: ['the network'],
  data: 'none',
  axes: [
    { name: 'partition', values: ['iid'] },
    { name: 'attack', values: ['none', 'flip'] },
    { name: 'rule', values: ['mean', 'median'] },
    { name: 'seed', values: ['1', '2'] },
  ],
  cells: [
    cell(place('mean', 'none', '1'), 0.9),
    cell(place('mean', 'none', '2'), 0.8),
    cell(place('mean', 'flip', '1'), 0.1),
    cell(place('mean', 'flip', '2'), null),
    cell(place('median', 'none', '1'), 0.85),
    cell(place('median', 'flip', '1'), 0.7),
  ],
  pending: 2,
};

test('groups join seeds: mean 0.85 and deviation 0.0707 of 0.9 and 0.8', () => {
  const [first] = groupsOf(record);
  assert.ok(Math.abs(first!.mean! - 0.85) < 1e-12 && Math.abs(first!.deviation! - Math.SQRT1_2 / 10) < 1e-12);
  assert.deepEqual(momentsOf([]), { mean: null, deviation: null });
  assert.deepEqual(momentsOf([0.5]), { mean: 0.5, deviation: null });
});

test('the grid has rules down and attacks across, and knows the lowest of each row', () => {
  const [grid, ...more] = gridsOf(record);
  assert.equal(more.length, 0);
  assert.deepEqual([grid!.rows.name, grid!.columns.name, grid!.place], ['rule', 'attack', { partition: 'iid' }]);
  assert.equal(grid!.worst('mean')!.axes['attack'], 'flip');
  assert.equal(grid!.at('median', 'none')!.mean, 0.85);
  assert.equal(grid!.at('krum', 'none'), undefined);
});

test('the report is well-formed, self-contained, escaped, in both schemes, and repeats its bytes', () => {
  const html = renderLabReport(record);
  assert.ok(elementsOf(html).includes('svg'));
  assert.equal(html, renderLabReport(record));
  assert.ok(!/<script|https?:\/\/(?!www\.w3\.org)/.test(html));
  assert.match(html, /By &lt;hand&gt;\./);
  assert.match(html, /prefers-color-scheme:dark/);
  assert.match(html, /2 cells to run/);
  assert.match(html, /mean, none: 85\.00 %, ± 7\.1 over 2 seeds/);
  assert.match(html, /class="spread" d="M/);
  assert.match(html, /round 3: &lt;the loss&gt;/);
  assert.match(html, /Simulated\. Left out: the network\./);
});

test('the CSV has a heading and a row for each cell, with nothing where nothing was measured', () => {
  const lines = labCsv(record).trimEnd().split('\r\n');
  assert.equal(lines.length, 7);
  assert.match(lines[0]!, /^partition,attack,rule,seed,status,accuracy,/);
  assert.match(lines[1]!, /^iid,none,mean,1,completed,0\.9,1,0\.9,,0\.5,0,ab,/);
  assert.match(lines[4]!, /^iid,flip,mean,2,diverged,,1,,,/);
});

test('where one axis varies the other is the attack', () => {
  const cells = record.cells.filter(({ axes }) => axes.attack === 'none');
  const axes = record.axes.map((axis) => (axis.name === 'attack' ? { ...axis, values: ['none'] } : axis));
  const [grid] = gridsOf({ ...record, axes, cells });
  assert.deepEqual([grid!.rows.name, grid!.columns.values], ['rule', ['none']]);
  assert.ok(elementsOf(renderLabReport({ ...record, axes, cells })).includes('svg'));
});
