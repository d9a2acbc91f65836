import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import { type AttackId, attacks, collusiveAttacks } from './index.ts';

const rng = createRng(1);
const honest = Array.from({ length: 8 }, () =>
  Float32Array.from({ length: 50 }, (_, k) => Math.cos(k) + 0.2 * rng.gaussian()),
);
const own = honest[0]!;

for (const [id, attack] of Object.entries(attacks)) {
  test(`${id} is hostile, repeatable, and leaves its input alone`, async () => {
    const before = own.slice();
    const input = { own, honest, round: 30, seed: 7, attackerCount: 2 };
    const hostile = await attack({ ...input, round: 35 });
    assert.equal(hostile.length, own.length);
    assert.deepEqual(hostile, await attack({ ...input, round: 35 }));
    assert.deepEqual(own, before);
    if (id !== 'mimic') assert.notDeepEqual(hostile, own);
    else assert.ok(honest.some((row) => row.every((value, k) => value === hostile[k])));
  });

  test(`${id} works for an attacker that sees no other client`, async () => {
    assert.equal((await attack({ own, round: 7, seed: 1 })).length, own.length);
  });
}

test('on-off is honest in its off rounds', async () => {
  assert.deepEqual(await attacks['on-off']({ own, round: 2, seed: 1 }), own);
});

test('slow drift stays below half a deviation for good', async () => {
  const hostile = await attacks['slow-drift']({ own, honest, round: 10_000, seed: 1 });
  const spread = 0.2 * 2;
  for (const [k, value] of hostile.entries()) assert.ok(Math.abs(value - own[k]!) < 0.5 * spread);
});

test('collusive attacks are those in which colluders with different updates send the same', async () => {
  const aggregate = async (rows: readonly Float32Array[]) =>
    rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]! / rows.length, 0));
  for (const [id, attack] of Object.entries(attacks)) {
    const input = { honest, round: 7, seed: 7, attackerCount: 2, aggregate };
    const [one, other] = [await attack({ ...input, own }), await attack({ ...input, own: honest[1]! })];
    const isSame = one.every((value, k) => Object.is(value, other[k]));
    assert.equal(isSame, collusiveAttacks.has(id as AttackId) || id === 'zero', id);
  }
});
