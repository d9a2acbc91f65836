import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregate, aggregateWithReport } from './entry.ts';
import type { Pipeline } from './pipeline.ts';
import { checkPipeline, pipelineSchema } from './pipeline.ts';

const square = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
] as const;

test('aggregate() gives the kind of vector that the rows are', async () => {
  const pipeline: Pipeline = [
    { rule: 'nnm', f: 1 },
    { rule: 'trimmed-mean', f: 1 },
  ];
  assert.deepEqual(await aggregate(square, pipeline), [2.5, 3.5, 4.5]);
  const doubles = square.map((row) => Float64Array.from(row));
  assert.deepEqual(await aggregate(doubles, pipeline), Float64Array.of(2.5, 3.5, 4.5));
  const singles = square.map((row) => Float32Array.from(row));
  assert.deepEqual(await aggregate(singles, pipeline), Float32Array.of(2.5, 3.5, 4.5));
});

test('an unknown rule and a mistyped option are errors with their path', async () => {
  const bad = [{ rule: 'krum', f: 0, neighbors: 2 }] as unknown as Pipeline;
  await assert.rejects(aggregate(5 as unknown as number[][], [{ rule: 'mean' }]), /rows must be an array of vectors/);
  await assert.rejects(aggregate(square, bad), /"0": Unrecognized key: "neighbors"/);
  await assert.rejects(aggregate(square, [{ rule: 'krun' }] as unknown as Pipeline), /"0.rule"/);
  assert.equal(pipelineSchema.safeParse([{ rule: 'krum' }]).error?.issues[0]?.path.join('.'), '0.f');
  assert.match(checkPipeline([{ rule: 'mean' }, { rule: 'median' }], 5)[0]!.message, /must be a pre-aggregator/);
  assert.match(checkPipeline([{ rule: 'nnm', f: 1 }], 5)[0]!.message, /must be an aggregator/);
});

test('f beyond the proof needs unproven, and f beyond the arithmetic is refused', async () => {
  const even = ['trimmed-mean', 'krum', 'multi-krum', 'mda', 'mean-around-median', 'smea', 'caf'] as const;
  for (const rule of even) {
    const rows = [[1], [2], [3], [4]];
    await assert.rejects(aggregate(rows, [{ rule, f: 2, unproven: true }]), /honest majority/, rule);
  }
  assert.deepEqual(checkPipeline([{ rule: 'krum', f: 1 }], 5), []);
  assert.match(checkPipeline([{ rule: 'krum', f: 1 }], 4)[0]!.message, /its proof needs n ≥ 2f \+ 3.*n = 4, f = 1/);
  assert.deepEqual(checkPipeline([{ rule: 'krum', f: 1, unproven: true }], 4), []);
  assert.deepEqual(checkPipeline([{ rule: 'bulyan', f: 1 }], 7), []);
  assert.equal(checkPipeline([{ rule: 'bulyan', f: 1 }], 6)[0]?.path, '0.f');
  const halved: Pipeline = [
    { rule: 'bucketing', bucketSize: 2 },
    { rule: 'trimmed-mean', f: 2 },
  ];
  assert.deepEqual(checkPipeline(halved, 9), []);
  assert.equal(checkPipeline(halved, 8)[0]?.path, '1.f');
});

test('rules on clients refuse mixtures of clients', () => {
  assert.match(checkPipeline([{ rule: 'nnm', f: 1 }, { rule: 'signguard' }], 9)[0]!.message, /no nnm may come before/);
  assert.deepEqual(checkPipeline([{ rule: 'clipping', radius: 1 }, { rule: 'signguard' }], 9), []);
});

test('a row with NaN is dropped, f falls by one, and too few rows are an error', async () => {
  const rows = [
    [1, 2],
    [Number.NaN, 1],
    [2, 2],
    [1.5, 2.2],
    [1.4, 2.1],
  ];
  const report = await aggregateWithReport(rows, [{ rule: 'krum', f: 1 }]);
  assert.deepEqual(report.dropped, [{ index: 1, clientId: '1', reason: 'non-finite' }]);
  assert.deepEqual(report.vector, await aggregate(rows.toSpliced(1, 1), [{ rule: 'krum', f: 0 }]));
  assert.equal(report.weights?.[1], 0);
  const broken = rows.map(([x]) => [x! - x!, Number.POSITIVE_INFINITY]);
  await assert.rejects(aggregate(broken, [{ rule: 'median' }]), /at least one row: current value is n = 0/);
});

