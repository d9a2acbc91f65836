import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mixTile } from '../vector/reference.ts';
import { nearestMean } from '../vector/column-rules.ts';
import { createReferenceCompute } from '../vector/reference.ts';
import { aggregate, aggregateWithReport } from './entry.ts';
import { registry } from './index.ts';
import type { Pipeline } from './pipeline.ts';
import type { AggregationContext, PreAggregator } from './rule.ts';
import { gramSpan } from './span.ts';

type VectorCase = {
  readonly id: string;
  readonly aggregator: string;
  readonly params: Readonly<Record<string, number>> & { readonly neighbours?: string; readonly weights?: number[] };
  readonly input: readonly (readonly number[])[];
  readonly expected: readonly number[];
  readonly abs_tol: number;
};

const shared = process.env['QFLARE_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const file = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(file) ? false : 'the folder with outside vectors is not there';
const cases: readonly VectorCase[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).aggregators : [];

test('the file of outside vectors holds aggregators', { skip }, () => {
  assert.ok(cases.length >= 46);
});

/** How each name of the vector file is written as a pipeline. */
function pipelineOf({ aggregator, params, input }: VectorCase): Pipeline {
  const n = input.length;
  const f = params['f']!;
  const byzfl = params.neighbours === 'n-f-1' ? { neighbours: n - f - 1 } : {};
  const median = { rule: 'geometric-median', nu: params['nu']!, iterations: params['T']! } as const;
  const known: Record<string, () => Pipeline> = {
    average: () => [{ rule: 'mean' }],
    weighted_average: () => [{ rule: 'mean' }],
    median: () => [{ rule: 'median' }],
    trimmed_mean: () => [{ rule: 'trimmed-mean', f: f ?? Math.round(params['beta']! * n) }],
    geometric_median_smoothed_weiszfeld: () => [median],
    centered_clipping: () => [{ rule: 'centered-clipping', radius: params['tau']!, iterations: params['L']! }],
    meamed: () => [{ rule: 'mean-around-median', f }],
    phocas: () => [{ rule: 'phocas', f }],
    caf: () => [{ rule: 'caf', f }],
    smea: () => [{ rule: 'smea', f }],
    mda: () => [{ rule: 'mda', f }],
    monna: () => [{ rule: 'monna', f }],
    dnc: () => [{ rule: 'dnc', f, factor: params['c']! }],
    cge: () => [{ rule: 'cge', f }],
    krum: () => [{ rule: 'krum', f, ...byzfl }],
    multi_krum: () => [{ rule: 'multi-krum', f, keepCount: params['m']!, ...byzfl, unproven: true }],
    bulyan: () => [{ rule: 'bulyan', f }],
    signsgd_majority: () => [{ rule: 'sign-majority' }],
    'nnm>geometric_median_smoothed_weiszfeld': () => [{ rule: 'nnm', f }, median],
    foolsgold_weights: () => [{ rule: 'foolsgold' }],
    rlr_sign_vector: () => [{ rule: 'rlr', threshold: params['theta']! }],
  };
  return known[aggregator]!();
}

function contextOf({ params, input }: VectorCase): AggregationContext {
  if (params.weights !== undefined) return { weights: params.weights };
  return params['idx'] === undefined ? {} : { reference: input[params['idx']!]! };
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let k = 0; k < expected.length; k++) {
    assert.ok(Math.abs(actual[k]! - expected[k]!) <= tolerance, `[${k}] ${actual[k]} is not ${expected[k]}`);
  }
}

/** Outputs that are matrices, or parts of a rule. */
const special: Record<string, (item: VectorCase) => Promise<void>> = {
  nnm: (item) => mixes(item, { f: item.params['f'] }),
  arc: (item) => mixes(item, { f: item.params['f'] }),
  clipping: (item) => mixes(item, { radius: item.params['c'] }),
  async foolsgold_weights(item) {
    const report = await aggregateWithReport(item.input, pipelineOf(item));
    assertClose(report.weights!, item.expected, item.abs_tol);
  },
  async rlr_sign_vector(item) {
    const mean = await aggregate(item.input, [{ rule: 'mean' }]);
    const turned = await aggregate(item.input, pipelineOf(item));
    const signs = turned.map((value, k) => Math.sign(value) * Math.sign(mean[k]!));
    assertClose(signs, item.expected, item.abs_tol);
  },
  async signguard_sign_features(item) {
    const report = await aggregateWithReport(item.input, [{ rule: 'signguard' }]);
    const shares = report.diagnostics.findings['signShares'] as number[][];
    for (const [i, row] of rowsOf(item).entries()) assertClose(shares[i]!, row, item.abs_tol);
  },
  async bulyan_step2_n_closest({ input, params, expected, abs_tol }) {
    const centres = params['reference'] as unknown as number[];
    const values = centres.map((centre, k) =>
      nearestMean(
        Float64Array.from(input, (row) => row[k]!),
        centre,
        params['beta']!,
      ),
    );
    assertClose(values, expected, abs_tol);
  },
};

function rowsOf({ expected }: VectorCase): readonly (readonly number[])[] {
  return expected as unknown as readonly (readonly number[])[];
}

async function mixes(item: VectorCase, options: object): Promise<void> {
  const { aggregator, input, params, abs_tol } = item;
  const rows = input.map((row) => Float64Array.from(row));
  const span = gramSpan(await createReferenceCompute().gram(rows), false);
  const rule = registry[aggregator as 'nnm'].rule as PreAggregator<object>;
  const context = {
    f: params['f'] ?? 0,
    weights: null,
    seed: 0,
    history: null,
    signs: null,
    answers: null,
    looks: null,
  };
  const mixed = mixTile(rows, rule.mix(span, options, context, rows.length));
  for (const [i, row] of rowsOf(item).entries()) assertClose(mixed[i]!, row, abs_tol);
}

for (const item of cases) {
  test(`vector ${item.id}`, { skip }, async () => {
    const check = special[item.aggregator];
    if (check !== undefined) return check(item);
    const report = await aggregateWithReport(item.input, pipelineOf(item), contextOf(item));
    assertClose(report.vector, item.expected, item.abs_tol);
    const { selected, subset, selected_order, kept, max_eigenvalue, diameter, scores, min_top_eigenvalue, iterations } =
      item as unknown as Record<string, never>;
    const { findings } = report.diagnostics;
    const told: [unknown, unknown][] = [
      [findings['selectedOrder'], selected_order],
      [findings['selected'], typeof selected === 'number' ? [selected] : (subset ?? kept)],
      [findings['iterations'], iterations],
    ];
    for (const [actual, expected] of told) if (expected !== undefined) assert.deepEqual(actual, expected);
    const numbers: [unknown, number | undefined][] = [
      [findings['maxEigenvalue'], max_eigenvalue],
      [findings['diameter'], diameter],
      [findings['minTopEigenvalue'], min_top_eigenvalue],
    ];
    for (const [actual, expected] of numbers)
      if (expected !== undefined) assertClose([actual as number], [expected], 1e-9);
    if (scores !== undefined) assertClose(findings['scores'] as Float64Array, scores, 1e-9);
  });
}
