// What is measured of updates, against the definitions written out in plain loops.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { type Features, featureIds, type FeatureId, productFeatures, type Products, unmeasured } from './features.ts';
import { lbfgsProduct } from './lbfgs.ts';
import { cosineOf, dotOf, hashBlock, minus, sketchSize } from './sketch.ts';
import { sketchesOf } from './sketch-pass.ts';
import { standardise, standingLimit, standings } from './standing.ts';
import { measureUpdates } from './update-features.ts';

const close = (actual: number, wanted: number, name: string, error = 1e-9) =>
  assert.ok(
    Math.abs(actual - wanted) <= error * Math.max(1, Math.abs(wanted)),
    `${name}: ${actual} instead of ${wanted}`,
  );
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
const length = (a: readonly number[]) => Math.sqrt(dot(a, a));
const plus = (a: readonly number[], b: readonly number[]) => a.map((value, k) => value + b[k]!);
const times = (a: readonly number[], factor: number) => a.map((value) => value * factor);
const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

const productsOf = (rows: readonly (readonly number[])[]): Products => ({
  count: rows.length,
  norm: (i) => length(rows[i]!),
  dot: (i, j) => dot(rows[i]!, rows[j]!),
  distance2: (i, j) => length(plus(rows[i]!, times(rows[j]!, -1))) ** 2,
});

test('productFeatures() equal their definitions, for even and odd numbers of rows, some of them long', () => {
  const rng = createRng(21);
  for (const n of [3, 4, 7]) {
    const rows = Array.from({ length: n }, (_, i) =>
      Array.from({ length: 5 }, (__, k) => (k === 0 ? 2 : 0) + rng.gaussian() * (i === 1 ? 6 : 1)),
    );
    const found = productFeatures(productsOf(rows));
    const usual = median(rows.map(length));
    const short = rows.map((row) => times(row, Math.min(1, usual / length(row))));
    const mean = times(short.reduce(plus), 1 / n);
    const apart = short.map((row) => plus(row, times(mean, -1)));
    // The direction in which the rows disagree most, by power steps on Σ y yᵀ.
    let u = [1, 0.7, 0.3, 0.2, 0.9];
    for (let step = 0; step < 4000; step++) {
      const next = apart.map((row) => times(row, dot(row, u))).reduce(plus);
      u = times(next, 1 / length(next));
    }
    const distances = rows.map((row, i) =>
      rows.flatMap((other, j) => (i === j ? [] : [length(plus(row, times(other, -1)))])).sort((a, b) => a - b),
    );
    const nearest = median(distances.map((list) => list[0]!));
    rows.forEach((row, i) => {
      const others = short.filter((_, j) => j !== i).reduce(plus);
      const name = `${n} rows, row ${i}`;
      close(found[i]!.cohort, dot(row, others) / (length(row) * length(others)), `${name}: cohort`);
      close(found[i]!.nearest, Math.log(distances[i]![0]! / nearest), `${name}: nearest`);
      const nearer = distances[i]!.slice(0, Math.ceil(n / 2));
      close(found[i]!.crowding, Math.log(dot(nearer, nearer)), `${name}: crowding`);
      close(found[i]!.spectral, (dot(apart[i]!, u) / length(apart[i]!)) ** 2, `${name}: spectral`, 1e-6);
    });
  }
});

test('productFeatures() of too few rows are unmeasured; of equal rows and of nothing they are still numbers', () => {
  for (const n of [0, 1, 2]) {
    const found = productFeatures(productsOf(Array.from({ length: n }, () => [1, 2])));
    assert.deepEqual(
      found,
      Array.from({ length: n }, () => unmeasured),
    );
  }
  assert.ok(Object.values(unmeasured).every(Number.isNaN) && Object.keys(unmeasured).length === featureIds.length);
  for (const row of [
    [3, 4],
    [0, 0],
  ]) {
    const [one] = productFeatures(productsOf([row, row, row]));
    close(one!.cohort, row[0] === 0 ? 0 : 1, 'cohort');
    assert.deepEqual([one!.spectral, one!.nearest], [0, 0]);
  }
  // A copy is at a distance of nothing: e⁻²⁰ of the usual one, not less.
  const [copy] = productFeatures(
    productsOf([
      [1, 0],
      [1, 0],
      [5, 0],
      [9, 0],
      [13, 0],
    ]),
  );
  close(copy!.nearest, Math.log(2e-9), 'a copy');
});

