import { formatSeconds, formatShare } from '../../core/report/format.ts';
import type { CellRecord } from '../../core/report/lab/record.ts';
import type { Grid } from '../../core/report/lab/summary.ts';

/** Where a matrix stands: see the lab's. */
type LabProgress = {
  readonly done: number;
  readonly total: number;
  readonly secondsLeft: number | null;
  readonly cell: CellRecord | null;
};

const barWidth = 24;

/** "[########----------------] 120 of 360 cells · 2 min 05 s to go" */
export function labBar({ done, total, secondsLeft }: LabProgress): string {
  const filled = total === 0 ? barWidth : Math.floor((barWidth * done) / total);
  const bar = `${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}`;
  const left = secondsLeft === null ? 'estimating' : `${formatSeconds(secondsLeft)} to go`;
  return `[${bar}] ${done} of ${total} cells · ${left}`;
}

/** The line of a cell that has ended. */
export function labLine(progress: LabProgress): string {
  const { cell, done, total, secondsLeft } = progress;
  const place = Object.values(cell!.axes).join(' · ');
  return `${done} of ${total}: ${place}: ${formatShare(cell!.outcome.accuracy)} (${formatSeconds(secondsLeft)} to go)`;
}

/** The tables of a matrix as text: per cent, mean over the seeds, the lowest of each row at the end. */
export function labTable(grids: readonly Grid[]): string {
  return grids.map(oneTable).join('\n\n');
}

function oneTable(grid: Grid): string {
  const percent = (mean: number | null | undefined) =>
    mean === null || mean === undefined ? '–' : (100 * mean).toFixed(1);
  const columns = grid.columns.values;
  const head = [grid.rows.name, ...columns, 'lowest'];
  const body = grid.rows.values.map((row) => [
    row,
    ...columns.map((column) => percent(grid.at(row, column)?.mean)),
    percent(grid.worst(row)?.mean),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((line) => line[i]!.length)));
  const lines = [head, ...body].map((line) =>
    line.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '),
  );
  const place = Object.entries(grid.place).map(([name, value]) => `${name} ${value}`);
  return [...(place.length === 0 ? [] : [place.join(', ')]), ...lines].join('\n');
}
