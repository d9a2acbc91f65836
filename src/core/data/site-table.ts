import type { PlanTable } from '../plan/table.ts';
import type { Rng } from '../random/rng.ts';
import type { CsvRecord } from './csv.ts';
import { isNumber } from './table-features.ts';
import { readRecords, type Table, tableFromRecords } from './table.ts';

export type SiteTable = Table & {
  /** Sentences for the site: what was read, what was left out and why, how it was scaled. */
  readonly said: readonly string[];
};

/**
 * Reads a site's CSV file as the plan describes it, into a training part and a hold-out.
 *
 * A first record that cannot be data is a header. With the plan's names it says which column is where; with none of
 * them columns are taken by position, and that is said.
 *
 * Promises: the same file gives the same parts. What is fitted (means, deviations, fills) comes from the training rows
 *           of this site alone, and does not leave it.
 * Errors:   RangeError that names the path, line and column, wish and value.
 */
export function readSiteTable(
  { text, path }: { readonly text: string; readonly path: string },
  table: PlanTable,
  { holdoutShare, rng }: { readonly holdoutShare: number; readonly rng: Rng },
): SiteTable {
  const columns = Object.fromEntries(
    table.names
      .filter((name) => name !== table.label.column && !table.drop.includes(name))
      .map((name) => [name, table.columns[name] ?? { kind: 'number' as const }]),
  );
  const options = { ...table, columns, header: false, testShare: holdoutShare };
  const records = readRecords(text, path, table.delimiter);
  const { rows, note } = withoutHeader(records, { ...table, columns }, path);
  const read = tableFromRecords(rows, table.names, { options, path, rng });
  const empty = read.report.columnsDropped.filter(({ name }) => !table.drop.includes(name));
  if (empty.length > 0) {
    throw new RangeError(
      `Cannot read ${path} as every column that the plan uses must have a value: ` +
        `${empty.map(({ name }) => `"${name}"`).join(', ')} has none (data.table.drop leaves a column out)`,
    );
  }
  return { ...read, said: [...note, ...describe(read, path, table)] };
}

function withoutHeader(
  records: readonly CsvRecord[],
  table: PlanTable,
  path: string,
): { readonly rows: readonly CsvRecord[]; readonly note: readonly string[] } {
  const [first, ...rest] = records;
  if (first === undefined) throw new RangeError(`Cannot read ${path} as it must hold rows: it is empty`);
  const { names } = table;
  const shared = names.filter((name) => first.cells.includes(name));
  if (shared.length === names.length && first.cells.length === names.length) {
    const places = names.map((name) => first.cells.indexOf(name));
    return { rows: rest.map((row) => reordered(row, places)), note: [] };
  }
  if (!isHeader(first, table)) return { rows: records, note: [] };
  if (shared.length === 0) {
    return { rows: rest, note: [`${path} has other column names than the plan: columns are taken by position`] };
  }
  throw new RangeError(
    `Cannot read ${path} as its header must have the columns of the plan (data.table.names: ${names.join(', ')}): ` +
      `current value is ${first.cells.join(', ')}`,
  );
}

/** A record of another width stays as it is: the check of widths names its line. */
function reordered(row: CsvRecord, places: readonly number[]): CsvRecord {
  return row.cells.length === places.length ? { ...row, cells: places.map((place) => row.cells[place]!) } : row;
}

/** Whether a record can only be a header: no number where numbers are, no class where the label is. */
function isHeader({ cells }: CsvRecord, { names, label, columns, missing }: PlanTable): boolean {
  const isMissing = (cell: string | undefined) => cell === undefined || missing.includes(cell);
  const labelCell = cells[names.indexOf(label.column)];
  if (isMissing(labelCell) || label.classes.some((texts) => texts.includes(labelCell!))) return false;
  const numbers = names.flatMap((name, at) => (columns[name]?.kind === 'number' ? [cells[at]] : []));
  return numbers.length > 0 && numbers.every((cell) => !isMissing(cell) && !isNumber(cell!));
}

function describe({ training, test, report }: Table, path: string, table: PlanTable): readonly string[] {
  const reasons = Map.groupBy(report.rowsDropped, ({ reason }) => reason);
  const dropped = [...reasons].map(([reason, rows]) => `${rows.length} as ${reason}`).join(', ');
  const held = test === null ? 'none' : test.labels.length;
  return [
    `${path}: ${report.rowsRead} rows, ${report.rowsDropped.length} left out${dropped === '' ? '' : ` (${dropped})`}, ` +
      `${training.labels.length} to train on, ${held} held out`,
    `${report.features.length} features${table.drop.length === 0 ? '' : ` without ${table.drop.join(', ')}`}` +
      `${table.standardize ? ', each with mean 0 and deviation 1 over the training rows of this site' : ''}`,
  ];
}
