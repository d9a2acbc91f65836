// The kernels where work is cut into chunks, lanes and tiles: bits, places, and numbers that outgrow float32 squares.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnRule, Compute } from '../../ports/compute.ts';
import { createRng } from '../random/rng.ts';
import { createArena } from './arena.ts';
import { createChunkRunner } from './chunk-runner.ts';
import type { ChunkResult, ChunkTask } from './chunk-task.ts';
import { createReferenceCompute } from './reference.ts';
import { createChunkedCompute, createWasmCompute } from './wasm.ts';

const plain = createReferenceCompute();
const fast = createWasmCompute();
const rowsOf = (n: number, d: number, seed: number) => {
  const rng = createRng(seed);
  return Array.from({ length: n }, () => Float32Array.from({ length: d }, () => rng.gaussian()));
};

/** Three lanes over one memory, whose answers come in another order than they were asked for. */
function threeLanes(): Compute & { readonly tasks: ChunkTask[] } {
  const arena = createArena();
  const runner = createChunkRunner(arena.memory);
  const tasks: ChunkTask[] = [];
  const run = (lane: number, task: ChunkTask): Promise<ChunkResult> => {
    tasks.push(task);
    const turns = lane === 0 ? 7 : 2 - lane;
    return new Promise((resolve) => {
      const wait = (left: number): void =>
        void (left === 0 ? resolve(runner(task)) : setImmediate(() => wait(left - 1)));
      wait(turns);
    });
  };
  return Object.assign(createChunkedCompute(arena, { name: 'lanes', lanes: 3, run }), { tasks });
}

test('three lanes give the bits of one, over three chunks, whoever is done first', async () => {
  const d = 32768 * 2 + 77;
  const rows = Array.from({ length: 130 }, (_, i) =>
    Float32Array.from({ length: d }, (_, k) => ((k * 7 + i * 13) % 97) / 97 - 0.4),
  );
  const lanes = threeLanes();
  const weights = Float64Array.from({ length: 130 }, (_, i) => (i % 7) / 100);
  assert.deepEqual(await lanes.star(rows, rows[3]!), await fast.star(rows, rows[3]!));
  // Three chunks of the rows, and one for the norm of the reference.
  assert.deepEqual([lanes.tasks.length, lanes.tasks[2]!.count], [4, 80]);
  const [one, three] = [
    await fast.combine(rows, weights, { dots: true }),
    await lanes.combine(rows, weights, { dots: true }),
  ];
  assert.deepEqual(three, one);
  const truth = await plain.combine(rows, weights, { dots: false });
  for (const k of [0, 32767, 32768, 65536, d - 1])
    assert.ok(Math.abs(one.vector[k]! - truth.vector[k]!) < 1e-5, `column ${k}`);
  const scales = Float64Array.from(rows, (_, i) => 1 - (i % 2) / 4);
  assert.deepEqual(await lanes.distances(rows, weights, scales), await fast.distances(rows, weights, scales));
  rows[129]![d - 1] = Number.NaN;
  assert.deepEqual((await lanes.combine(rows, weights, { dots: false })).nonFinite, [129]);
});

test('rows in place begin empty again after others were given back, and vectors are written where they live', async () => {
  const first = fast.allocate(3, 100);
  for (const row of first.rows) row.fill(9);
  first.release();
  const second = fast.allocate(3, 100);
  assert.ok(second.rows.every((row) => row.length === 100 && row.every((value) => value === 0)));
  second.rows.forEach((row, i) => row.fill(i + 1));
  const {
    rows: [home],
  } = fast.allocate(1, 100);
  const weights = Float64Array.of(1, 1, 2);
  const there = await fast.combine(second.rows, weights, { dots: false, into: home });
  assert.equal(there.vector, home);
  assert.ok(home!.every((value) => value === 9));
  const elsewhere = new Float32Array(100);
  await fast.combine(second.rows, weights, { dots: false, into: elsewhere });
  assert.deepEqual([...elsewhere], [...home!]);
  // Rows of 1 MiB lie off multiples of 4096 bytes, where they would fight for the same cache sets.
  const large = fast.allocate(2, 1024).rows;
  const pitch = large[1]!.byteOffset - large[0]!.byteOffset;
  assert.deepEqual([pitch, pitch % 64], [4096 + 320, 0]);
  assert.deepEqual(fast.allocate(1, 0).rows[0]!.length, 0);
});

