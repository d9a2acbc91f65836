import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { aggregate, aggregateWithReport } from './entry.ts';
import type { Pipeline } from './pipeline.ts';
import { ascending } from './rule.ts';

// A comparison with an independent numpy implementation (11,638 cases, n = 1 to 25, lattices, copies, zeros, magnitudes from
// 1e-100 to 1e100) found what is held here: ties that rounding decided, and squares of products that left float64.

/** The scores of Krum in whole numbers: nothing is rounded. */
function exactScores(rows: readonly (readonly number[])[], f: number): number[] {
  const apart = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + (x - b[k]!) ** 2, 0);
  return rows.map((row, i) => {
    const others = rows.filter((_, j) => j !== i).map((other) => apart(row, other));
    const nearest = others.sort((a, b) => a - b).slice(0, Math.max(1, rows.length - f - 2));
    return nearest.reduce((sum, value) => sum + value, 0);
  });
}

test('rows of whole numbers have the exact scores on both paths, and equal scores go to the lowest row', async () => {
  const digit = fc.integer({ min: -3, max: 3 });
  const cohort = fc.array(fc.tuple(digit, digit, digit), { minLength: 5, maxLength: 14 });
  const law = fc.asyncProperty(cohort, async (rows) => {
    const f = Math.floor((rows.length - 3) / 2);
    const exact = exactScores(rows, f);
    const order = exact.map((_, i) => i).sort((a, b) => exact[a]! - exact[b]! || a - b);
    for (const cohort of [rows, rows.map((row) => Float32Array.from(row))]) {
      const { diagnostics } = await aggregateWithReport(cohort as number[][], [{ rule: 'multi-krum', f }]);
      const { scores, selected } = diagnostics.findings as { scores: Float64Array; selected: readonly number[] };
      assert.deepEqual([...scores], exact);
      assert.deepEqual(selected, order.slice(0, rows.length - f));
    }
  });
  await fc.assert(law, { seed: 24, numRuns: 60 });
});

test('scores with no more than rounding between them are equal', () => {
  const scores = [3, 1 + 4e-16, 1, Number.POSITIVE_INFINITY, 1 + 2e-16, 1 + 1e-9, Number.POSITIVE_INFINITY, 0, 0];
  assert.deepEqual(
    ascending(scores.length, (i) => scores[i]!),
    [7, 8, 1, 2, 4, 5, 0, 3, 6],
  );
});

test('of subsets with the same eigenvalue or diameter SMEA and MDA take the first', async () => {
  // Four points of a line at equal distances, in a plane that is turned: rounding alone tells the two triples apart.
  for (const angle of [0, 0.3, 0.7, 1.1, 2.9]) {
    const rows = [0, 1, 2, 3].map((step) => [step * Math.cos(angle), step * Math.sin(angle), 5]);
    for (const rule of ['smea', 'mda'] as const) {
      const { diagnostics } = await aggregateWithReport(rows, [{ rule, f: 1 }]);
      assert.deepEqual(diagnostics.findings['selected'], [0, 1, 2], `${rule} ${angle}`);
    }
  }
});

test('SMEA takes the first of two equal subsets of points on a line, whatever bound rules subsets out', async () => {
  // The mean is 1, so that without one of the 9 (8 above) and without one of the -7 (8 below) the spread is the same.
  const rows = [4, 4, -7, -7, -1, -1, 9, 9, -3, -3, 4, 4].map((value) => [value]);
  const { diagnostics } = await aggregateWithReport(rows, [{ rule: 'smea', f: 1 }]);
  assert.deepEqual(diagnostics.findings['selected'], [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]);
});

test('rules that turn to eigenvectors scale with their rows, however large or small these are', async () => {
  const rows = Array.from({ length: 9 }, (_, i) => Array.from({ length: 4 }, (_, k) => Math.sin(7 * i + 3 * k + 1)));
  const pipelines: readonly Pipeline[] = (['caf', 'smea', 'mda', 'dnc'] as const).map((rule) => [{ rule, f: 3 }]);
  for (const scale of [2 ** 340, 2 ** -340]) {
    for (const pipeline of pipelines) {
      const grown = await aggregate(
        rows.map((row) => row.map((value) => value * scale)),
        pipeline,
      );
      const plain = await aggregate(rows, pipeline);
      for (const [k, value] of plain.entries()) {
        assert.ok(Math.abs(grown[k]! / scale - value) < 1e-9, `${pipeline[0]!.rule} ${scale} [${k}]`);
      }
    }
  }
});

test('FoolsGold gives copies nothing, though rounding keeps their cosines below one', async () => {
  const rows = [[0.1], [0.1], [0.7], [0.7], [-0.3], [-0.3]];
  assert.deepEqual(await aggregate(rows, [{ rule: 'foolsgold' }]), [0]);
  const spread = [
    [0.1, 0.2, 0.3],
    [0.3, 0.6, 0.9],
    [0.7, 1.4, 2.1],
  ];
  assert.deepEqual(await aggregate(spread, [{ rule: 'foolsgold' }]), [0, 0, 0]);
});

test('FLAME joins links of one length from the lowest row on', async () => {
  // One direction in one dimension: four of seven are the majority, clipped to the median norm 0.7.
  const rows = [[0.1], [0.3], [0.7], [1.3], [2.9], [0.9], [0.2]];
  const { diagnostics } = await aggregateWithReport(rows, [{ rule: 'flame' }]);
  assert.deepEqual(diagnostics.findings['selected'], [0, 1, 2, 3]);
});
