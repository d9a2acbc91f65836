// Accountant benchmark: the outside vectors' subsampled Gaussians and as many neighbours of them; then how many samples of
// noise a core draws in a second. Usage: privacy.ts [--json]
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { epsilon } from '../src/core/privacy/index.ts';
import { samplerRates, samplesWanted } from './privacy/samplers.ts';

type Point = {
  readonly noise_multiplier: number;
  readonly sampling_probability: number;
  readonly steps: number;
  readonly delta: number;
  readonly expected_epsilon?: number;
  readonly must_not_be_below?: number;
};

const GRID: readonly Point[] = [0.7, 1, 2, 4].flatMap((sigma) =>
  [0.001, 0.01, 0.1, 0.5, 1].flatMap((q) =>
    [100, 2000].map((steps) => ({ noise_multiplier: sigma, sampling_probability: q, steps, delta: 1e-6 })),
  ),
);

function outsidePoints(): readonly Point[] {
  const shared = process.env.QFLARE_SHARED ?? join(import.meta.dirname, '../../shared');
  const path = join(shared, 'vectors/robust-dp.json');
  if (!existsSync(path)) {
    process.stderr.write(`no outside vectors at ${path}: timing a grid only\n`);
    return [];
  }
  return JSON.parse(readFileSync(path, 'utf8')).accountants.poisson_subsampled_gaussian.rows;
}

function run(point: Point) {
  const start = performance.now();
  const { noise_multiplier: noiseMultiplier, sampling_probability: sampleRate, steps, delta } = point;
  const report = epsilon({ noiseMultiplier, sampleRate, steps, delta });
  const milliseconds = performance.now() - start;
  const { expected_epsilon: expected, must_not_be_below: floor } = point;
  return {
    noiseMultiplier,
    sampleRate,
    steps,
    delta,
    epsilon: report.epsilon,
    rdp: report.rdp,
    milliseconds,
    ...(expected === undefined ? {} : { error: report.epsilon - expected }),
    ...(floor === undefined ? {} : { isSound: report.epsilon >= floor }),
  };
}

const outside = outsidePoints();
const points = [...outside, ...GRID.slice(0, Math.max(44 - outside.length, 0))];
const before = process.cpuUsage();
const rows = points.map(run);
const used = process.cpuUsage(before);
const summary = {
  points: rows.length,
  checked: outside.length,
  seconds: rows.reduce((sum, row) => sum + row.milliseconds, 0) / 1000,
  cpuSeconds: (used.user + used.system) / 1e6,
  errorMax: Math.max(0, ...rows.map((row) => Math.abs(row.error ?? 0))),
  belowFloor: rows.filter((row) => row.isSound === false).length,
};
const samplers = samplerRates();

if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ ...summary, samplers, rows })}\n`);
} else {
  for (const row of rows) {
    const error = row.error === undefined ? '' : `  error ${row.error.toExponential(1)}`;
    process.stdout.write(
      `σ ${row.noiseMultiplier}  q ${row.sampleRate}  T ${row.steps}  δ ${row.delta}  ε ${row.epsilon.toFixed(5)}  RDP ${row.rdp.toFixed(4)}  ${row.milliseconds.toFixed(1)} ms${error}\n`,
    );
  }
  process.stdout.write(
    `${summary.points} points in ${summary.seconds.toFixed(2)} s (CPU ${summary.cpuSeconds.toFixed(2)} s); ${summary.checked} against outside vectors: largest error ${summary.errorMax.toExponential(1)}, ${summary.belowFloor} below the floor\n`,
  );
  for (const { sampler, perSecond } of samplers) {
    process.stdout.write(`${sampler}: ${(perSecond / 1e6).toFixed(2)} million samples a second and core\n`);
  }
}
if (samplers.some(({ sampler, perSecond }) => sampler.startsWith('discrete Gaussian') && perSecond < samplesWanted)) {
  process.exitCode = 1;
}
if (summary.belowFloor > 0 || summary.errorMax > 1e-3) process.exitCode = 1;
