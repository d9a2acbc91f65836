// The parts of the kernels by hand: memory, centres, networks, code bytes, and the plain reference itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createArena } from './arena.ts';
import { centreMembers } from './centring.ts';
import { chunkWidth, columnTile, gramSize } from './chunk-task.ts';
import { columnValue, nearestMean } from './column-rules.ts';
import { createReferenceCompute } from './reference.ts';
import { createGraph, unsigned } from './simd-expression.ts';
import { sortingNetwork } from './sorting-network.ts';
import { eachTile, findNonFinite, isDouble, isHeld, isSpooled } from './tiles.ts';

test('createArena() takes the first hole that is large enough, and holes grow together', () => {
  const arena = createArena();
  const [a, b, c, d] = [100, 64, 200, 1].map((bytes) => arena.take(bytes)) as [number, number, number, number];
  // Whole blocks of 64 after the first page.
  assert.deepEqual([a, b, c, d], [65536, 65536 + 128, 65536 + 192, 65536 + 448]);
  arena.give(a);
  assert.equal(arena.take(129), d + 64, 'too large for the hole');
  assert.equal(arena.take(60), a, 'the beginning of the hole');
  assert.equal(arena.take(64), a + 64, 'the rest of the hole, exactly');
  arena.give(c);
  arena.give(b);
  assert.equal(arena.take(320), b, 'two neighbours are one hole');
  assert.throws(() => arena.give(a + 1), /must be taken: it is not/);
  arena.give(a);
  assert.throws(() => arena.give(a), RangeError);
});

test('createArena() gives the end back, grows by pages, and refuses more than 4 GiB without growing', () => {
  const arena = createArena();
  const first = arena.take(64);
  const second = arena.take(64);
  const third = arena.take(64);
  arena.give(second);
  arena.give(third);
  assert.equal(arena.take(1000), second, 'the end has come back to the first hole');
  const bytes = arena.memory.buffer.byteLength;
  assert.equal(bytes, 16 * 65536);
  const large = arena.take(bytes);
  assert.ok(arena.memory.buffer.byteLength >= large + bytes && arena.memory.buffer.byteLength < large + bytes + 65536);
  const grown = arena.memory.buffer.byteLength;
  assert.throws(() => arena.take(2 ** 32), /4 GiB at most/);
  assert.equal(arena.memory.buffer.byteLength, grown);
  arena.floats(large, 2).set([1.5, 2.5]);
  assert.deepEqual([...new Float32Array(arena.memory.buffer, large, 2)], [1.5, 2.5]);
  assert.equal(arena.doubles(large, 3).byteLength, 24);
  assert.deepEqual([arena.words(first, 4).byteLength, arena.bytes(first, 4).byteLength], [16, 4]);
});

