import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compute } from '../../ports/compute.ts';
import { createRng } from '../random/rng.ts';
import { createReferenceCompute } from '../vector/reference.ts';
import { aggregateCohort } from './aggregate.ts';
import { aggregate } from './entry.ts';
import { registry } from './index.ts';
import { type Pipeline, parsePipeline } from './pipeline.ts';
import type { StepContext, WeightRule } from './rule.ts';
import { gramSpan } from './span.ts';
import { isWalked } from './walk-pass.ts';

const plain = createReferenceCompute();
const d = 40;

function cohort(n: number): Float64Array[] {
  const rng = createRng(5).child('walk');
  const base = Float64Array.from({ length: d }, () => rng.gaussian());
  return Array.from({ length: n }, (_, i) => base.map((value) => value + (i < 3 ? 40 : 1) * rng.gaussian()));
}

/** The plain reference, and how often each pass was asked for. */
function counting(): { compute: Compute; counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const compute = new Proxy(plain, {
    get(target, name: keyof Compute) {
      if (typeof target[name] === 'function') counts[name] = (counts[name] ?? 0) + 1;
      return target[name];
    },
  });
  return { compute, counts };
}

const reference = Float64Array.from({ length: d }, (_, k) => Math.sin(k));
const walks: readonly (readonly [Pipeline, Record<string, number>])[] = [
  [[{ rule: 'centered-clipping', radius: 4, iterations: 3 }], { star: 1, distances: 2, combine: 1 }],
  [[{ rule: 'centered-clipping', iterations: 2, expectedCount: 60 }], { star: 1, distances: 1, combine: 1 }],
  [[{ rule: 'centered-clipping', radius: 4 }], { star: 1, combine: 1 }],
  [[{ rule: 'geometric-median', nu: 0.01 }], { star: 1, distances: 2, combine: 1 }],
  [[{ rule: 'geometric-median', start: 'mean' }], { distances: 3, combine: 1 }],
];

test('a walk by readings ends where one by products ends, with and without a reference', async () => {
  const rows = cohort(49);
  for (const [pipeline, expected] of walks) {
    for (const context of [{}, { reference }]) {
      const { compute, counts } = counting();
      const report = await aggregateCohort({ rows }, pipeline, context, compute);
      assert.deepEqual(counts, expected, JSON.stringify(pipeline));
      const hasReference = 'reference' in context;
      const span = gramSpan(await plain.gram(hasReference ? [...rows, reference] : rows), hasReference);
      const { options } = parsePipeline(pipeline)[0]!;
      const rule = registry[pipeline[0]!.rule].rule as WeightRule<object>;
      const { weights, findings } = rule.weigh(span, options, {} as StepContext);
      for (const [i, weight] of weights.entries()) assert.ok(Math.abs(report.weights![i]! - weight) < 1e-12);
      const wanted = findings!['distances'] as Float64Array;
      for (const [i, distance] of (report.diagnostics.findings['distances'] as Float64Array).entries())
        assert.ok(Math.abs(distance - wanted[i]!) < 1e-9 * wanted[i]!);
    }
  }
});

test('rows that were clipped before are compared as they were clipped', async () => {
  const rows = cohort(49);
  const clipped = rows.map((row) => {
    const scale = Math.min(1, 8 / Math.hypot(...row));
    return row.map((value) => value * scale);
  });
  const rule = { rule: 'centered-clipping', radius: 2, iterations: 3 } as const;
  for (const context of [{}, { reference }]) {
    const { compute, counts } = counting();
    const chained = await aggregateCohort({ rows }, [{ rule: 'clipping', radius: 8 }, rule], context, compute);
    assert.deepEqual(counts, { star: 1, distances: 2, combine: 1 });
    const { vector } = await aggregateCohort({ rows: clipped }, [rule], context, plain);
    for (const [k, value] of vector.entries()) assert.ok(Math.abs(chained.vector[k]! - value) < 1e-9);
  }
});

test('a row that is not finite is met at whichever stop comes first', async () => {
  for (const [pipeline] of walks) {
    const rows = cohort(50);
    const expected = await aggregateCohort({ rows: rows.filter((_, i) => i !== 7) }, pipeline, {}, plain);
    rows[7]![3] = Number.NaN;
    const { dropped, vector } = await aggregateCohort({ rows }, pipeline, {}, plain);
    assert.deepEqual(
      dropped.map(({ index }) => index),
      [7],
    );
    assert.deepEqual(vector, expected.vector);
  }
});

test('the way depends on shape and options: 24 rows a stop, 72 where rows are a gigabyte and more', () => {
  const isDirect = (n: number, length: number, iterations: number, ...before: Pipeline) =>
    isWalked(parsePipeline([...before, { rule: 'geometric-median', iterations }]), n, length);
  assert.deepEqual([isDirect(47, 1e6, 3), isDirect(48, 1e6, 3), isDirect(1, 10, 1)], [false, true, true]);
  assert.deepEqual([isDirect(100, 1e7, 3), isDirect(144, 1e7, 3)], [false, true]);
  assert.equal(isDirect(100, 1e6, 3, { rule: 'arc', f: 1 }), true);
  assert.equal(isDirect(100, 1e6, 3, { rule: 'nnm', f: 1 }), false);
  assert.equal(isDirect(100, 1e6, 3, { rule: 'bucketing' }), false);
  assert.equal(isWalked(parsePipeline([{ rule: 'krum', f: 1 }]), 100, 10), false);
});

test('buckets go before rules that read norms or distances to a reference', async () => {
  const rows = [
    [0, 3],
    [4, 3],
    [8, 3],
    [2, 3],
  ];
  // One bucket of all four rows: their mean is (3.5, 3), of length 4.6.
  const bucket = { rule: 'bucketing', bucketSize: 4 } as const;
  const origin = { reference: [0, 3] };
  const near = await aggregate(rows, [bucket, { rule: 'centered-clipping', radius: 1 }], origin);
  const clipped = await aggregate(rows, [bucket, { rule: 'clipping', radius: 100 }, { rule: 'mean' }]);
  for (const [actual, wanted] of [
    [near, [1, 3]],
    [clipped, [3.5, 3]],
  ] as const)
    for (const [k, value] of wanted.entries()) assert.ok(Math.abs(actual[k]! - value) < 1e-12, String(actual));
});
