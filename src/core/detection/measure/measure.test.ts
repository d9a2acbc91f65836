import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createRng } from '../../random/rng.ts';
import { createReferenceCompute } from '../../vector/reference.ts';
import { gramSpan } from '../../aggregation/span.ts';
import { type FeatureId, featureIds, productFeatures } from './features.ts';
import { cosineOf, dotOf, minus } from './sketch.ts';
import { readSketches, writeSketches } from './sketch-file.ts';
import { standardise, standings } from './standing.ts';
import { statisticsOf } from './statistics-pass.ts';
import { measureUpdates } from './update-features.ts';

const compute = createReferenceCompute();

test('statisticsOf() counts signs, agreements, sums and squares by layer', async () => {
  const [one] = await statisticsOf([Float32Array.of(1, -2, 0, 3, -4)], {
    layers: [2, 3],
    aggregate: Float32Array.of(1, 1, 1, 1, -1),
    seed: 1,
  });
  assert.deepEqual([one!.positives, one!.negatives, one!.agreements, one!.norm1], [2, 2, 3, 10]);
  assert.deepEqual([...one!.layerNorms2], [5, 25]);
  assert.deepEqual([...one!.layerSums], [-1, -1]);
});

test('statisticsOf() reads rows longer than a tile, and layers that end inside one', async () => {
  const d = 5000;
  const row = Float32Array.from({ length: d }, (_, k) => (k % 3) - 1);
  const [one] = await statisticsOf([row], { layers: [1234, 0, d - 1234], aggregate: row, seed: 1 });
  const squares = (from: number, to: number) => row.subarray(from, to).reduce((sum, value) => sum + value * value, 0);
  assert.deepEqual([...one!.layerNorms2], [squares(0, 1234), 0, squares(1234, d)]);
  assert.equal(one!.agreements, one!.positives + one!.negatives);
});

test('sketches are linear, and keep inner products within a few standard deviations of 6 % (seeded)', async () => {
  const rng = createRng(5);
  const d = 6000;
  for (let seed = 0; seed < 10; seed++) {
    const a = Float64Array.from({ length: d }, rng.gaussian);
    const b = a.map((value) => 0.6 * value + 0.8 * rng.gaussian());
    const rows = [a, b, a.map((value, k) => value - b[k]!)];
    const [x, y, difference] = (await statisticsOf(rows, { layers: [d], aggregate: a, seed })).map((one) => one.sketch);
    assert.ok(Math.abs(cosineOf(x!, y!) - cosineOf(a, b)) < 0.2, `seed ${seed}`);
    const apart = minus(minus(x!, y!), difference!);
    assert.ok(dotOf(apart, apart) < 1e-6 * dotOf(difference!, difference!));
  }
});

test('writeSketches() and readSketches() are inverse', () => {
  const rng = createRng(2);
  const sketch = () => Float32Array.from({ length: 512 }, rng.gaussian);
  const round = { model: sketch(), aggregate: sketch() };
  const updates = [sketch(), sketch(), sketch()];
  const back = readSketches(writeSketches(round, updates));
  assert.deepEqual(back.round, round);
  assert.deepEqual(back.updates, updates);
});

test('productFeatures() of four rows by hand: a copy is near, an outlier far, a flipped row points away', async () => {
  const rows = [
    [1, 0],
    [1, 0.1],
    [1, 0.1],
    [-1, 0],
  ].map((row) => Float64Array.from(row));
  const found = productFeatures(gramSpan(await compute.gram(rows), false));
  // Nearest distances: 0.1, 0, 0, 2.002; their median is 0.05.
  assert.ok(Math.abs(found[0]!.nearest - Math.log(2)) < 1e-6);
  assert.ok(found[1]!.nearest < -15);
  assert.ok(found[3]!.nearest > 3);
  assert.ok(found[3]!.cohort < -0.99 && found[0]!.cohort > 0.97);
  assert.ok(found[3]!.spectral > 0.9);
});

