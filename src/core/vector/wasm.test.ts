import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnRule, Compute, Mixing, Vector } from '../../ports/compute.ts';
import { createRng } from '../random/rng.ts';
import { createReferenceCompute } from './reference.ts';
import { createWasmCompute } from './wasm.ts';

const plain = createReferenceCompute();
const fast = createWasmCompute();

/** Rows around a common vector, at home in the fast kernels' memory or not, with zeros and equal values among them. */
function randomRows(seed: number, n: number, d: number, compute: Compute | null, spread = 1): readonly Float32Array[] {
  const rng = createRng(seed).child('rows');
  const rows = compute?.allocate(n, d).rows ?? Array.from({ length: n }, () => new Float32Array(d));
  for (let k = 0; k < d; k++) {
    const common = rng.gaussian();
    for (const row of rows) row[k] = rng.below(20) === 0 ? 0 : common + spread * rng.gaussian();
  }
  return rows;
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  let scale = 0;
  for (let k = 0; k < expected.length; k++) scale = Math.max(scale, Math.abs(expected[k]!));
  for (let k = 0; k < expected.length; k++) {
    const error = Math.abs(actual[k]! - expected[k]!);
    assert.ok(error <= tolerance * scale, `${what}[${k}]: ${actual[k]} is not ${expected[k]}`);
  }
}

const shapes = [
  [1, 1],
  [2, 7],
  [3, 64],
  [5, 1025],
  [10, 9000],
  [11, 333],
  [33, 2050],
  [100, 1500],
  [129, 70],
  [200, 97],
] as const;

function rulesFor(n: number): ColumnRule[] {
  const f = Math.floor((n - 1) / 3);
  const [low, high] = [(n - 1) >> 1, (n >> 1) + 1];
  return [
    { kind: 'ranks', low, high },
    { kind: 'ranks', low: f, high: n - f },
    { kind: 'nearest', keep: n - f, low, high },
    { kind: 'sign-majority' },
    { kind: 'sign-flip', threshold: Math.ceil(n / 2) },
  ];
}

for (const [n, d] of shapes) {
  for (const home of [fast, null]) {
    const where = home === null ? 'rows from elsewhere' : 'rows in place';
    test(`wasm kernels equal the plain ones for ${n} × ${d}, ${where}`, async () => {
      const rows = randomRows(n * 1000 + d, n, d, home);
      const reference = randomRows(7, 1, d, null)[0]!;
      const [gram, gramPlain] = [await fast.gram(rows), await plain.gram(rows)];
      assertClose(distances(gram.centred, n), distances(gramPlain.centred, n), 1e-6, 'distances');
      assertClose(dots(gram, n), dots(gramPlain, n), 1e-6, 'dots');
      const [star, starPlain] = [await fast.star(rows, reference), await plain.star(rows, reference)];
      assertClose(star.norms2, starPlain.norms2, 1e-6, 'norms');
      assertClose(star.referenceDots!, starPlain.referenceDots!, 1e-5, 'products');
      assertClose(star.referenceDistances2!, starPlain.referenceDistances2!, 1e-6, 'distances to the reference');
      assert.deepEqual(await fast.signs(rows), await plain.signs(rows));
      const weights = Float64Array.from({ length: n }, (_, i) => (i + 1) / (n * n));
      await compareOutputs(rows, (compute) => compute.combine(rows, weights, { dots: true }), 'combine');
      const scales = Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0.25 : 1));
      const apart = await Promise.all([fast, plain].map((compute) => compute.distances(rows, weights, scales)));
      assertClose(apart[0]!.distances2, apart[1]!.distances2, 1e-6, 'distances to a sum');
      for (const rule of rulesFor(n)) {
        await compareOutputs(
          rows,
          (compute) => compute.columns(rows, null, rule, { dots: true }),
          JSON.stringify(rule),
        );
      }
      const mixing = nearestMixing(n);
      for (const rule of rulesFor(n).slice(0, 2)) {
        await compareOutputs(
          rows,
          (compute) => compute.columns(rows, mixing, rule, { dots: true }),
          `mixed ${rule.kind}`,
        );
      }
    });
  }
}

async function compareOutputs(
  rows: readonly Float32Array[],
  run: (compute: Compute) => ReturnType<Compute['combine']>,
  what: string,
): Promise<void> {
  const [actual, expected] = [await run(fast), await run(plain)];
  assertClose(actual.vector, expected.vector, 2e-6, what);
  assert.ok(!actual.vector.some((value) => Object.is(value, -0)), `${what} gives no negative zero`);
  assertClose(actual.norms2!, expected.norms2!, 1e-6, `${what}: norms`);
  assertClose(actual.dots!, expected.dots!, 1e-5 * Math.sqrt(rows.length), `${what}: dots`);
  assert.deepEqual(actual.nonFinite, []);
}

