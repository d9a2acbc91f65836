// The matrices of benchmarks/evidence: what they hold, and what their tables make of cells.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { heatmapTable } from '../../benchmarks/evidence/heatmap-table.ts';
import { backdoorTable, lossTable } from '../../benchmarks/evidence/stealth-tables.ts';
import type { CellOutcome, LabRecord } from '../../src/core/report/lab/record.ts';
import { cellsOf, reportAxes } from '../../src/lab/cells.ts';
import { parseLab } from '../../src/lab/lab-file.ts';

const labOf = (name: string) =>
  parseLab(parse(readFileSync(join(import.meta.dirname, `../../benchmarks/evidence/${name}.toml`), 'utf8')));
const blank: CellOutcome = {
  status: 'completed',
  reason: null,
  accuracy: null,
  loss: null,
  best: null,
  curve: [],
  attackSuccess: null,
  detection: null,
  modelHash: '',
};
type Axes = Readonly<Record<string, string>>;
/** A matrix in which every cell has run, with what `of` makes of its place. */
function recordOf(name: string, of: (axes: Axes) => Partial<CellOutcome>): LabRecord {
  const lab = labOf(name);
  const cells = cellsOf(lab, 'data').map(({ key, axes }) => {
    return { key, axes, command: '', outcome: { ...blank, ...of(axes) } };
  });
  const rest = { description: '', simulated: true, leftOut: [], data: '', pending: 0 } as const;
  return { ...rest, name, axes: reportAxes(lab), cells };
}

test('heatmap: ten honest clients and f attackers in each of 4 × 4 × 3 cells; the worst attack beside the published', () => {
  const cells = cellsOf(labOf('heatmap'), 'data');
  assert.equal(cells.length, 48);
  assert.ok(cells.every(({ definition }) => definition.plan.cohort.expected === 10 + definition.attackers));
  const record = recordOf('heatmap', ({ attack }) =>
    attack === 'optimal-alie' ? { best: 0.5, accuracy: 0.4 } : { best: 0.9, accuracy: 0.8 },
  );
  assert.equal(
    heatmapTable(record).split('\n')[2],
    '| 0 | 50.0 / 40.0 / 87 | 50.0 / 40.0 / 56 | 50.0 / 40.0 / 26 | 50.0 / 40.0 / 27 |',
  );
});

test('backdoors: nine rules by five attacks, and chance for the mean alone; losses are against the same seed', () => {
  assert.equal(cellsOf(labOf('backdoors'), 'data').length, 2 * 3 * (9 * 5 + 3));
  const spread: Readonly<Record<string, number>> = { 1: 0.7, 2: 0.8, 3: 0.9 };
  const attacked = recordOf('backdoors', ({ attackers, seed }) => ({
    accuracy: spread[seed!]! - 0.01 * Number(seed),
    attackSuccess: attackers === '0' ? 0.1 : 0.6,
  }));
  const matrix = recordOf('robustness', ({ seed }) => ({ accuracy: spread[seed!]! }));
  const rows = backdoorTable(attacked).split('\n');
  assert.match(rows[2]!, /^\| iid \| mean, nobody attacks \| 10\.0 ± 0\.0 \/ 78\.0 ± 9\.0 \|/);
  assert.equal(rows.length, 2 + 2 * (1 + 9));
  // Losses of 1, 2 and 3 points: mean 2, deviation 1, 4.303/√3 above it.
  assert.match(lossTable(attacked, matrix), /\| slow-drift \| iid \| 2\.0 \(≤ 4\.5; 3\.0\) \|/);
});