const rules: readonly ColumnRule[] = [
  { kind: 'ranks', low: 40, high: 91 },
  { kind: 'nearest', keep: 70, low: 64, high: 66 },
  { kind: 'nearest', keep: 2, low: 65, high: 66 },
];

test('131 rows, sorted by a list of comparators: one column whose values are equally near changes nothing else', async () => {
  const rows = rowsOf(131, 64, 2);
  // Column 22 (the third lane of the sixth vector): whole numbers, all of them twice, so that many are equally near.
  rows.forEach((row, i) => {
    row[22] = (i % 66) - 33;
  });
  for (const rule of rules) {
    const [actual, wanted] = [
      await fast.columns(rows, null, rule, { dots: false }),
      await plain.columns(rows, null, rule, { dots: false }),
    ];
    for (let k = 0; k < 64; k++) {
      const error = Math.abs(actual.vector[k]! - wanted.vector[k]!);
      assert.ok(error <= (k === 22 ? 0 : 2e-6), `${JSON.stringify(rule)} column ${k}: off by ${error}`);
    }
    rows[77]![22] = 3e38;
    const { vector } = await fast.columns(rows, null, rule, { dots: false });
    assert.ok(Math.abs(vector[22]! - (await plain.columns(rows, null, rule, { dots: false })).vector[22]!) < 1e-6);
    rows[77]![22] = (77 % 66) - 33;
  }
});

test('more rows than stream in place, uneven rows and rows that lie downwards give the same columns', async () => {
  const rule: ColumnRule = { kind: 'ranks', low: 1, high: 3 };
  for (const n of [4, 49]) {
    const block = fast.allocate(n + 1, 40).rows;
    rowsOf(n + 1, 40, n).forEach((row, i) => block[i]!.set(row));
    const orders: readonly (readonly Float32Array[])[] = [
      block.slice(0, n),
      block.toReversed().slice(0, n),
      [block[n]!, ...block.slice(0, n - 1)],
    ];
    for (const rows of orders) {
      const actual = await fast.columns(rows, null, rule, { dots: true });
      const wanted = await plain.columns(rows, null, rule, { dots: true });
      for (let k = 0; k < 40; k++)
        assert.ok(Math.abs(actual.vector[k]! - wanted.vector[k]!) < 1e-6, `${n} rows, column ${k}`);
      for (let i = 0; i < n; i++)
        assert.ok(Math.abs(actual.dots![i]! - wanted.dots![i]!) < 1e-5, `${n} rows, dot ${i}`);
    }
  }
  const single = await fast.columns([Float32Array.of(3, 4)], null, { kind: 'ranks', low: 0, high: 1 }, { dots: true });
  assert.deepEqual([[...single.vector], [...single.dots!]], [[3, 4], [25]]);
});