test('standardise() gives 0 to the median and cuts at 8; standings() hold what lasts against what lasts', () => {
  const features = (norm: number) =>
    ({ ...Object.fromEntries(featureIds.map((id) => [id, Number.NaN])), norm }) as Record<FeatureId, number>;
  // Median 2, MAD 1: robust deviation 1.4826.
  const scores = standardise([1, 2, 3, 2, 100].map(features));
  assert.deepEqual(
    scores.map(({ norm }) => norm),
    [-1 / 1.4826, 0, 1 / 1.4826, 0, 8].map((value) => Math.round(100 * value) / 100),
  );
  assert.equal(scores[0]!.cosine, undefined);
  // One client is always one deviation out, the others in turn: over ten rounds only the first stands out.
  const trails = Array.from({ length: 5 }, (_, i) =>
    Array.from({ length: 10 }, (__, t) => ({ norm: i === 0 ? 2 : (t + i) % 2 === 0 ? 1 : -1 })),
  );
  const norm = featureIds.indexOf('norm');
  const rows = standings(trails, 10);
  assert.deepEqual(
    rows.map((row) => row[norm]),
    [4, 0, 0, 0, 0],
  );
  assert.equal(standings(trails, 1)[0]![norm], 1 / 1.4826 / 1);
});

const vectors = fc.array(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 6, maxLength: 6 }), {
  minLength: 3,
  maxLength: 7,
});

test('measureUpdates() gives numbers or NaN and never an infinity, for any finite rows', async () => {
  await fc.assert(
    fc.asyncProperty(vectors, async (lists) => {
      const rows = lists.map((list) => Float32Array.from(list));
      const zero = new Float32Array(6);
      const input = { rows, cosines: rows.map(() => 0), aggregate: rows[0]!, reference: zero, base: rows[1]!, seed: 3 };
      const products = gramSpan(await compute.gram(rows), false);
      const first = await measureUpdates({
        ...input,
        products,
        layers: [4, 2],
        last: rows.map(() => null),
        rounds: [],
      });
      const last = first.sketches.map((update) => ({ update, model: first.round.model }));
      const second = await measureUpdates({ ...input, products, layers: [4, 2], last, rounds: [first.round] });
      for (const one of [...first.features, ...second.features]) {
        for (const value of Object.values(one)) assert.ok(!(Math.abs(value) === Number.POSITIVE_INFINITY));
      }
    }),
    { seed: 4, numRuns: 100 },
  );
});

test('curvature is below zero for a client that descends, and above for one that flips its sign', async () => {
  // Loss ½‖w − t‖² at each client, t its own optimum: the update is t − w, however far apart the optima are.
  const rng = createRng(9);
  const d = 2000;
  const targets = Array.from({ length: 6 }, () => Float32Array.from({ length: d }, rng.gaussian));
  const updateAt = (w: Float32Array, i: number) => targets[i]!.map((t, k) => (i === 5 ? -1 : 1) * (t - w[k]!));
  const measureAt = async (
    w: Float32Array,
    past: Awaited<ReturnType<typeof measureUpdates>> | null,
  ): ReturnType<typeof measureUpdates> => {
    const rows = targets.map((_, i) => updateAt(w, i));
    return measureUpdates({
      rows,
      products: gramSpan(await compute.gram(rows), false),
      cosines: rows.map(() => 0),
      aggregate: rows[0]!,
      reference: rows[0]!,
      base: w,
      layers: [d],
      seed: 1,
      last: rows.map((_, i) => (past === null ? null : { update: past.sketches[i]!, model: past.round.model })),
      rounds: [],
    });
  };
  const first = await measureAt(new Float32Array(d), null);
  const second = await measureAt(
    targets[0]!.map((t) => 0.3 * t),
    first,
  );
  const curvatures = second.features.map(({ curvature }) => curvature);
  assert.ok(curvatures.slice(0, 5).every((value) => value < -0.99) && curvatures[5]! > 0.99, curvatures.join());
  assert.ok(first.features.every(({ curvature }) => Number.isNaN(curvature)));
});
