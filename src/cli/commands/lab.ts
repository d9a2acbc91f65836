import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { readExperiment, threadCount } from '../experiment-file.ts';
import { labBar, labLine, labTable } from '../view/lab-view.ts';
import { createRunView } from '../view/run-view.ts';

type Options = {
  readonly out?: string;
  readonly threads?: number;
  readonly cell?: string;
  readonly fresh?: boolean;
  readonly json?: boolean;
};

const loadLab = () => import('../../lab/index.ts');

/** Ended by Ctrl-C, as shells count it. */
const interruptedCode = 130;

export function labCommand(): Command {
  return new Command('lab')
    .description(
      'Runs a matrix of simulated federations over worker threads: partitions, attacks, rules, detectors, seeds. What has ended is kept: the same command goes on after a cut',
    )
    .argument('<matrix>', 'a TOML file: base plan, axes, exclusions')
    .option('--out <folder>', 'where cells, results and report go (default: runs/lab-NAME)')
    .option('--threads <n>', 'cells at the same time (default: the number of cores)', threadCount)
    .option('--cell <key>', 'run one cell alone, by the first characters of its key')
    .option('--fresh', 'run every cell again')
    .option('--json', 'print one JSON document; progress goes to stderr')
    .addHelpText('after', '\nWrites results.csv, results.json and report.html. Everything here is simulated.')
    .action(runLab);
}

async function runLab(path: string, options: Options): Promise<void> {
  const lab = await loadLab();
  const matrix = (await readExperiment(path)) as Matrix;
  if (options.cell !== undefined) {
    const { cell, outcome } = await lab.runOneCell(matrix, options.cell);
    const { key, axes } = cell;
    process.stdout.write(`${JSON.stringify({ simulated: true, key, axes, outcome })}\n`);
    return;
  }
  const folder = resolve(options.out ?? join('runs', `lab-${matrix.name ?? 'matrix'}`));
  if (options.fresh === true) await rm(join(folder, 'cells.jsonl'), { force: true });
  const view = createRunView(process.stderr);
  const isLive = process.stderr.isTTY === true;
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  // A terminal signals the launcher too, which passes it on: the second one is the same Ctrl-C.
  process.on('SIGINT', interrupt);
  try {
    const record = await lab.runMatrix(matrix, {
      folder,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      signal: abort.signal,
      commandOf: (key) => `qflare lab ${path} --cell ${key}`,
      onProgress(progress) {
        if (progress.cell === null) view.note(`${progress.total} cells, ${progress.reused} of them known already`);
        else if (!isLive) view.note(labLine(progress));
        view.progress(labBar(progress));
      },
    });
    view.end();
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...record, folder })}\n`);
    else
      process.stdout.write(`${labTable(lab.gridsOf(record))}\nReport: ${relative('.', join(folder, 'report.html'))}\n`);
    if (abort.signal.aborted) {
      view.note(`Stopped with ${record.pending} cells to run: the same command goes on from here.`);
      process.exitCode = interruptedCode;
    }
  } finally {
    view.end();
    process.removeListener('SIGINT', interrupt);
  }
}

type Matrix = Parameters<Awaited<ReturnType<typeof loadLab>>['runMatrix']>[0];
