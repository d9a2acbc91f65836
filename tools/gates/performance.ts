// The product's pace over a plain yardstick, against what it was: ratios, as seconds tell of the machine. Every case is
// measured in several processes and the median counts, as it does in the baseline: one lucky process excuses nothing, one
// unlucky process condemns nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gate, GateResult } from './gate.ts';

/** Case → how long it takes over its yardstick. */
export type Ratios = Readonly<Record<string, number>>;
/** Kind of machine → its ratios. */
export type Baseline = Readonly<Record<string, Ratios>>;
type Measured = { readonly machine: string; readonly ratios: Ratios };

/** How much worse than the baseline a ratio may be. */
const slackShare = 0.1;
const processesMin = 3;
const processesMax = 8;

export const performanceGate: Gate = {
  name: 'pace',
  run(root) {
    const baseline = JSON.parse(readFileSync(join(root, 'benchmarks/baseline.json'), 'utf8')) as Baseline;
    return judgePace(baseline, (only) => measure(root, only));
  },
};

/** Measures until the median of every case is within the slack of its baseline, or it has had all its chances. */
export function judgePace(baseline: Baseline, measureOnce: (only: readonly string[]) => Measured): GateResult {
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
  const missing = [
    ...names.filter((name) => wanted[name] === undefined),
    ...Object.keys(wanted).filter((name) => !names.includes(name)),
  ];
  const samples = new Map(Object.entries(first.ratios).map(([name, ratio]) => [name, [ratio]]));
  const pace = (name: string) => medianOf(samples.get(name)!);
  const slow = () => names.filter((name) => pace(name) > (1 + slackShare) * (wanted[name] ?? 0));
  let processes = 1;
  for (; processes < processesMax && (processes < processesMin || slow().length > 0); processes++) {
    const only = processes < processesMin ? [] : slow();
    for (const [name, ratio] of Object.entries(measureOnce(only).ratios)) samples.get(name)!.push(ratio);
  }
  const lines = slow().map((name) => {
    const [now, before] = [pace(name), wanted[name] ?? 0];
    return before === 0
      ? `"${name}" has no baseline: "node benchmarks/ratios.ts --write" makes one`
      : `"${name}" takes ${now.toFixed(3)} of its yardstick where ${before.toFixed(3)} is the baseline: ${(100 * (now / before - 1)).toFixed(0)} % worse, 10 % are allowed`;
  });
  const gone = missing
    .filter((name) => !names.includes(name))
    .map((name) => `"${name}" is in the baseline and is not measured`);
  const output = [...lines, ...gone].join('\n');
  const worst = Math.max(...names.map((name) => pace(name) / (wanted[name] ?? Number.NaN)));
  return {
    ok: names.length > 0 && output === '',
    summary: `${names.length} ratios, ${lines.length + gone.length} worse or missing; worst ${worst.toFixed(2)} × its baseline, median of up to ${processes} processes`,
    output: names.length === 0 ? 'Nothing was measured.' : output,
    figures: { checked: names.length, worst },
  };
}

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
