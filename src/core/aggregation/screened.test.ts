import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { aggregateWithReport } from './entry.ts';

type Findings = {
  readonly leftOut: readonly number[];
  readonly copies: readonly (readonly number[])[];
  readonly choir: readonly number[];
  readonly spread: number;
  readonly chosen: string;
  readonly f: number;
};

async function screen(rows: readonly (readonly number[])[], options: object = {}) {
  const { vector, weights, diagnostics } = await aggregateWithReport(
    rows.map((row) => Float64Array.from(row)),
    [{ rule: 'screened', f: 2, ...options }],
  );
  return { vector, weights: [...weights!], findings: diagnostics.findings as Findings };
}

// Lengths 1, 2, 4, 8, 3, 6 along different axes: no two alike, and no common length.
const uneven = [1, 2, 4, 8, 3, 6].map((length, i) => Array.from({ length: 6 }, (_, k) => (k === i ? length : 0)));

test('lengths that differ: the mean of the rows, each clipped to two median lengths', async () => {
  // The median of 1, 2, 3, 4, 6, 8 is 3.5: only the 8 is longer than 7.
  const { vector, findings } = await screen(uneven, { clip: 2 });
  assert.equal(findings.chosen, 'clipped mean');
  const expected = [1, 2, 4, 7, 3, 6].map((value) => value / 6);
  for (const [k, value] of vector.entries()) assert.ok(Math.abs(value - expected[k]!) < 1e-12);
});

test('a row beyond the gate is left out, and never more than f of them', async () => {
  const long = (factor: number) => [0, 0, 0, 0, 0, factor * 100];
  const one = await screen([...uneven, long(1)]);
  assert.deepEqual([one.findings.leftOut, one.weights[6]], [[6], 0]);
  const three = await screen([...uneven, ...uneven.map((row) => row.map((v) => v * 0.9)), long(1), long(2), long(3)]);
  assert.deepEqual(three.findings.leftOut, [13, 14]);
});

test('copies are one voice: four colluders with one vector weigh as much as one client', async () => {
  const copy = [0, -2, 0, 0, -2, 0];
  const { weights, findings } = await screen([...uneven, copy, copy, copy, copy], { f: 4 });
  assert.deepEqual(findings.copies, [[6, 7, 8, 9]]);
  assert.equal(findings.f, 1);
  const heard = weights.slice(6).reduce((sum, weight) => sum + weight, 0);
  assert.ok(Math.abs(heard - 1 / 7) < 1e-12);
});

test('lengths that agree: Multi-Krum leaves the two rows out that point elsewhere', async () => {
  const rng = createRng(3);
  const honest = Array.from({ length: 9 }, () => Array.from({ length: 40 }, () => 1 + 0.3 * rng.gaussian()));
  const liars = [1, 2].map(() => Array.from({ length: 40 }, () => -1 + 0.3 * rng.gaussian()));
  const { weights, findings } = await screen([...honest, ...liars]);
  assert.equal(findings.chosen, 'multi-krum');
  assert.ok(findings.spread < 0.18);
  assert.deepEqual(weights.slice(9), [0, 0]);
  for (const weight of weights.slice(0, 9)) assert.ok(Math.abs(weight - 1 / 9) < 1e-12);
});

test('rows that are all the same give that row', async () => {
  const { vector } = await screen(Array.from({ length: 5 }, () => [1, -2]));
  assert.deepEqual([...vector], [1, -2]);
  const zero = await screen(Array.from({ length: 5 }, () => [0, 0]));
  assert.deepEqual([...zero.vector], [0, 0]);
});

test('three that pull together against the rest are one voice, and an honest crowd is left alone', async () => {
  const rng = createRng(5);
  const axis = (k: number, length: number) => Array.from({ length: 12 }, (_, i) => (i === k ? length : 0) + 0.3);
  const honest = Array.from({ length: 9 }, (_, i) => axis(i, 1 + i / 2));
  const liars = [2, 2.5, 3].map((length) =>
    Array.from({ length: 12 }, (_, i) => length * (-1 - i / 12 + 0.05 * rng.gaussian())),
  );
  const { weights, findings } = await screen([...honest, ...liars], { f: 3 });
  assert.deepEqual(findings.choir, [9, 10, 11]);
  const heard = weights.slice(9).reduce((sum, weight) => sum + weight, 0);
  assert.ok(heard > 0 && heard <= 1 / 10 + 1e-12);
  const crowd = await screen([...honest, ...liars.map((row) => row.map((value) => -value))], { f: 3 });
  assert.deepEqual(crowd.findings.choir, []);
});
