import { mkdir, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parsePlan } from '../../core/plan/plan.ts';
import { noiseMultiplier } from '../../core/privacy/accounting/noise-multiplier.ts';
import type { Observation } from '../../core/privacy/search/gaussian-process.ts';
import { paretoFront } from '../../core/privacy/search/pareto.ts';
import { proposePoints } from '../../core/privacy/search/propose.ts';
import { createRng } from '../../core/random/rng.ts';
import { type SearchRecord, tradeoffCsv, tradeoffSvg, type Trial } from '../../core/report/lab/tradeoff.ts';
import { type CellLog, openCellLog } from '../cell-log.ts';
import { type Cell, cellWith, definitionVersion } from '../cells.ts';
import { createCrew } from '../crew.ts';
import { type LabData, readLabData } from '../lab-data.ts';
import { freeDimensions, parseSearch, type Search, type SearchInput, settingsAt } from './search-file.ts';

export type SearchProgress = {
  readonly done: number;
  readonly total: number;
  readonly secondsLeft: number | null;
  readonly trial: Trial | null;
};

export type SearchOptions = {
  /** Where trials and results go: what a killed search goes on from. */
  readonly folder: string;
  /** Default: as many as the machine has cores. */
  readonly threads?: number;
  readonly onProgress?: (progress: SearchProgress) => void;
  readonly signal?: AbortSignal;
};

/**
 * Searches for the best accuracy at each ε over rounds, clip norm and cohort, and gives its record.
 *
 * Promises: record, CSV and picture are functions of the file: threads, order and interruptions change no byte.
 * Errors:   RangeError for a search that cannot run, private scores among them; Error when a run fails by a bug.
 */
export async function runSearch(input: SearchInput, options: SearchOptions): Promise<SearchRecord> {
  const search = parseSearch(input);
  const data = await readLabData(search);
  const log = openCellLog(join(options.folder, 'runs.jsonl'));
  try {
    log.claim();
    const trials = await allTrials(search, { data, log, options });
    const front = paretoFront(trials.map((trial) => ({ trial, cost: trial.epsilon, score: trial.accuracy })));
    const isBest = new Set(front.map(({ trial }) => trial));
    const record: SearchRecord = {
      name: search.name,
      simulated: true,
      data: data.name,
      delta: search.delta,
      clients: planAt(search, settingsAt(search, [0, 0, 0, 0]), 0).cohort.expected,
      trials: trials.map((trial) => ({ ...trial, isBest: isBest.has(trial) })),
      pending: search.search.trials - trials.length,
    };
    await writeResults(options.folder, record);
    return record;
  } finally {
    log.close();
  }
}

type Work = { readonly data: LabData; readonly log: CellLog; readonly options: SearchOptions };

/** Trials batch after batch; fewer where the signal has ended the search. */
async function allTrials(search: Search, { data, log, options }: Work): Promise<readonly Trial[]> {
  const { trials: total, batch, initial, seed, seeds } = search.search;
  const dimension = freeDimensions(search).length;
  const trials: Trial[] = [];
  const seen: Observation[] = [];
  const begunMs = performance.now();
  let [ran, reused] = [0, 0];
  const tell = (trial: Trial | null) => {
    const secondsLeft =
      ran === 0 ? null : ((performance.now() - begunMs) / 1000 / ran) * (total * seeds - reused - ran);
    options.onProgress?.({ done: trials.length, total, secondsLeft, trial });
  };
  tell(null);
  while (trials.length < total) {
    const count = Math.min(batch, total - trials.length);
    const points = proposePoints(seen, { dimension, count, initial, rng: createRng(seed) });
    const groups = points.map((point) => cellsAt(search, point, data.name));
    const missing = groups.flat().filter(({ key }) => !log.outcomes.has(key));
    reused += groups.flat().length - missing.length;
    if (missing.length > 0) ran += await runCells(missing, { data, log, options });
    if (options.signal?.aborted === true) break;
    for (const [i, cells] of groups.entries()) {
      const trial = trialOf(search, points[i]!, { cells, log });
      trials.push(trial);
      seen.push({ at: points[i]!, value: trial.accuracy });
      tell(trial);
    }
  }
  return trials;
}

async function runCells(cells: readonly Cell[], { data, log, options }: Work): Promise<number> {
  const crew = createCrew(data.pool, options.threads ?? availableParallelism());
  const stop = () => void crew.stop();
  options.signal?.addEventListener('abort', stop);
  let ran = 0;
  let failure: string | null = null;
  try {
    await crew.run([...new Map(cells.map((cell) => [cell.key, cell])).values()], ({ key }, answer) => {
      if (answer.ok) {
        log.append({ key, outcome: answer.outcome, seconds: answer.seconds });
        ran++;
      } else {
        failure ??= `The run ${key.slice(0, 12)} failed: ${answer.message}`;
        stop();
      }
    });
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
  if (failure !== null) throw new Error(failure);
  return ran;
}

/** The runs of one trial, by seed, over the real rounds without a network. */
function cellsAt(search: Search, point: readonly number[], data: string): readonly Cell[] {
  return Array.from({ length: search.search.seeds }, (_, i) =>
    cellWith(
      {
        version: definitionVersion,
        data,
        plan: planAt(search, settingsAt(search, point), search.search.seed + i),
        path: 'fast',
        partition: search.partition,
        attack: 'none',
        attackers: 0,
        attackerData: 'partition',
        workerMomentum: null,
        measureEvery: 1,
      },
      {},
    ),
  );
}

function planAt({ plan, delta }: Search, settings: ReturnType<typeof settingsAt>, seed: number) {
  const { epsilon, rounds, clipNorm, sampleRate } = settings;
  const base = plan as { readonly rounds?: object; readonly privacy?: object };
  return parsePlan({
    ...plan,
    rounds: { ...base.rounds, count: rounds },
    privacy: { replanEvery: 0, ...base.privacy, mode: 'central', epsilon, delta, clipNorm, sampleRate },
    seed,
  });
}

function trialOf(
  search: Search,
  point: readonly number[],
  { cells, log }: { cells: readonly Cell[]; log: CellLog },
): Trial {
  const settings = settingsAt(search, point);
  const { delta } = search;
  const accuracies = cells.map(({ key }) => log.outcomes.get(key)?.accuracy ?? 0);
  const mean = accuracies.reduce((sum, one) => sum + one, 0) / accuracies.length;
  const square = accuracies.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const { epsilon: wish, rounds: steps, sampleRate } = settings;
  return {
    ...settings,
    noiseMultiplier: noiseMultiplier({ epsilon: wish, delta, sampleRate, steps }).noiseMultiplier,
    cohort: cells[0]!.definition.plan.cohort.expected * sampleRate,
    accuracy: mean,
    deviation: accuracies.length > 1 ? Math.sqrt(square / (accuracies.length - 1)) : null,
    isBest: false,
  };
}

async function writeResults(folder: string, record: SearchRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = {
    'trials.csv': tradeoffCsv(record),
    'trials.json': `${JSON.stringify(record, null, 1)}\n`,
    'front.svg': tradeoffSvg(record),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}