function distances(gram: Float64Array, n: number): number[] {
  return Array.from(gram, (value, at) => gram[Math.floor(at / n) * (n + 1)]! + gram[(at % n) * (n + 1)]! - 2 * value);
}

function dots(pass: Awaited<ReturnType<Compute['gram']>>, n: number): number[] {
  const b = pass.centreDots;
  return Array.from(pass.centred, (value, at) => value + b[Math.floor(at / n)]! + b[at % n]! + pass.centreNorm2);
}

function nearestMixing(n: number): Mixing {
  const matrix = new Float64Array(n * n);
  const keep = Math.ceil((2 * n) / 3);
  for (let a = 0; a < n; a++) for (let i = 0; i < keep; i++) matrix[a * n + ((a + i) % n)] = 1 / keep;
  return { count: n, matrix };
}

test('a Gram pass keeps distances of raw weights that differ by 0.2 % to 1e-6', async () => {
  const rows = randomRows(3, 20, 5000, fast, 0.002).map((row) => row);
  for (const row of rows) for (let k = 0; k < row.length; k++) row[k]! += 1;
  const [actual, expected] = [await fast.gram(rows), await plain.gram(rows)];
  assertClose(distances(actual.centred, 20), distances(expected.centred, 20), 1e-6, 'distances');
});

test('one row of 1e30 leaves the distances of the others as they are', async () => {
  const rows = randomRows(4, 12, 3000, fast, 0.1);
  const before = distances((await fast.gram(rows)).centred, 12);
  rows[5]!.fill(1e30);
  const after = distances((await fast.gram(rows)).centred, 12);
  for (let i = 0; i < 12; i++) {
    for (let j = 0; j < 12; j++) {
      if (i === 5 || j === 5) continue;
      assert.ok(Math.abs(after[i * 12 + j]! - before[i * 12 + j]!) <= 2e-6 * before[1]!);
    }
  }
  const expected = distances((await plain.gram(rows)).centred, 12);
  assertClose(after, expected, 5e-6, 'distances with the huge row');
});

const extremes = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
for (const [n, d] of [
  [4, 100],
  [10, 5000],
  [150, 40],
] as const) {
  test(`every pass over ${n} × ${d} names the rows that are not finite`, async () => {
    for (const [index, value] of extremes.entries()) {
      const rows = randomRows(5 + index, n, d, fast);
      rows[3]![d - 1 - index] = value;
      const weights = new Float64Array(n).fill(1 / n);
      assert.deepEqual((await fast.gram(rows)).nonFinite, [3]);
      assert.deepEqual((await fast.star(rows, null)).nonFinite, [3]);
      assert.deepEqual((await fast.star(rows, rows[0]!)).nonFinite, [3]);
      assert.deepEqual((await fast.combine(rows, weights, { dots: false })).nonFinite, [3]);
      for (const rule of rulesFor(n)) {
        assert.deepEqual((await fast.columns(rows, null, rule, { dots: false })).nonFinite, [3], JSON.stringify(rule));
      }
    }
  });
}

test('finite values at the ends of float32 give finite results', async () => {
  for (const size of [3e38, 1e-30]) {
    const rows = randomRows(9, 8, 50, fast).map((row, i) =>
      row.map((value, k) => (i < 6 ? Math.sign(value || 1) * size : k)),
    );
    const weights = new Float64Array(8).fill(1 / 8);
    await compareOutputs(rows, (compute) => compute.combine(rows, weights, { dots: true }), 'combine');
    for (const rule of rulesFor(8)) {
      await compareOutputs(rows, (compute) => compute.columns(rows, null, rule, { dots: true }), JSON.stringify(rule));
    }
    const [star, expected] = [await fast.star(rows, null), await plain.star(rows, null)];
    for (const [i, value] of expected.norms2.entries()) assert.ok(Math.abs(star.norms2[i]! / value - 1) < 1e-6);
  }
});

test('equally near values go to the lower row on both paths', async () => {
  const columns = [
    [7, 4, 1],
    [1, 4, 7],
  ] as const;
  for (const values of columns) {
    const rows: Vector[] = values.map((value) => Float32Array.of(value));
    const rule: ColumnRule = { kind: 'nearest', keep: 2, low: 1, high: 2 };
    for (const compute of [fast, plain]) {
      const { vector } = await compute.columns(rows, null, rule, { dots: false });
      assert.equal(vector[0], (values[0] + values[1]) / 2);
    }
  }
});
