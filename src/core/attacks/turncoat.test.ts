import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turncoat } from './turncoat.ts';

const row = (value: number) => Float32Array.of(value);
const honest = [3, 2, 5, 4].map(row);
const input = { own: row(2), honest, seed: 1, attackerCount: 2, clientCount: 6 };

test('a turncoat is honest for twenty rounds, then sends its update backwards, as long as an honest one', async () => {
  assert.deepEqual(await turncoat({ ...input, round: 20 }), row(2));
  // Without a rule to search against: one usual length, the third of 2, 3, 4 and 5.
  assert.deepEqual(await turncoat({ ...input, round: 21 }), row(-4));
});

test('it takes the length that does the most harm, and colluders that see the same rows search once', async () => {
  let asked = 0;
  // A rule that leaves out what is longer than 13: of 0.5 to 24 usual lengths, 3 (that is 12) is the longest it lets in.
  const aggregate = async (rows: readonly Float32Array[]) => {
    asked += 1;
    const kept = rows.filter(([value]) => Math.abs(value!) <= 13);
    return row(kept.reduce((sum, [value]) => sum + value!, 0) / kept.length);
  };
  const first = await turncoat({ ...input, round: 21, aggregate });
  assert.deepEqual([first, asked], [row(-12), 11]);
  const second = await turncoat({ ...input, own: row(-1), round: 21, aggregate });
  assert.deepEqual([second, asked], [row(12), 11]);
  await turncoat({ ...input, honest: [...honest], round: 22, aggregate });
  assert.equal(asked, 22, 'other rows, another search');
  await turncoat({ ...input, attackerCount: 1, round: 22, aggregate });
  assert.equal(asked, 33, 'another number of colluders, another search');
});
