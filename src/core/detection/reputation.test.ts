import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { aged, badnessOf, newcomer, type Reputation, standingOf, weightOf, withEvidence } from './reputation.ts';

function after(evidence: readonly number[], start: Reputation = newcomer): Reputation {
  return evidence.reduce((reputation, e) => withEvidence(reputation, e, reputation.round + 1), start);
}

const rounds = (count: number, e: number) => Array.from({ length: count }, () => e);

test('a newcomer is trusted two to one, and one good round raises trust to three in four', () => {
  assert.equal(standingOf(newcomer).trust, 2 / 3);
  assert.equal(standingOf(after([0])).trust, 3 / 4);
  // Beta(3, 1): variance 3/(16 · 5).
  assert.ok(Math.abs(standingOf(after([0])).uncertainty - Math.sqrt(3 / 80)) < 1e-12);
});

test('a client that is hostile from the start is excluded in its fourth round, not before', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((count) => after(rounds(count, 1)).isExcluded),
    [false, false, false, true],
  );
});

test('a client with a long good record that turns is forecast before it is excluded', () => {
  let reputation = after(rounds(40, 0));
  const states: string[] = [];
  while (!reputation.isExcluded) {
    reputation = after([1], reputation);
    states.push(standingOf(reputation).state);
  }
  assert.ok(states.length < 20, `${states.length} rounds`);
  assert.ok(states.indexOf('turning') >= 0 && states.indexOf('turning') < states.indexOf('excluded'));
  assert.ok(standingOf(reputation).forecast < standingOf(reputation).trust);
});

test('one odd round in ten excludes nobody, ever', () => {
  let reputation = newcomer;
  for (let round = 1; round <= 300; round++) {
    reputation = withEvidence(reputation, round % 10 === 0 ? 1 : 0, round);
    assert.equal(reputation.isExcluded, false);
  }
  assert.equal(weightOf(reputation), 1);
});

test('an excluded client comes back in time, and is out again sooner when it has not changed', () => {
  const out = after(rounds(4, 1));
  const back = Array.from({ length: 100 }, (_, i) => i + 5).find((round) => !aged(out, round).isExcluded)!;
  assert.ok(back > 8 && back < 60, `round ${back}`);
  let again = aged(out, back - 1);
  let count = 0;
  while (!again.isExcluded || count === 0) {
    again = withEvidence(again, 1, back + count);
    count += 1;
  }
  assert.ok(count < 4);
  assert.equal(after(rounds(30, 0), aged(out, back)).isExcluded, false);
});

test('ageing by steps is ageing at once; trust stays a share and weights stay in [0.2, 1] (seeded)', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), fc.nat(30), (list, gap) => {
      const reputation = after(list);
      const { round } = reputation;
      const stepwise = Array.from({ length: gap }, (_, i) => round + i + 1).reduce(aged, reputation);
      const atOnce = aged(reputation, round + gap);
      assert.ok(Math.abs(stepwise.good - atOnce.good) < 1e-9 && Math.abs(stepwise.bad - atOnce.bad) < 1e-9);
      const { trust, uncertainty } = standingOf(reputation);
      assert.ok(trust > 0 && trust < 1 && uncertainty > 0 && uncertainty < 0.5);
      assert.ok(weightOf(reputation) >= 0.2 && weightOf(reputation) <= 1);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test('badnessOf() grows with rarity, and a flag weighs at least seven tenths', () => {
  const of = (rarity: number, isFlagged = false) => badnessOf({ rarity, isFlagged });
  assert.deepEqual(
    [1, 0.1, 0.03, 0.01, 0.003, 0.001].map((rarity) => of(rarity)),
    [0, 0.2, 0.4, 0.7, 0.9, 1],
  );
  assert.equal(of(1, true), 0.7);
});
