import { formatSeconds, formatShare } from '../../core/report/format.ts';
import { bestTrials, type SearchRecord, type Trial } from '../../core/report/lab/tradeoff.ts';

type Progress = {
  readonly done: number;
  readonly total: number;
  readonly secondsLeft: number | null;
  readonly trial: Trial | null;
};

const barWidth = 24;

/** "[########----------------] 10 of 30 trials · 2 min 05 s to go" */
export function tradeoffBar({ done, total, secondsLeft }: Progress): string {
  const filled = Math.floor((barWidth * done) / total);
  const left = secondsLeft === null ? 'estimating' : `${formatSeconds(secondsLeft)} to go`;
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${done} of ${total} trials · ${left}`;
}

/** The line of a trial that has ended. */
export function tradeoffLine({ done, total, trial }: Progress): string {
  const [epsilon, accuracy, rounds, clip] = cellsOf(trial!);
  return `${done} of ${total}: ε ${epsilon}, ${rounds} rounds, clip norm ${clip}: ${accuracy}`;
}

/** The front as a table, the least ε first. */
export function tradeoffTable(record: SearchRecord): string {
  const head = ['ε', 'accuracy', 'rounds', 'clip norm', 'noise multiplier', 'cohort'];
  const rows = [head, ...bestTrials(record).map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join('  '));
  return [
    `δ = ${record.delta}, ${record.clients} simulated clients, client level; ${record.trials.length} trials, of which none beats these:`,
    ...lines,
  ].join('\n');
}

function cellsOf(trial: Trial): readonly string[] {
  const { epsilon, accuracy, deviation, rounds, clipNorm, noiseMultiplier, cohort } = trial;
  const spread = deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`;
  return [
    String(epsilon),
    `${formatShare(accuracy)}${spread}`,
    String(rounds),
    String(clipNorm),
    noiseMultiplier.toPrecision(4),
    cohort.toFixed(1),
  ];
}
