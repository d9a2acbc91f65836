// Sampled Laplace noise when a record is replaced: against sums over a fine grid of outcomes, and over all pairs of records.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epsilon, epsilonInterval } from '../accounting/epsilon.ts';

const mixed = (q: number, b: number, x: number) => (y: number) =>
  ((1 - q) * Math.exp(-Math.abs(y) / b) + q * Math.exp(-Math.abs(y - x) / b)) / (2 * b);

/** Outcomes of one release as cells of a grid: those with one loss, beyond ±1, are one each. */
function outcomes(q: number, b: number, cells: number) {
  const [p, r] = [mixed(q, b, 1), mixed(q, b, -1)];
  const step = 2 / cells;
  const inner = Array.from({ length: cells }, (_, i) => -1 + (i + 0.5) * step).map((y) => [p(y) * step, r(y) * step]);
  const tail = (x: number) => ((1 - q) * Math.exp(-1 / b) + q * Math.exp(-(1 - x) / b)) / 2;
  return [...inner, [tail(1), tail(-1)], [tail(-1), tail(1)]] as [number, number][];
}

/** δ of one or two releases at ε. */
function deltaOf(all: readonly [number, number][], steps: number, eps: number): number {
  let sum = 0;
  for (const [p, r] of all) {
    if (steps === 1) sum += Math.max(0, p - Math.exp(eps) * r);
    else for (const [p2, r2] of all) sum += Math.max(0, p * p2 - Math.exp(eps) * r * r2);
  }
  return sum;
}

test('ε of sampled Laplace noise under replace-one is that of the sums over its outcomes, for one release and for two', () => {
  for (const [b, q, steps, delta] of [
    [1, 0.3, 1, 0.05],
    [0.4, 0.7, 1, 0.01],
    [5, 0.05, 1, 1e-3],
    [1, 0.3, 2, 0.05],
    [2, 0.5, 2, 0.01],
  ] as const) {
    const all = outcomes(q, b, steps === 1 ? 50_000 : 400);
    let [low, high] = [0, 2 / b + 2];
    for (let i = 0; i < 30; i++) {
      const middle = (low + high) / 2;
      if (deltaOf(all, steps, middle) > delta) low = middle;
      else high = middle;
    }
    const found = epsilon({
      mechanism: 'laplace',
      noiseMultiplier: b,
      sampleRate: q,
      steps,
      delta,
      adjacency: 'replace-one',
    });
    const name = `b ${b}, q ${q}, T ${steps}: ${found.epsilon} for ${high}`;
    assert.ok(found.epsilon >= high - (steps === 1 ? 1e-7 : 3e-5) && found.epsilon < high + 2e-4, name);
    assert.ok(found.epsilon <= steps * (Math.log1p(q * Math.expm1(1 / b)) - Math.log1p(q * Math.expm1(-1 / b))));
  }
});

test('no two records that move the number by at most 1 differ more than 1 and −1', () => {
  const [b, q] = [0.7, 0.4];
  const grid = Array.from({ length: 3000 }, (_, i) => -8 + (16 * (i + 0.5)) / 3000);
  for (const eps of [0, 0.05, 0.3, 1, -0.2]) {
    const at = (x: number, other: number) => {
      const [p, r] = [mixed(q, b, x), mixed(q, b, other)];
      return grid.reduce((sum, y) => sum + Math.max(0, p(y) - Math.exp(eps) * r(y)), 0) * (16 / 3000);
    };
    const worst = at(1, -1);
    for (let x = -1; x <= 1; x += 0.25) {
      for (let other = -1; other <= 1; other += 0.25) assert.ok(at(x, other) <= worst + 1e-6, `${eps}: ${x}, ${other}`);
    }
  }
});

test('nearly everybody in the sample is nearly no sampling; it grows with q, and an interval holds it; hardly any noise is no trouble', () => {
  const step = { mechanism: 'laplace', noiseMultiplier: 2, steps: 20, delta: 1e-5, adjacency: 'replace-one' } as const;
  const all = epsilon({ ...step, sampleRate: 1 }).epsilon;
  const most = epsilon({ ...step, sampleRate: 0.99999 }).epsilon;
  assert.ok(most <= all + 1e-3 && most > all - 2e-3, `${most} of ${all}`);
  const rates = [0.01, 0.1, 0.4, 0.9].map((sampleRate) => epsilon({ ...step, sampleRate }).epsilon);
  assert.ok(
    rates.every((value, i) => i === 0 || value > rates[i - 1]!),
    rates.join(),
  );
  // Less than twice what leaving out costs is possible; more than removing alone costs it is.
  const removed = epsilon({ ...step, adjacency: 'add-or-remove-one', sampleRate: 0.1 }).epsilon;
  assert.ok(rates[1]! > removed && rates[1]! < 2.5 * removed, `${rates[1]}, ${removed}`);
  const { lower, upper } = epsilonInterval({ ...step, sampleRate: 0.1 });
  assert.ok(lower <= rates[1]! && rates[1]! <= upper + 1e-12 && upper - lower < 5e-3, `${lower} to ${upper}`);
  const loud = epsilon({ ...step, noiseMultiplier: 1e-3, steps: 1, sampleRate: 0.3 });
  assert.ok(Math.abs(loud.pld - (1000 + Math.log(0.3) - Math.log(0.7))) < 1e-2, `${loud.pld}`);
});

test('a replaced group without sampling is a Gaussian of twice its size; sampled ones are refused with the nearest that is accounted for', () => {
  const group = { mechanism: 'gaussian-group', noiseMultiplier: 20, groupSize: 3, steps: 5, delta: 1e-6 } as const;
  const plain = { noiseMultiplier: 20 / 3, sampleRate: 1, steps: 5, delta: 1e-6, adjacency: 'replace-one' } as const;
  assert.equal(epsilon({ ...group, sampleRate: 1, adjacency: 'replace-one' }).epsilon, epsilon(plain).epsilon);
  assert.throws(
    () => epsilon({ ...group, sampleRate: 0.1, adjacency: 'replace-one' }),
    /sampleRate of gaussian-group must be 1 under replace-one, .* \(nearest: sampleRate 1, or adjacency add-or-remove-one\): current value is 0\.1/,
  );
});
