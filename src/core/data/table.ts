import type { Rng } from '../random/rng.ts';
import { type CsvRecord, parseCsv } from './csv.ts';
import type { Dataset } from './dataset.ts';
import { createDataset } from './dataset.ts';
import { type TableInput, type TableOptions, tableOptionsSchema } from './table-options.ts';
import { checkCells, checkWidths, columnNames, labelReader } from './table-checks.ts';
import { type Column, encodeRows, type FeatureFit, fitFeatures, isNumber } from './table-features.ts';

/** What was read, and what was left out and why. */
export type TableReport = {
  readonly rowsRead: number;
  readonly rowsDropped: readonly { readonly line: number; readonly reason: string }[];
  readonly columnsDropped: readonly { readonly name: string; readonly reason: string }[];
  /** One entry per feature, in the order of the model's inputs. */
  readonly features: readonly FeatureFit[];
};

export type Table = {
  readonly training: Dataset;
  readonly test: Dataset | null;
  readonly report: TableReport;
  /** Of the training part: the category of each row by its place in the options' list, −1 where it is missing. */
  readonly categories: Readonly<Record<string, Int32Array>>;
};

/**
 * Reads a CSV file into a training part and a test part.
 *
 * Promises: nothing of the test part enters what is fitted (types aside); every row left out is in the report.
 * Errors:   RangeError that names the path, line and column, wish and value.
 */
export function datasetFromCsv(text: string, path: string, input: TableInput, rng: Rng): Table {
  const options = tableOptionsSchema.parse(input);
  const records = readRecords(text, path, options.delimiter);
  const names = columnNames(records, options, path);
  return tableFromRecords(options.header ? records.slice(1) : records, names, { options, path, rng });
}

/** The records of a CSV text, trimmed; `1.0` counts as `1`, so that codes of several sites agree. */
export function readRecords(text: string, path: string, delimiter: string): readonly CsvRecord[] {
  return parseCsv(text, { path, delimiter }).map(tidy);
}

/** Makes the two parts of records without a header, whose cells are in the order of the names. */
export function tableFromRecords(
  rows: readonly CsvRecord[],
  names: readonly string[],
  { options, path, rng }: { readonly options: TableOptions; readonly path: string; readonly rng: Rng },
): Table {
  checkWidths(rows, names, path);
  const { columns, columnsDropped } = chooseColumns(rows, names, options);
  if (columns.length === 0) {
    throw new RangeError(
      `Cannot read ${path} as label and options must leave at least one column with values: ` +
        `current value is ${names.join(', ')}`,
    );
  }
  checkCells(rows, columns, { missing: options.missing, path });
  const labelAt = names.indexOf(options.label.column);
  const { complete, rowsDropped } = dropIncomplete(rows, columns, labelAt, options);
  const { training, test } = split(complete, options.testShare, rng, path);
  const classOf = labelReader(options, path);
  const fit = fitFeatures(training, columns, options);
  const make = (part: readonly CsvRecord[]): Dataset =>
    createDataset({
      features: encodeRows(part, fit, options.missing),
      scale: 1,
      labels: Int32Array.from(part, ({ line, cells }) => classOf(cells[labelAt]!, line)),
      sampleShape: [fit.length],
      classCount: options.label.classes.length,
    });
  const report = { rowsRead: rows.length, rowsDropped, columnsDropped, features: fit };
  const categories = Object.fromEntries(
    columns.flatMap(({ name, at, kind, categories: listed }) =>
      kind === 'category' && listed !== undefined
        ? [[name, Int32Array.from(training, ({ cells }) => listed.indexOf(cells[at]!))]]
        : [],
    ),
  );
  return { training: make(training), test: test.length === 0 ? null : make(test), report, categories };
}

function tidy({ line, cells }: CsvRecord): CsvRecord {
  return { line, cells: cells.map((cell) => cell.trim().replace(/^([+-]?\d+)\.0+$/, '$1')) };
}

function chooseColumns(rows: readonly CsvRecord[], names: readonly string[], options: TableOptions) {
  const columnsDropped = options.drop.map((name) => ({ name, reason: 'the options drop it' }));
  const columns: Column[] = [];
  for (const [at, name] of names.entries()) {
    if (name === options.label.column || options.drop.includes(name)) continue;
    const known = rows.map(({ cells }) => cells[at]!).filter((cell) => !options.missing.includes(cell));
    const found = { kind: known.every(isNumber) ? 'number' : 'category' } as const;
    if (known.length === 0) columnsDropped.push({ name, reason: 'it has no value' });
    else columns.push({ name, at, ...(options.columns[name] ?? found) });
  }
  return { columns, columnsDropped };
}

function dropIncomplete(
  rows: readonly CsvRecord[],
  columns: readonly Column[],
  labelAt: number,
  { label, missing, onMissing }: TableOptions,
) {
  const needed = [{ name: label.column, at: labelAt }, ...(onMissing === 'fill' ? [] : columns)];
  const rowsDropped: { line: number; reason: string }[] = [];
  const complete = rows.filter(({ line, cells }) => {
    const gap = needed.find(({ at }) => missing.includes(cells[at]!));
    if (gap !== undefined) rowsDropped.push({ line, reason: `"${gap.name}" is missing` });
    return gap === undefined;
  });
  return { complete, rowsDropped };
}

function split(rows: readonly CsvRecord[], testShare: number, rng: Rng, path: string) {
  const testCount = Math.ceil(rows.length * testShare);
  if (rows.length - testCount < 1) {
    throw new RangeError(
      `Cannot read ${path} as rows without a missing value must leave one to train on: current value is ${rows.length}`,
    );
  }
  const isTest = new Set(rng.shuffleInPlace(Uint32Array.from(rows.keys())).subarray(0, testCount));
  return { training: rows.filter((_, i) => !isTest.has(i)), test: rows.filter((_, i) => isTest.has(i)) };
}
