// The product's pace over a plain yardstick, against what it was: ratios, as seconds tell of the machine. Every case is
// measured in several processes and the median counts, as it does in the baseline: one lucky process excuses nothing, one
// unlucky process condemns nothing. A ratio still moves with the hour, as neighbours take caches and memory from the work
// and not from its yardstick: what looks slow is measured again in turn with the code of the commit that wrote the
// baseline, and fails if that is faster in the same minutes.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitThatWrote, withEarlierVersion } from './earlier-version.ts';
import type { Gate, GateResult } from './gate.ts';

/** Case → how long it takes over its yardstick. */
export type Ratios = Readonly<Record<string, number>>;
/** Kind of machine → its ratios. */
export type Baseline = Readonly<Record<string, Ratios>>;
type Measured = { readonly machine: string; readonly ratios: Ratios };
/** Measures some cases, or all where none is named, in a process of its own. */
export type MeasureOnce = (only: readonly string[]) => Measured;

/** How much worse than the baseline a ratio may be. */
const slackShare = 0.1;
/** The same where the earlier code cannot be run: between hours of one kind of machine ratios moved by up to a fifth. */
const slackAloneShare = 0.3;
const processes = 3;
const pairsMin = 3;
const pairsMax = 9;
const baselinePath = 'benchmarks/baseline.json';

export const performanceGate: Gate = {
  name: 'pace',
  run(root) {
    const baseline = JSON.parse(readFileSync(join(root, baselinePath), 'utf8')) as Baseline;
    const commit = commitThatWrote(root, baselinePath);
    return judgePace(
      baseline,
      (only) => measure(root, only),
      commit === undefined ? undefined : besideEarlier(root, commit),
    );
  },
};

/** Gives something the means to measure the code of a commit, for as long as it needs them. */
export type Beside = <T>(use: (earlier: MeasureOnce) => T) => T;

const besideEarlier =
  (root: string, commit: string): Beside =>
  (use) =>
    withEarlierVersion(root, commit, (folder) => use((only) => measure(folder, only)));

/**
 * Holds the median of every case over three processes against its baseline, and what is more than a tenth worse against
 * the earlier code, in pairs of processes: three to nine of them, until the median of their quotients is within the slack.
 */
export function judgePace(baseline: Baseline, measureOnce: MeasureOnce, beside?: Beside): GateResult {
  const first = measureOnce([]);
  const wanted = baseline[first.machine];
  const names = Object.keys(first.ratios);
  if (wanted === undefined) {
    return {
      ok: true,
      summary: `NOT CHECKED: no baseline of this machine (${first.machine}); "node benchmarks/ratios.ts --write" makes one`,
      output: '',
      figures: { unanswered: 1 },
    };
  }
  if (names.length === 0) return { ok: false, summary: '0 ratios', output: 'Nothing was measured.' };
  const runs = [first, ...Array.from({ length: processes - 1 }, () => measureOnce([]))];
  const paces = names.map((name) => paceOf(name, wanted[name], runs));
  const slow = paces.filter(({ times }) => times > 1 + slackShare);
  const judged = slow.length === 0 ? [] : judgeSlow(slow, measureOnce, beside);
  const problems = [
    ...paces
      .filter(({ before }) => before === undefined)
      .map(({ name }) => `"${name}" has no baseline: "node benchmarks/ratios.ts --write" makes one`),
    ...judged.flatMap(({ problem }) => problem ?? []),
    ...Object.keys(wanted)
      .filter((name) => !names.includes(name))
      .map((name) => `"${name}" is in the baseline and is not measured`),
  ];
  const worst = Math.max(...paces.map(({ times }) => times));
  const notes = judged.flatMap(({ note }) => note ?? []);
  return {
    ok: problems.length === 0,
    summary: [
      `${names.length} ratios, ${problems.length} worse or missing; worst ${worst.toFixed(2)} × its baseline, median of ${processes} processes`,
      ...notes,
    ].join('; '),
    output: problems.join('\n'),
    figures: { checked: names.length, worst },
  };
}

type Pace = {
  readonly name: string;
  readonly now: number;
  readonly before: number | undefined;
  readonly times: number;
};
type Judged = { readonly problem?: string; readonly note?: string };

function paceOf(name: string, before: number | undefined, runs: readonly Measured[]): Pace {
  const now = medianOf(runs.flatMap(({ ratios }) => ratios[name] ?? []));
  return { name, now, before, times: before === undefined ? 0 : now / before };
}

function judgeSlow(slow: readonly Pace[], measureOnce: MeasureOnce, beside: Beside | undefined): readonly Judged[] {
  if (beside === undefined) return slow.map(judgeAlone);
  return beside((earlier) => slow.map((pace) => judgePairs(pace, measureOnce, earlier)));
}

function judgePairs({ name }: Pace, measureOnce: MeasureOnce, earlier: MeasureOnce): Judged {
  const quotients: number[] = [];
  const isSlow = () => medianOf(quotients) > 1 + slackShare;
  while (quotients.length < pairsMin || (quotients.length < pairsMax && isSlow())) {
    const then = earlier([name]).ratios[name]!;
    quotients.push(measureOnce([name]).ratios[name]! / then);
  }
  const pairs = `median of ${quotients.length} pairs of processes`;
  const said = `"${name}" takes ${medianOf(quotients).toFixed(2)} × what the code of the baseline takes, ${pairs}`;
  return isSlow() ? { problem: `${said}: ${percent(slackShare)} more are allowed` } : { note: said };
}

function judgeAlone({ name, now, before, times }: Pace): Judged {
  const worse = `${percent(times - 1)} worse`;
  const said = `"${name}" takes ${now.toFixed(3)} of its yardstick where ${before!.toFixed(3)} is the baseline: ${worse}`;
  return times > 1 + slackAloneShare
    ? { problem: `${said}, ${percent(slackAloneShare)} are allowed where history does not hold the earlier code` }
    : { note: `NOT CHECKED: ${said}, and history does not hold the earlier code to run beside it` };
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export function measure(root: string, only: readonly string[]): Measured {
  const args = ['--no-warnings', 'benchmarks/ratios.ts', '--json', ...only.flatMap((name) => ['--only', name])];
  // The coverage and the flags of a test run would be measured too.
  const { NODE_V8_COVERAGE: _, NODE_OPTIONS: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    env,
  });
  if (status !== 0) throw new Error(`Cannot measure the pace: ${stderr}`);
  return JSON.parse(stdout) as Measured;
}
