import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { readExperiment, threadCount } from '../experiment-file.ts';
import { tradeoffBar, tradeoffLine, tradeoffTable } from '../view/tradeoff-view.ts';
import { createRunView } from '../view/run-view.ts';

type Options = { readonly out?: string; readonly threads?: number; readonly fresh?: boolean; readonly json?: boolean };

/** Ended by Ctrl-C, as shells count it. */
const interruptedCode = 130;

/** `qflare privacy optimize FILE`: the best accuracy at each ε, over rounds, clip norm, noise and cohort. */
export function optimizeCommand(): Command {
  return new Command('optimize')
    .description(
      'accuracy against ε: searches rounds, clip norm, noise and cohort on public or synthetic data (Bayesian optimisation). What has run is kept: the same command goes on after a cut',
    )
    .argument('<search>', 'a TOML file: base plan, data, ranges')
    .option('--out <folder>', 'where runs, table and picture go (default: runs/search-NAME)')
    .option('--threads <n>', 'runs at the same time (default: the number of cores)', threadCount)
    .option('--fresh', 'run every trial again')
    .option('--json', 'print one JSON document; progress goes to stderr')
    .addHelpText('after', '\nWrites trials.csv, trials.json and front.svg. Everything here is simulated.')
    .action(runOptimize);
}

async function runOptimize(path: string, options: Options): Promise<void> {
  const { runSearch } = await import('../../lab/search/run-search.ts');
  const search = (await readExperiment(path)) as Parameters<typeof runSearch>[0];
  const folder = resolve(options.out ?? join('runs', `search-${search.name ?? 'tradeoff'}`));
  if (options.fresh === true) await rm(join(folder, 'runs.jsonl'), { force: true });
  const view = createRunView(process.stderr);
  const isLive = process.stderr.isTTY === true;
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on('SIGINT', interrupt);
  try {
    const record = await runSearch(search, {
      folder,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      signal: abort.signal,
      onProgress(progress) {
        if (progress.trial !== null && !isLive) view.note(tradeoffLine(progress));
        view.progress(tradeoffBar(progress));
      },
    });
    view.end();
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...record, folder })}\n`);
    else process.stdout.write(`${tradeoffTable(record)}\nPicture: ${relative('.', join(folder, 'front.svg'))}\n`);
    if (record.pending > 0) {
      view.note(`Stopped with ${record.pending} trials to run: the same command goes on from here.`);
      process.exitCode = interruptedCode;
    }
  } finally {
    view.end();
    process.removeListener('SIGINT', interrupt);
  }
}
