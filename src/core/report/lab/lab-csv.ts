import { csvText } from '../csv.ts';
import type { CellRecord, LabRecord } from './record.ts';

/**
 * results.csv: a heading, then one row for each cell that has run, in the order of the matrix.
 *
 * Promises: the same cells give the same bytes, whatever ran them.
 */
export function labCsv(record: LabRecord): string {
  const names = record.axes.map(({ name }) => name);
  const rows = record.cells.map((cell) => [...names.map((name) => cell.axes[name]), ...figures(cell)]);
  return csvText([[...names, ...columnNames], ...rows]);
}

const columnNames = [
  'status',
  'accuracy',
  'loss',
  'best',
  'attack_success',
  'flagged_attackers',
  'flagged_honest',
  'model_hash',
  'key',
  'command',
];

function figures({ key, command, outcome }: CellRecord): (string | number | null | undefined)[] {
  const { status, accuracy, loss, best, attackSuccess, detection, modelHash } = outcome;
  return [
    status,
    accuracy,
    loss,
    best,
    attackSuccess,
    detection?.attackers,
    detection?.honest,
    modelHash,
    key,
    command,
  ];
}