test('claimed examples weigh in the mean up to a cap, and nowhere else', async () => {
  const rows = [[1], [1.1], [1.05], [5]];
  const weights = [1, 1, 1e6, 1];
  const mean = await aggregateWithReport(rows, [{ rule: 'mean' }], { weights });
  assert.equal(mean.weights?.[2], 0.75);
  assert.ok(Math.abs(mean.weights!.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12);
  for (const rule of ['krum', 'multi-krum'] as const) {
    const pipeline: Pipeline = [{ rule, f: 1, unproven: true }];
    assert.deepEqual(await aggregate(rows, pipeline, { weights }), await aggregate(rows, pipeline));
  }
});

test('with f = 0, caf is the mean', async () => {
  const vector = await aggregate(square, [{ rule: 'caf', f: 0 }]);
  for (const [k, value] of [4, 5, 6].entries()) assert.ok(Math.abs(vector[k]! - value) < 1e-12);
});

test('centred clipping hands its output on as the next reference', async () => {
  const pipeline: Pipeline = [{ rule: 'centered-clipping', radius: 1 }];
  const first = await aggregateWithReport(square, pipeline);
  const second = await aggregateWithReport(square, pipeline, first.nextState);
  assert.deepEqual(first.nextState.reference, first.vector);
  // By hand: a step of at most one from the last output, towards the rows.
  const step = Math.hypot(...second.vector.map((value, k) => value - first.vector[k]!));
  assert.ok(step > 0.3 && step <= 1);
});

test('rows in float32 give what rows in float64 give', async () => {
  const rows = Array.from({ length: 13 }, (_, i) => Array.from({ length: 40 }, (_, k) => Math.sin(i * 40 + k) + 2));
  const pipelines: Pipeline[] = [
    [{ rule: 'bulyan', f: 2 }],
    [
      { rule: 'arc', f: 2 },
      { rule: 'nnm', f: 2 },
      { rule: 'mean-around-median', f: 2 },
    ],
    [
      { rule: 'clipping', radius: 3 },
      { rule: 'bucketing', seed: 3 },
      { rule: 'geometric-median', f: 2 },
    ],
    [{ rule: 'signguard' }],
    [{ rule: 'mda', f: 3 }],
  ];
  for (const pipeline of pipelines) {
    const exact = await aggregateWithReport(rows, pipeline);
    const fast = await aggregateWithReport(
      rows.map((row) => Float32Array.from(row)),
      pipeline,
    );
    for (const [k, value] of exact.vector.entries()) assert.ok(Math.abs(fast.vector[k]! - value) < 1e-5);
    for (const [i, value] of exact.diagnostics.cosines.entries()) {
      assert.ok(Math.abs(fast.diagnostics.cosines[i]! - value) < 1e-5);
    }
  }
});

test('cosines and norms are those of the rows to the aggregate', async () => {
  const report = await aggregateWithReport(
    [
      [3, 4],
      [4, 3],
      [-3, -4],
    ],
    [{ rule: 'median' }],
  );
  assert.deepEqual(report.vector, [3, 3]);
  assert.deepEqual(Array.from(report.diagnostics.norms), [5, 5, 5]);
  const expected = [21, 21, -21].map((dot) => dot / (5 * Math.sqrt(18)));
  for (const [i, cosine] of expected.entries()) assert.ok(Math.abs(report.diagnostics.cosines[i]! - cosine) < 1e-12);
});

test('foolsgold accumulates: two Sybils lose their weight though no round alone shows them', async () => {
  // Each round a Sybil adds to the shared direction a part that the other takes back later.
  const pipeline: Pipeline = [{ rule: 'foolsgold' }];
  const rounds = [
    [
      [1, 0, 0],
      [0, 1, 0],
      [2, 2, 3],
      [2, 2, -3],
    ],
    [
      [1, 0, 0],
      [0, 1, 0],
      [2, 2, -3],
      [2, 2, 3],
    ],
  ];
  let context = {};
  const weights: number[][] = [];
  for (const rows of rounds) {
    const report = await aggregateWithReport(rows, pipeline, context);
    context = report.nextState;
    weights.push(Array.from(report.weights!));
  }
  assert.ok(weights[0]![2]! > 0.5 && weights[0]![3]! > 0.5);
  assert.deepEqual(weights[1]!.slice(2), [0, 0]);
  assert.ok(weights[1]![0]! > 0.5);
});
