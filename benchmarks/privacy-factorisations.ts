// Which factorisation the noise of DP-FTRL should have: error of prefix sums at one privacy, and vectors kept between rounds.
// Usage: node benchmarks/privacy-factorisations.ts [--write]. Nothing is drawn: every figure is computed. Trees and banded
// noise are the code that runs; the buffered linear Toeplitz matrix (BLT, McMahan, Xu and Zhang 2024) exists here alone, its
// buffers fitted to each setting by a seeded search. `--write` puts the table into docs/explanation/privacy.md.
import process from 'node:process';
import { STRATEGIES } from '../src/core/privacy/ftrl/index.ts';
import { createRng } from '../src/core/random/rng.ts';
import { intoPage } from './into-page.ts';

/** Rounds, rounds at most of one client, and rounds from one to its next. */
const settings = [
  [40, 4, 10],
  [200, 20, 10],
  [200, 4, 50],
  [1000, 2, 500],
] as const;

type Row = { readonly name: string; readonly rmse: number; readonly last: number; readonly vectors: number };

/** Root mean square over rounds, and the last round's deviation, of the noise in the prefix sum at noise multiplier 1. */
function errorOf(variances: readonly number[], sensitivity: number): { rmse: number; last: number } {
  const mean = variances.reduce((sum, one) => sum + one, 0) / variances.length;
  return { rmse: sensitivity * Math.sqrt(mean), last: sensitivity * Math.sqrt(variances.at(-1)!) };
}

function running(
  name: string,
  [steps, max, period]: (typeof settings)[number],
  { bands = 1, restartEvery = 0 }: { readonly bands?: number; readonly restartEvery?: number },
): Row {
  const id = name.startsWith('tree') ? 'tree' : 'banded';
  const strategy = STRATEGIES[id]({ steps, max, separation: period - 1, restartEvery, bands });
  const each = Array.from({ length: steps }, (_, leaf) => strategy.variancesAt(leaf).prefix);
  // A tree that begins anew adds the whole trees before it.
  const whole = restartEvery === 0 ? 0 : each[restartEvery - 1]!;
  const variances = each.map((one, leaf) => one + (restartEvery === 0 ? 0 : Math.floor(leaf / restartEvery) * whole));
  // The banded values are 1/32 integers: the unit cancels between noise and sensitivity.
  const height = Math.ceil(Math.log2(restartEvery === 0 ? steps : restartEvery));
  const vectors = id === 'tree' ? 2 * height : 2 * (bands - 1);
  return { name, ...errorOf(variances, Math.sqrt(strategy.sensitivitySquare())), vectors };
}

/** c_0 = 1, c_j = Σ ω λ^{j−1}: the noise of all rounds in as many vectors as there are buffers. */
function coefficients(buffers: readonly (readonly [scale: number, decay: number])[], steps: number): Float64Array {
  const c = new Float64Array(steps);
  c[0] = 1;
  for (const [scale, decay] of buffers) {
    for (let j = 1, term = scale; j < steps; j++, term *= decay) c[j]! += term;
  }
  return c;
}

function toeplitzError(c: Float64Array, [steps, max, period]: (typeof settings)[number]) {
  const inverse = new Float64Array(steps);
  const variances: number[] = [];
  let [prefix, variance] = [0, 0];
  for (let i = 0; i < steps; i++) {
    let rest = i === 0 ? 1 : 0;
    for (let j = 1; j <= i; j++) rest -= c[j]! * inverse[i - j]!;
    inverse[i] = rest;
    prefix += rest;
    variance += prefix * prefix;
    variances.push(variance);
  }
  // Columns that fall and are not negative: the worst client takes part as early and as often as it may.
  let square = 0;
  for (let row = 0; row < steps; row++) {
    let sum = 0;
    for (let k = 0; k < max && k * period <= row; k++) sum += c[row - k * period]!;
    square += sum * sum;
  }
  return errorOf(variances, Math.sqrt(square));
}

function buffered(count: number, setting: (typeof settings)[number]): Row {
  const [steps] = setting;
  const rng = createRng(count).child('blt', steps);
  const at = (point: readonly number[]) =>
    Array.from({ length: count }, (_, i) => [Math.exp(point[2 * i]!), 1 / (1 + Math.exp(-point[2 * i + 1]!))] as const);
  const scoreOf = (point: readonly number[]) => {
    const c = coefficients(at(point), steps);
    const falls = c.every((value, j) => j === 0 || value <= c[j - 1]!);
    return falls ? toeplitzError(c, setting).rmse : Infinity;
  };
  let best: readonly number[] = [];
  let least = Infinity;
  for (let start = 0; start < 4; start++) {
    let point = Array.from({ length: 2 * count }, (_, k) =>
      k % 2 === 0 ? Math.log(0.4 / count) + rng.gaussian() * 0.3 : rng.gaussian() + 3 * ((k - 1) / (2 * count)),
    );
    let score = scoreOf(point);
    for (let width = 1, tries = 0; tries < 700; tries++) {
      const next = point.map((value) => value + width * rng.gaussian() * (rng.float() < 0.5 ? 1 : 0));
      const found = scoreOf(next);
      if (found < score) [point, score, width] = [next, found, Math.min(2, width * 1.5)];
      else width = Math.max(1e-3, width * 0.97);
    }
    if (score < least) [best, least] = [point, score];
  }
  const { rmse, last } = toeplitzError(coefficients(at(best), steps), setting);
  return { name: `BLT, ${count} buffers`, rmse, last, vectors: count };
}

const lines = [
  '| rounds, of a client, from one to the next | noise | error, mean | error, last | vectors |',
  '| --- | --- | --- | --- | --- |',
];
for (const setting of settings) {
  const [steps, max, period] = setting;
  const rows = [
    running('tree', setting, {}),
    ...(steps <= 200 ? [running('tree, anew every 16', setting, { restartEvery: 16 })] : []),
    ...[3, 5, 16, Math.min(period, steps)]
      .filter((bands, i, all) => bands <= period && all.indexOf(bands) === i)
      .map((bands) => running(`banded, ${bands}`, setting, { bands })),
    ...[2, 3, 4].map((count) => buffered(count, setting)),
  ];
  for (const [i, { name, rmse, last, vectors }] of rows.entries()) {
    const which = i === 0 ? `${steps}, ${max}, ${period}` : '';
    lines.push(`| ${[which, name, rmse.toFixed(2), last.toFixed(2), vectors].join(' | ')} |`);
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
if (process.argv.includes('--write')) intoPage('docs/explanation/privacy.md', 'factorisations', lines.join('\n'));