test('measureUpdates() gives each feature by its definition, and NaN for what needs a past', async () => {
  const rng = createRng(22);
  const [n, layers] = [5, [40, 24, 6]] as const;
  const d = 70;
  const rows = Array.from({ length: n }, (_, i) =>
    Array.from({ length: d }, (__, k) => (k % 11 === i ? 0 : Math.fround(rng.gaussian() * (k < 40 ? 1 : 3)))),
  );
  // The last layer sums to zero in all rows but one, as after a softmax.
  for (const [i, row] of rows.entries())
    row.splice(64, 6, ...(i === 2 ? [1, 1, 0, 0, 0, 0] : [1 + i, -1 - i, 0, 0, 2, -2]));
  const aggregate = times(rows.reduce(plus), 1 / n);
  const reference = Float32Array.from({ length: d }, () => rng.gaussian());
  const zeros = new Float32Array(d);
  const input = {
    rows: rows.map((row) => Float32Array.from(row)),
    products: productsOf(rows),
    cosines: rows.map((row) => dot(row, aggregate) / (length(row) * length(aggregate))),
    aggregate: Float64Array.from(aggregate),
    reference,
    base: zeros,
    layers,
    seed: 7,
    last: rows.map(() => null),
    rounds: [],
  };
  const { features, sketches, round } = await measureUpdates(input);
  const parts = (row: readonly number[]) => [row.slice(0, 40), row.slice(40, 64), row.slice(64)];
  const shares = rows.map((row) => parts(row).map((part) => dot(part, part) / dot(row, row)));
  const usual = [0, 1, 2].map((l) => median(shares.map((share) => share[l]!)));
  rows.forEach((row, i) => {
    const one = features[i]!;
    const measured = row.filter((value) => value !== 0);
    close(one.norm, Math.log(length(row)), 'norm');
    close(one.cosine, input.cosines[i]!, 'cosine');
    close(one.positive, measured.filter((value) => value > 0).length / measured.length, 'positive');
    close(one.agreement, row.filter((value, k) => value * aggregate[k]! > 0).length / measured.length, 'agreement');
    close(one.support, 1 - measured.length / d, 'support');
    close(
      one.flatness,
      Math.log(row.reduce((sum, value) => sum + Math.abs(value), 0) / (Math.sqrt(d) * length(row))),
      'flatness',
    );
    const uneven = shares[i]!.reduce((sum, share, l) => sum + Math.abs(share - usual[l]!), 0) / 2;
    close(one.layers, Math.log(uneven + 1e-3), 'layers');
    close(one.balance, Math.log(1e-4 + (i === 2 ? 2 / Math.sqrt(6 * 2) : 0)), 'balance');
    close(one.reference, cosineOf(sketches[i]!, sketchOf(reference, 7)), 'reference');
    assert.deepEqual(sketches[i], sketchOf(row, 7));
    for (const id of ['repeat', 'curvature', 'prediction', 'root'] as const) assert.ok(Number.isNaN(one[id]), id);
  });
  assert.deepEqual(round, { model: sketchOf(zeros, 7), aggregate: sketchOf(aggregate, 7) });
  // Without a layer that is balanced in most updates there is no balance.
  const lone = await measureUpdates({ ...input, layers: [40, 30] });
  assert.ok(lone.features.every(({ balance }) => Number.isNaN(balance)));
  // A client that has taken part before: how it has changed, against how the model has.
  const before = { update: sketchOf(reference, 7), model: sketchOf(aggregate, 7) };
  const again = await measureUpdates({ ...input, last: rows.map((_, i) => (i === 1 ? before : null)) });
  const change = minus(sketches[1]!, before.update);
  close(again.features[1]!.repeat, cosineOf(sketches[1]!, before.update), 'repeat');
  close(again.features[1]!.curvature, cosineOf(change, minus(round.model, before.model)), 'curvature');
  close(again.features[1]!.prediction, Math.log(Math.sqrt(dotOf(change, change))), 'prediction without rounds');
  assert.ok(Number.isNaN(again.features[0]!.repeat));
  // With earlier rounds the change that the curvature asks for is taken off: −B (w_t − w_s).
  const rounds = [0, 1, 2].map((seed) => ({
    model: sketchOf(rows[seed]!, 7),
    aggregate: sketchOf(rows[seed + 2]!, 7),
  }));
  const informed = await measureUpdates({ ...input, last: rows.map(() => before), rounds });
  const steps = [1, 2].map((t) => minus(rounds[t]!.model, rounds[t - 1]!.model));
  const gradients = [1, 2].map((t) => minus(rounds[t - 1]!.aggregate, rounds[t]!.aggregate));
  const turned = lbfgsProduct(steps, gradients, minus(round.model, before.model))!;
  const missed = change.map((value, k) => value + turned[k]!);
  close(informed.features[1]!.prediction, Math.log(Math.sqrt(dotOf(missed, missed))), 'prediction');
});

