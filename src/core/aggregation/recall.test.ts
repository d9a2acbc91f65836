import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { recall, type RecallCache, type RuleMemory } from './recall.ts';

test('a cache of rows changes no bit of what recall says and keeps, in any round, for rows that are sent twice too', async () => {
  const rng = createRng(9);
  const vector = () => Float32Array.from({ length: 600 }, () => rng.gaussian());
  const clientIds = ['a', 'b', 'c', 'd'];
  const cache: RecallCache = new WeakMap();
  let [plain, cached]: RuleMemory[] = [{}, {}];
  for (let round = 0; round < 20; round++) {
    const base = vector();
    const copied = vector();
    const honest = [vector(), vector()];
    // An attacker tries several rows in one round, and the first of them once more.
    for (const tried of [copied, vector(), copied]) {
      const rows = [...honest, tried, tried];
      const one = await recall({ rows, clientIds, base, memory: plain!, seed: 4 });
      const two = await recall({ rows, clientIds, base, memory: cached!, seed: 4, cache });
      assert.deepEqual(two, one);
      if (tried === copied) [plain, cached] = [one.next, two.next];
    }
  }
});

test('a row of nothing has no direction and leaves no trace, cached or not', async () => {
  const zero = new Float32Array(600);
  const cache: RecallCache = new WeakMap();
  for (let i = 0; i < 2; i++) {
    const { answers, next } = await recall({ rows: [zero], clientIds: ['a'], base: zero, memory: {}, seed: 1, cache });
    assert.ok(Number.isNaN(answers.lasting[0]!) && Object.keys(next).length === 0);
  }
});