test('centreMembers() are the first eight up to the lower median', () => {
  assert.deepEqual([...centreMembers(Float64Array.of(5, 1, 3, 2))], [0, 1, 0, 1]);
  assert.deepEqual([...centreMembers(Float64Array.of(9, 1, 3))], [0, 1, 1]);
  assert.deepEqual([...centreMembers(Float64Array.of(7))], [1]);
  assert.deepEqual([...centreMembers(new Float64Array(10).fill(2))], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  const many = Float64Array.from({ length: 40 }, (_, i) => 40 - i);
  assert.deepEqual(
    [...centreMembers(many)].flatMap((member, i) => (member ? [i] : [])),
    [20, 21, 22, 23, 24, 25, 26, 27],
  );
});

test('sizes of chunks, tiles and packed rows', () => {
  assert.deepEqual(
    [1, 2, 100, 128, 129, 1000].map(chunkWidth),
    [128, 64, 1, 1, 1, 1].map((k) => k * 32768),
  );
  assert.deepEqual([1, 64, 100, 200, 2048, 4000].map(columnTile), [1024, 1024, 640, 320, 32, 32]);
  assert.deepEqual([1, 2, 3, 5, 6].map(gramSize), [3, 3, 6, 6, 9]);
});

test('sortingNetwork() sorts every sequence of noughts and ones, hence everything', () => {
  for (let n = 1; n <= 11; n++) {
    const network = sortingNetwork(n);
    assert.ok(network.every(([low, high]) => low < high && high < n && low >= 0));
    for (let bits = 0; bits < 2 ** n; bits++) {
      const values = Array.from({ length: n }, (_, i) => (bits >> i) & 1);
      for (const [low, high] of network) {
        if (values[low]! > values[high]!) [values[low], values[high]] = [values[high]!, values[low]!];
      }
      assert.ok(
        values.every((value, i) => i === 0 || values[i - 1]! <= value),
        `${n} values, ${bits}`,
      );
    }
  }
  // Batcher's numbers of comparators.
  assert.deepEqual(
    [1, 2, 3, 4, 8, 16].map((n) => sortingNetwork(n).length),
    [0, 1, 3, 5, 19, 63],
  );
});

test('unsigned() is LEB128', () => {
  assert.deepEqual([0, 1, 127, 128, 300, 16384].map(unsigned), [[0], [1], [127], [128, 1], [0xac, 2], [128, 128, 1]]);
  assert.deepEqual(
    [unsigned(624485), unsigned(65536), unsigned(2 ** 32)],
    [
      [0xe5, 0x8e, 0x26],
      [128, 128, 4],
      [128, 128, 128, 128, 16],
    ],
  );
});

test('a graph shares equal parts, keeps a value that is used again in one local and gives that back', () => {
  const graph = createGraph();
  const [a, b] = [graph.row(0), graph.row(1)];
  assert.equal(graph.row(0), a);
  assert.equal(graph.binary('add', a, b), graph.binary('add', a, b));
  assert.notEqual(graph.binary('add', a, b), graph.binary('add', b, a));
  const sum = graph.binary('add', a, b);
  const root = graph.binary('mul', sum, sum);
  const bytes: number[] = [];
  let [taken, given, betweens] = [0, 0, 0];
  const emitter = {
    push: (...more: number[]) => void bytes.push(...more),
    takeLocal: () => 6 + taken++,
    giveLocal: () => void given++,
    loadRow: (row: number) => void bytes.push(1000 + row),
  };
  graph.emit([root, graph.unary('abs', a)], emitter, () => void betweens++);
  // Row 0 is kept in local 6 (tee 0x22) and the sum in local 7; both are read again (get 0x20) once.
  const wanted = [1000, 0x22, 6, 1001, 0xfd, 0xe4, 1, 0x22, 7, 0x20, 7, 0xfd, 0xe6, 1, 0x20, 6, 0xfd, 0xe0, 1];
  assert.deepEqual(bytes, wanted);
  assert.deepEqual([taken, given, betweens], [2, 2, 1]);
  // A tree of five is balanced: two and three.
  const rows = [0, 1, 2, 3, 4].map((i) => graph.row(i));
  const pair = (x: number, y: number) => graph.binary('add', x, y);
  const tree = pair(pair(rows[0]!, rows[1]!), pair(rows[2]!, pair(rows[3]!, rows[4]!)));
  assert.equal(graph.tree('add', rows), tree);
});

const value = (values: readonly number[], rule: Parameters<typeof columnValue>[2]) =>
  columnValue(Float64Array.from(values), new Float64Array(values.length), rule);

test('columnValue() by hand, also of many values and at the ends of the doubles', () => {
  assert.equal(value([5, -1, 3, 100, 2], { kind: 'ranks', low: 1, high: 4 }), 10 / 3);
  assert.equal(value([5, -1, 3, 100, 2], { kind: 'ranks', low: 2, high: 3 }), 3);
  assert.equal(value([5, -1, 3, 100, 2], { kind: 'nearest', keep: 2, low: 2, high: 3 }), 2.5);
  assert.equal(value([1, 5, 3], { kind: 'nearest', keep: 2, low: 1, high: 2 }), 2, 'the lower row of two as near');
  assert.deepEqual(
    [
      [1, -2, 3],
      [-1, -2, 3],
      [1, -1, 0],
    ].map((v) => value(v, { kind: 'sign-majority' })),
    [1, -1, 0],
  );
  // Sums of signs: 1 and 3, against a threshold of 2.
  assert.equal(value([4, 2, -3], { kind: 'sign-flip', threshold: 2 }), -1);
  assert.equal(value([4, 2, 3], { kind: 'sign-flip', threshold: 2 }), 3);
  assert.equal(value([4, 2, -3, 5], { kind: 'sign-flip', threshold: 2 }), 2, 'as many as the threshold are enough');
  const many = Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
  assert.equal(value(many, { kind: 'ranks', low: 0, high: 3 }), 1);
  assert.equal(value(many.slice(0, 64), { kind: 'ranks', low: 63, high: 64 }), Math.max(...many.slice(0, 64)));
  const huge = Number.MAX_VALUE;
  assert.equal(value([huge, -1, huge], { kind: 'ranks', low: 1, high: 3 }), huge);
  assert.equal(value([huge, huge / 2, huge, -huge], { kind: 'ranks', low: 0, high: 4 }), 0.375 * huge);
  assert.equal(nearestMean(Float64Array.of(huge, -huge, huge), huge, 2), huge);
  for (const rule of [
    { kind: 'ranks', low: 0, high: 2 },
    { kind: 'sign-flip', threshold: 9 },
  ] as const)
    assert.ok(Object.is(value([-0, 0], rule), 0), 'no negative zero');
});

const plain = createReferenceCompute();

test('the plain reference by hand: Gram, star, signs, weighted sums and mixed rows', async () => {
  const rows = [Float64Array.of(1, 2), Float64Array.of(3, -4), Float64Array.of(0, 1)];
  const gram = await plain.gram(rows);
  // Norms 5, 25, 1: the centre is the mean of rows 0 and 2.
  const centre = [0.5, 1.5];
  const apart = rows.map((row) => [...row].map((x, k) => x - centre[k]!));
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
  assert.deepEqual(
    [...gram.centred],
    apart.flatMap((a) => apart.map((b) => dot(a, b))),
  );
  assert.deepEqual(
    [...gram.centreDots],
    apart.map((a) => dot(a, centre)),
  );
  assert.deepEqual([gram.centreNorm2, gram.nonFinite], [2.5, []]);

  const star = await plain.star(rows, Float64Array.of(2, 1));
  assert.deepEqual([...star.norms2], [5, 25, 1]);
  assert.deepEqual([...star.referenceDots!], [4, 2, 1]);
  assert.deepEqual([...star.referenceDistances2!], [2, 26, 4]);
  assert.equal(star.referenceNorm2, 5);
  const alone = await plain.star(rows, null);
  assert.deepEqual([alone.referenceDots, alone.referenceDistances2, alone.referenceNorm2], [null, null, 0]);

  const signs = await plain.signs([Float32Array.of(1, -2, 0, 4), Float32Array.of(-0, -1, -1, -1)]);
  assert.deepEqual(
    [[...signs.positives], [...signs.negatives]],
    [
      [2, 0],
      [1, 3],
    ],
  );

  const sum = await plain.combine(rows, Float64Array.of(2, 0, -1), { dots: true });
  assert.deepEqual([...sum.vector], [2, 3]);
  assert.deepEqual([[...sum.norms2!], [...sum.dots!], sum.nonFinite], [[5, 25, 1], [8, -6, 3], []]);
  assert.deepEqual([(await plain.combine(rows, Float64Array.of(1, 1, 1), { dots: false })).norms2], [null]);
  const mixing = { count: 2, matrix: Float64Array.of(1, 0, 0, 0, 0.5, 0.5) };
  const mixed = await plain.columns(rows, mixing, { kind: 'ranks', low: 0, high: 2 }, { dots: true });
  assert.deepEqual([...mixed.vector], [1.25, 0.25]);
  assert.deepEqual([...mixed.dots!], [1.75, 2.75, 0.25]);
});

test('the plain reference names rows without a norm, keeps the precision of its input and writes where it is told', async () => {
  const bad = [
    Float64Array.of(1, 2),
    Float64Array.of(Number.NaN, 1),
    Float64Array.of(1e200, 0),
    Float64Array.of(0, -Infinity),
  ];
  assert.deepEqual((await plain.gram(bad)).nonFinite, [1, 2, 3]);
  assert.deepEqual((await plain.star(bad, null)).nonFinite, [1, 2, 3]);
  assert.deepEqual((await plain.combine(bad, new Float64Array(4), { dots: false })).nonFinite, [1, 2, 3]);
  assert.deepEqual(await findNonFinite(bad.slice(0, 1)), []);
  assert.deepEqual(await findNonFinite([Float64Array.of(0.9e150), Float64Array.of(1.1e150)]), [1]);
  const into = new Float32Array(2);
  const rows = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
  const { vector } = await plain.combine(rows, Float64Array.of(0.5, 0.5), { dots: false, into });
  assert.equal(vector, into);
  assert.deepEqual([...into], [2, 3]);
  assert.ok((await plain.combine(bad, new Float64Array(4), { dots: false })).vector instanceof Float64Array);
  assert.deepEqual([isDouble(rows), isDouble(bad), isHeld(rows[0]!), isSpooled(rows[0]!)], [false, true, true, false]);
});

test('eachTile() walks held and spooled rows in blocks, the last of which is shorter', async () => {
  const values = Float32Array.from({ length: 10 }, (_, i) => i + 1);
  const spooled = {
    length: 10,
    read: async (start: number, target: Float32Array) => void target.set(values.subarray(start, start + target.length)),
  };
  assert.deepEqual([isHeld(spooled), isSpooled(spooled)], [false, true]);
  const seen: (readonly [number, readonly number[], readonly number[]])[] = [];
  await eachTile([values, spooled], 4, ([a, b], start) => void seen.push([start, [...a!], [...b!]]));
  assert.deepEqual(seen, [
    [0, [1, 2, 3, 4], [1, 2, 3, 4]],
    [4, [5, 6, 7, 8], [5, 6, 7, 8]],
    [8, [9, 10], [9, 10]],
  ]);
  await eachTile([], 4, () => assert.fail('no rows, no tiles'));
});