function sketchOf(values: ArrayLike<number>, seed: number): Float32Array {
  const hashes = new Uint32Array(values.length);
  hashBlock(0, seed, hashes);
  const sketch = new Float32Array(sketchSize);
  for (const [k, h] of hashes.entries()) sketch[h & 511]! += h >>> 31 === 1 ? -values[k]! : values[k]!;
  return sketch;
}

test('hashBlock() spreads coordinates evenly over buckets and signs, alike wherever a block begins', async () => {
  const count = 512 * 200;
  const hashes = new Uint32Array(count);
  hashBlock(0, 12345, hashes);
  const buckets = new Float64Array(1024);
  // Bucket and sign together: 1,024 cells of 100 each. Chi-square has mean 1,023 and deviation 45; the limit is six of them.
  for (const h of hashes) buckets[2 * (h & 511) + (h >>> 31)]! += 1;
  const square = buckets.reduce((sum, found) => sum + (found - 100) ** 2 / 100, 0);
  assert.ok(square < 1023 + 6 * 45, `chi-square ${square}`);
  const later = new Uint32Array(1000);
  hashBlock(5000, 12345, later);
  assert.deepEqual([...later], [...hashes.subarray(5000, 6000)]);
  const other = new Uint32Array(1000);
  hashBlock(5000, 12346, other);
  assert.ok(other.filter((h, k) => (h & 511) === (later[k]! & 511)).length < 30, 'another seed, other buckets');
  // A unit vector has one entry of 1 or −1.
  const [sketch] = await sketchesOf([Float32Array.of(0, 2, 0)], 12345);
  assert.deepEqual([...sketch!].filter((value) => value !== 0).map(Math.abs), [2]);
  assert.equal(sketch![hashes[1]! & 511], hashes[1]! >>> 31 === 1 ? -2 : 2);
});

test('sketchesOf() gives the definition bit by bit, for rows held and read, of several tiles, in any number', async () => {
  const rng = createRng(31);
  const d = 5001;
  const rows = Array.from({ length: 7 }, () => Float32Array.from({ length: d }, rng.gaussian));
  const spooled = {
    length: d,
    read: async (start: number, target: Float32Array) => target.set(rows[2]!.subarray(start, start + target.length)),
  };
  const wanted = rows.map((row) => sketchOf(row, 9));
  assert.deepEqual(await sketchesOf(rows, 9), wanted);
  assert.deepEqual(await sketchesOf(rows.slice(0, 4), 9), wanted.slice(0, 4));
  assert.deepEqual(await sketchesOf([spooled, Float64Array.from(rows[1]!)], 9), [wanted[2], wanted[1]]);
});

test('cosineOf() is 0 beside nothing and never leaves [−1, 1]', () => {
  assert.deepEqual([cosineOf([0, 0], [1, 2]), cosineOf([1, 2], [0, 0])], [0, 0]);
  assert.deepEqual([cosineOf([3, 4], [3, 4]), cosineOf([3, 4], [-6, -8])], [1, -1]);
  close(cosineOf([1, 0], [1, 1]), Math.SQRT1_2, 'cos 45°');
  for (const scale of [1 / 3, 0.1, 7.7]) assert.ok(cosineOf([scale, scale, scale], [1, 1, 1]) <= 1);
  assert.deepEqual([...minus([5, 2], [1, 4])], [4, -2]);
});

