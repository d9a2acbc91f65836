import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { selectClients, selectionSchema } from './index.ts';

const candidates = ['d', 'a', 'c', 'b'].map((clientId) => ({ clientId }));
const draws = (...values: number[]) => {
  const left = [...values];
  return () => left.shift()!;
};

test('uniform takes the smallest keys, in canonical order, whatever the order of the candidates', () => {
  const options = selectionSchema.parse({ by: 'uniform' });
  const wanted = (count: number) => ({ count, least: 1, draw: draws(0.9, 0.1, 0.8, 0.2) });
  assert.deepEqual(selectClients(candidates, options, wanted(2)), ['b', 'd']);
  assert.deepEqual(selectClients(candidates.toReversed(), options, wanted(2)), ['b', 'd']);
  assert.deepEqual(selectClients(candidates, options, wanted(9)), ['a', 'b', 'c', 'd']);
});

test('uniform takes each of 10 clients 3 times in 10: chi-square under the 1e-4 quantile (33.7) at 20,000 rounds', () => {
  const rng = createRng(8);
  const many = Array.from({ length: 10 }, (_, i) => ({ clientId: `c${i}` }));
  const counts: Record<string, number> = {};
  for (let round = 0; round < 20_000; round++) {
    for (const id of selectClients(many, { by: 'uniform' }, { count: 3, least: 1, draw: rng.float }))
      counts[id] = (counts[id] ?? 0) + 1;
  }
  // Without replacement the cells vary by q(1 − q) instead of q: dividing by 1 − q makes it chi-square with 9 degrees.
  const expected = 6000;
  const chiSquare = Object.values(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) / 0.7;
  assert.ok(chiSquare * 0.9 < 33.7, String(chiSquare));
});

test('poisson tosses one coin for each client, and again where fewer than the least came', () => {
  const options = selectionSchema.parse({ by: 'poisson', rate: 0.5 });
  const select = (least: number, ...values: number[]) =>
    selectClients(candidates, options, { count: 9, least, draw: draws(...values) });
  assert.deepEqual(select(1, 0.4, 0.5, 0.6, 0), ['a', 'd']);
  assert.deepEqual(select(3, 0.4, 0.5, 0.6, 0, 0.1, 0.9, 0.1, 0.1), ['a', 'c', 'd']);
  const never = { count: 9, least: 1, draw: () => 0.99 };
  assert.deepEqual(selectClients(candidates, options, never), ['a', 'b', 'c', 'd'], 'a draw ends');
  assert.deepEqual(selectClients([], options, never), []);
});

test('capability prefers those who meet the deadline, then the fastest', () => {
  const seconds = { a: 50, b: 5, c: 20, d: undefined } as Record<string, number | undefined>;
  const measured = candidates.map(({ clientId }) => {
    const secondsExpected = seconds[clientId];
    return secondsExpected === undefined ? { clientId } : { clientId, secondsExpected };
  });
  const choose = (count: number) => {
    const options = selectionSchema.parse({ by: 'capability', seconds: 10 });
    return selectClients(measured, options, { count, least: 1, draw: draws(0.3, 0.2) });
  };
  assert.deepEqual(choose(1), ['d']); // keys: b 0.3, d 0.2
  assert.deepEqual(choose(2), ['b', 'd']);
  assert.deepEqual(choose(3), ['b', 'c', 'd']);
});

test('selectionSchema refuses an unknown selection and a rate above 1', () => {
  assert.equal(selectionSchema.safeParse({ by: 'first' }).success, false);
  assert.equal(selectionSchema.safeParse({ by: 'poisson', rate: 1.5 }).success, false);
});
