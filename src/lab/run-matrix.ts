import { mkdir, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { labCsv } from '../core/report/lab/lab-csv.ts';
import { renderLabReport } from '../core/report/lab/lab-report.ts';
import type { CellOutcome, CellRecord, LabRecord } from '../core/report/lab/record.ts';
import { leftOutByBarePath, leftOutByFastPath } from '../simulation/index.ts';
import { type CellLog, openCellLog } from './cell-log.ts';
import { type Cell, cellsOf, reportAxes } from './cells.ts';
import { createCrew } from './crew.ts';
import { type LabData, readLabData } from './lab-data.ts';
import { type Lab, type LabInput, parseLab } from './lab-file.ts';
import { runCell } from './run-cell.ts';

/** Where a matrix stands. */
export type LabProgress = {
  readonly done: number;
  readonly total: number;
  /** Cells that were taken from an earlier run. */
  readonly reused: number;
  /** Seconds to go, from the cells that have ended; null before the first. */
  readonly secondsLeft: number | null;
  /** The cell that has just ended; null at the start. */
  readonly cell: CellRecord | null;
};

export type MatrixOptions = {
  /** Where cells, results and report go. Without it nothing is written, and nothing is taken up again. */
  readonly folder?: string;
  /** Default: as many as the machine has cores. */
  readonly threads?: number;
  readonly onProgress?: (progress: LabProgress) => void;
  /** Ends the matrix after the cells that have ended: what is done is kept. */
  readonly signal?: AbortSignal;
  /** What runs a cell alone, by its key. */
  readonly commandOf?: (key: string) => string;
};

/**
 * Runs a matrix over worker threads and gives its record. Cells that the folder holds already are not run again.
 *
 * Promises: record, CSV and report are functions of the matrix: threads, order and interruptions change no byte.
 * Errors:   RangeError for a matrix that cannot run; Error with the first message when a cell fails by a bug. What has
 *           ended is kept in both cases.
 */
export async function runMatrix(input: LabInput, options: MatrixOptions = {}): Promise<LabRecord> {
  const lab = parseLab(input);
  const data = await readLabData(lab);
  const cells = cellsOf(lab, data.name);
  const log = options.folder === undefined ? memoryLog() : openCellLog(join(options.folder, 'cells.jsonl'));
  try {
    const failure = await runMissing(cells, { data, log, options });
    const record = recordOf(lab, data, { cells, log, options });
    if (options.folder !== undefined) await writeResults(options.folder, record);
    if (failure !== null) throw new Error(failure);
    return record;
  } finally {
    log.close();
  }
}

/** Runs one cell of a matrix, by the first characters of its key. */
export async function runOneCell(input: LabInput, keyStart: string): Promise<{ cell: Cell; outcome: CellOutcome }> {
  const lab = parseLab(input);
  const data = await readLabData(lab);
  const found = cellsOf(lab, data.name).filter(({ key }) => key.startsWith(keyStart));
  if (found.length !== 1) {
    throw new RangeError(
      `Cannot run the cell as its key must begin one key of the matrix: current value is "${keyStart}", which begins ${found.length}`,
    );
  }
  const cell = found[0]!;
  return { cell, outcome: await runCell(cell.definition, data.pool) };
}

type Work = {
  readonly data: LabData;
  readonly log: CellLog;
  readonly options: MatrixOptions;
};

/** Runs what the log does not hold. Gives the first failure, if any. */
async function runMissing(cells: readonly Cell[], { data, log, options }: Work): Promise<string | null> {
  const { threads = availableParallelism(), signal, onProgress } = options;
  if (signal?.aborted !== true) log.claim();
  const missing = cells.filter(({ key }) => !log.outcomes.has(key));
  const reused = cells.length - missing.length;
  let done = reused;
  let failure: string | null = null;
  const begunMs = performance.now();
  const tell = (cell: CellRecord | null) => {
    const ran = done - reused;
    const secondsLeft = ran === 0 ? null : ((performance.now() - begunMs) / 1000 / ran) * (cells.length - done);
    onProgress?.({ done, total: cells.length, reused, secondsLeft, cell });
  };
  tell(null);
  if (missing.length === 0) return null;

  const crew = createCrew(data.pool, threads);
  const stop = () => void crew.stop();
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted === true) return null;
    await crew.run(missing, (cell, answer) => {
      if (answer.ok) {
        log.append({ key: cell.key, outcome: answer.outcome, seconds: answer.seconds });
        done += 1;
        tell(cellRecord(cell, answer.outcome, options));
      } else {
        failure ??= `The cell ${cell.key.slice(0, 12)} failed: ${answer.message}`;
        stop();
      }
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return failure;
}

function recordOf(
  lab: Lab,
  data: LabData,
  { cells, log, options }: { readonly cells: readonly Cell[]; readonly log: CellLog; readonly options: MatrixOptions },
): LabRecord {
  const records = cells.flatMap((cell) => {
    const outcome = log.outcomes.get(cell.key);
    return outcome === undefined ? [] : [cellRecord(cell, outcome, options)];
  });
  const path = cells[0]?.definition.path ?? 'bare';
  return {
    name: lab.name,
    description: lab.description,
    simulated: true,
    leftOut: path === 'bare' ? leftOutByBarePath : path === 'fast' ? leftOutByFastPath : ['real networks and machines'],
    data: data.name,
    axes: reportAxes(lab),
    cells: records,
    pending: cells.length - records.length,
  };
}

function cellRecord({ key, axes }: Cell, outcome: CellOutcome, { commandOf }: MatrixOptions): CellRecord {
  const start = key.slice(0, 12);
  return { key, axes, command: commandOf?.(start) ?? `runOneCell(matrix, '${start}')`, outcome };
}

async function writeResults(folder: string, record: LabRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = {
    'results.csv': labCsv(record),
    'results.json': `${JSON.stringify(record, null, 1)}\n`,
    'report.html': renderLabReport(record),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}

function memoryLog(): CellLog {
  const outcomes = new Map<string, CellOutcome>();
  return { outcomes, claim() {}, append: ({ key, outcome }) => void outcomes.set(key, outcome), close() {} };
}
