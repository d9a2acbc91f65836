import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import { simulatePlan } from '../simulation/index.ts';
import { syntheticBlobs } from '../simulation/world/sites.ts';
import { withRootSet } from './root-set.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
const planOf = (rootSamples: number) =>
  parsePlan({ model, rounds: { count: 3 }, cohort: { expected: 6 }, detection: { rootSamples } });

test('the root set is taken out of the test data, the same each time, and no sample is in both', () => {
  const pool = syntheticBlobs(model, { training: 10, test: 50 }, createRng(1));
  const { root, test: rest } = withRootSet({ plan: planOf(20), test: pool.test });
  assert.deepEqual([root!.labels.length, rest!.labels.length], [20, 30]);
  assert.deepEqual(withRootSet({ plan: planOf(20), test: pool.test }).root, root);
  const lines = ({ features }: { features: ArrayLike<number> }) =>
    Array.from({ length: features.length / 4 }, (_, i) => [0, 1, 2, 3].map((k) => features[4 * i + k]).join());
  assert.deepEqual([...lines(root!), ...lines(rest!)].sort(), lines(pool.test).sort());
  assert.deepEqual(withRootSet({ plan: planOf(0), test: pool.test }), { root: null, test: pool.test });
});

test('a run whose root set would leave nothing to test on is refused', () => {
  const pool = syntheticBlobs(model, { training: 10, test: 20 }, createRng(1));
  assert.throws(() => withRootSet({ plan: planOf(20), test: pool.test }), /less than .*\(20\): current value is 20$/);
  assert.throws(() => withRootSet({ plan: planOf(20), test: null }), /\(0\): current value is 20$/);
});

test('on a root set a label flip stands out by what it does to the loss; without one nothing is measured', async () => {
  const scoresOf = async (rootSamples: number) => {
    const scores: number[][] = [];
    const { attackers } = await simulatePlan({
      plan: planOf(rootSamples),
      seed: 5,
      path: 'fast',
      partition: 'iid',
      attackers: 1,
      attack: ['label-flip'],
      onEntry: ({ kind, data }) => {
        if (kind !== 'round.verdicts') return;
        const { scores: rows } = data['inspection'] as unknown as {
          scores: { clientId: string; scores: { root?: number } }[];
        };
        scores.push(rows.map((row) => row.scores.root ?? Number.NaN));
      },
    });
    return { scores, attacker: Number(attackers[0]!.clientId.slice(-2)) - 1 };
  };
  const { scores, attacker } = await scoresOf(100);
  assert.equal(scores.length, 3);
  for (const row of scores)
    assert.ok(
      row.every((z, i) => i === attacker || row[attacker]! > z),
      row.join(),
    );
  assert.ok((await scoresOf(0)).scores.flat().every((z) => Number.isNaN(z)));
});