test('norms, products and distances are right where their squares leave float32, above and below', async () => {
  const near = (actual: ArrayLike<number>, wanted: ArrayLike<number>, name: string) => {
    for (let i = 0; i < wanted.length; i++)
      assert.ok(
        Math.abs(actual[i]! - wanted[i]!) <= 2e-6 * Math.abs(wanted[i]!),
        `${name} ${i}: ${actual[i]}, not ${wanted[i]}`,
      );
  };
  for (const size of [2e30, 3e-25, 1]) {
    const rows = [
      [3, 4, 0],
      [1, -2, 2],
      [5, 5, 5],
    ].map((row) => Float32Array.from(row, (value) => value * size));
    const reference = Float32Array.from([2, 1, 1], (value) => value * size);
    const [actual, wanted] = [await fast.star(rows, reference), await plain.star(rows, reference)];
    near(actual.norms2, wanted.norms2, 'norm');
    near(actual.referenceDots!, wanted.referenceDots!, 'product');
    near(actual.referenceDistances2!, wanted.referenceDistances2!, 'distance');
    near([actual.referenceNorm2], [wanted.referenceNorm2], 'norm of the reference');
    near((await fast.star(rows, null)).norms2, wanted.norms2, 'norm by itself');
    const weights = Float64Array.of(0.5, 0.25, 0);
    const [sum, truth] = [
      await fast.combine(rows, weights, { dots: true }),
      await plain.combine(rows, weights, { dots: true }),
    ];
    near(sum.vector, truth.vector, 'sum');
    near(sum.norms2!, truth.norms2!, 'norm beside a sum');
    near(sum.dots!, truth.dots!, 'product with a sum');
    const scales = Float64Array.of(1, 0.5, 2);
    const [apart, exact] = [await fast.distances(rows, weights, scales), await plain.distances(rows, weights, scales)];
    near(apart.distances2, exact.distances2, 'distance to a sum');
    // The distance from a row to itself is nothing at any size.
    assert.equal((await fast.distances(rows, Float64Array.of(0, 1, 0), new Float64Array(3).fill(1))).distances2[1], 0);
    assert.equal((await fast.star(rows, rows[1]!)).referenceDistances2![1], 0);
  }
  // A sum that overflows on its way is taken again in float64: 3e38 + 3e38 − 3e38.
  const top = [Float32Array.of(3e38, 1), Float32Array.of(3e38, 2), Float32Array.of(-3e38, 4)];
  const { vector, nonFinite } = await fast.combine(top, Float64Array.of(1, 1, 1), { dots: false });
  assert.deepEqual([[...vector], nonFinite], [[Math.fround(3e38), 7], []]);
  const apart = await fast.distances(top, Float64Array.of(1, 1, 1), Float64Array.of(1, 1, 1));
  near(apart.distances2, [36, 25, 3.6e77], 'distances to the second try');
  const infinite = [Float32Array.of(1, 2), Float32Array.of(Infinity, 1)];
  assert.deepEqual((await fast.distances(infinite, Float64Array.of(1, 0), Float64Array.of(1, 1))).nonFinite, [1]);
  const weighed = await fast.combine(top, Float64Array.of(1, 1, 1), { dots: true });
  near(weighed.dots!, [9e76 + 7, 9e76 + 14, -9e76 + 28], 'dots of the second try');
});

test('a Gram pass over several blocks, for numbers of rows that do and do not fill blocks of three', async () => {
  for (const n of [1, 2, 3, 4]) {
    const rows = rowsOf(n, 4096 + 1024 + 24, n);
    const [actual, wanted] = [await fast.gram(rows), await plain.gram(rows)];
    const dots = ({ centred, centreDots, centreNorm2 }: typeof actual) =>
      Array.from(centred, (value, at) => value + centreDots[Math.floor(at / n)]! + centreDots[at % n]! + centreNorm2);
    const truth = dots(wanted);
    dots(actual).forEach((value, at) =>
      assert.ok(Math.abs(value - truth[at]!) < 1e-5 * 5144, `${n} rows, ${at}: ${value}`),
    );
    assert.deepEqual([actual.centred.length, actual.centreDots.length], [n * n, n]);
  }
  const broken = await fast.gram([Float32Array.of(1, 2), Float32Array.of(Infinity, 1)]);
  assert.deepEqual([broken.centred.length, broken.centreDots.length, broken.nonFinite], [4, 2, [1]]);
});

test('rows that are read range by range give what rows in memory give', async () => {
  const rows = rowsOf(3, 1000, 5);
  const spooled = rows.map((row) => ({
    length: 1000,
    read: async (start: number, target: Float32Array) => void target.set(row.subarray(start, start + target.length)),
  }));
  const weights = Float64Array.of(0.2, 0.3, 0.5);
  assert.deepEqual(
    await fast.combine(spooled, weights, { dots: true }),
    await fast.combine(rows, weights, { dots: true }),
  );
  assert.deepEqual(await fast.signs(spooled), await plain.signs(rows));
  const doubles = rows.map((row) => Float64Array.from(row));
  assert.ok((await fast.combine(doubles, weights, { dots: false })).vector instanceof Float64Array);
});