test('lbfgsProduct() is the rank-two formula for one step, keeps the secant equations, and is null without a curvature', () => {
  const rng = createRng(23);
  const vector = () => Array.from({ length: 6 }, rng.gaussian);
  const [s, v] = [vector(), vector()];
  const y = plus(times(s, 2), times(vector(), 0.1));
  const sigma = dot(y, s) / dot(s, s);
  // B = σI − σ s sᵀ ÷ sᵀs + y yᵀ ÷ yᵀs
  const wanted = v.map(
    (value, k) => sigma * value - (sigma * s[k]! * dot(s, v)) / dot(s, s) + (y[k]! * dot(y, v)) / dot(y, s),
  );
  lbfgsProduct([s], [y], v)!.forEach((value, k) => close(value, wanted[k]!, `entry ${k}`));
  // A quadratic with curvatures 1 … 6: the answer to the last step is its change, whatever came before.
  const curved = (step: readonly number[]) => step.map((value, k) => (k + 1) * value);
  for (const m of [2, 3, 5]) {
    const steps = Array.from({ length: m }, vector);
    const last = steps.at(-1)!;
    lbfgsProduct(steps, steps.map(curved), last)!.forEach((value, k) =>
      close(value, curved(last)[k]!, `m ${m} entry ${k}`, 1e-8),
    );
    // Updates by rank two, one after the other, give the same matrix.
    const scale = dot(curved(last), last) / dot(last, last);
    let matrix = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (__, j) => (i === j ? scale : 0)));
    for (const step of steps) {
      const turned = matrix.map((row) => dot(row, step));
      const change = curved(step);
      matrix = matrix.map((row, i) =>
        row.map(
          (value, j) =>
            value - (turned[i]! * turned[j]!) / dot(step, turned) + (change[i]! * change[j]!) / dot(change, step),
        ),
      );
    }
    lbfgsProduct(steps, steps.map(curved), v)!.forEach((value, k) =>
      close(value, dot(matrix[k]!, v), `BFGS ${m} ${k}`, 1e-7),
    );
  }
  assert.equal(lbfgsProduct([], [], v), null);
  assert.equal(lbfgsProduct([[0, 0]], [[1, 1]], [1, 1]), null);
  assert.equal(lbfgsProduct([[1, 0]], [[0, 1]], [1, 1]), null, 'no curvature along the step');
  assert.equal(lbfgsProduct([[1, 0]], [[Number.NaN, 0]], [1, 1]), null);
});

const withNorms = (norms: readonly number[]) => norms.map((norm): Features => ({ ...unmeasured, norm }));

test('standardise() and standings() need three clients, pass over what was not measured and look back as far as told', () => {
  assert.deepEqual(standardise(withNorms([1, 2])), [{}, {}]);
  assert.deepEqual(standardise(withNorms([1, 2, Number.NaN])), [{}, {}, {}]);
  const scores = standardise(withNorms([1, Number.NaN, 2, 3]));
  assert.deepEqual([scores[1], scores[2]!.norm, scores[0]!.norm], [{}, 0, -0.67]);
  assert.deepEqual(
    standardise(withNorms([0, 0, 0, -50])).map(({ norm }) => norm),
    [0, 0, 0, -8],
  );
  // The least deviation of a norm is 0.05.
  assert.deepEqual(
    standardise(withNorms([0, 0, 0.1])).map(({ norm }) => norm),
    [0, 0, 2],
  );
  const k = featureIds.indexOf('norm' satisfies FeatureId);
  const column = (trails: Parameters<typeof standings>[0], horizon: number) =>
    standings(trails, horizon).map((row) => row[k]);
  assert.deepEqual(column([[{ norm: 3 }], [{ norm: 1 }]], 1), [0, 0]);
  const trails = [
    [{ norm: 9 }, { norm: 0 }],
    [{ norm: 0 }, { norm: 0 }],
    [{ norm: 0 }, {}],
    [{}, { norm: 2 }],
  ];
  // Over one round the third is unknown: 0, 0, 2; over two the means are 4.5, 0, 0, 2 about 1, their deviation 1.4826.
  assert.deepEqual(column(trails, 1), [0, 0, 0, 4]);
  const two = column(trails, 2);
  [3.5, -1, -1, 1].forEach((away, i) => close(two[i]!, away / 1.4826, `client ${i}`, 1e-4));
  assert.deepEqual([-11, -10, 3, 10, 11].map(standingLimit), [-10, -10, 3, 10, 10]);
});
