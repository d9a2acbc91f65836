import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import type { Observation } from './detector.ts';
import { type DetectorId, detectors } from './index.ts';
import { judge } from './judge.ts';
import { featureIds } from './measure/features.ts';
import type { Scores } from './measure/standing.ts';

const ids = Object.keys(detectors) as DetectorId[];

/** Honest clients: scores of each round are normal, the norms and cosines alike. */
function quietCohort(n: number, participations: number, seed: number): Observation[] {
  const rng = createRng(seed);
  return Array.from({ length: n }, (_, i) => ({
    clientId: `client-${i}`,
    norm: Math.exp(0.1 * rng.gaussian()),
    cosine: 0.6 + 0.05 * rng.gaussian(),
    othersCosine: 0.5 + 0.03 * rng.gaussian(),
    nearest: 1 + 0.1 * rng.float(),
    trail: Array.from(
      { length: participations },
      (): Scores => Object.fromEntries(featureIds.map((id) => [id, Math.max(-8, Math.min(8, rng.gaussian()))])),
    ),
  }));
}

/** Features that are low where harm is done. */
const toHarm = ['nearest', 'cohort', 'agreement', 'cosine', 'reference'];

/** The same cohort with one client that is far out in every way, in every round. */
function withLiar(cohort: readonly Observation[], at: number): Observation[] {
  return cohort.map((one, i) =>
    i !== at
      ? one
      : {
          ...one,
          norm: 30,
          cosine: -0.9,
          othersCosine: -0.9,
          nearest: 0.001,
          trail: one.trail.map(() => Object.fromEntries(featureIds.map((id) => [id, toHarm.includes(id) ? -8 : 8]))),
        },
  );
}

function flaggedBy(id: DetectorId, observations: readonly Observation[]): string[] {
  return judge(id, observations, 0.003).flatMap(({ clientId, isFlagged }) => (isFlagged ? [clientId] : []));
}

for (const id of ids) {
  test(`${id} gives one verdict for each client, whatever their order, and never says NaN`, () => {
    const cohort = withLiar(quietCohort(12, 20, 1), 4);
    const verdicts = judge(id, cohort, 0.003);
    assert.deepEqual(
      verdicts.map(({ clientId }) => clientId),
      cohort.map(({ clientId }) => clientId),
    );
    const turned = judge(id, cohort.toReversed(), 0.003).toReversed();
    for (const [i, { score, rarity, isFlagged, reasons }] of verdicts.entries()) {
      assert.ok(score >= 0 && Number.isFinite(score) && rarity > 0 && rarity <= 1);
      assert.equal(isFlagged, reasons.length > 0);
      assert.equal(isFlagged, score >= 1);
      assert.ok(Math.abs(turned[i]!.score - score) < 1e-9);
    }
  });

  test(`${id} flags a client that is far out in every way for a window, and nobody else`, () => {
    for (const n of [10, 20]) assert.deepEqual(flaggedBy(id, withLiar(quietCohort(n, 20, n), 2)), ['client-2']);
  });

  test(`${id} accuses nobody else in small cohorts and first rounds`, () => {
    for (const [n, participations] of [
      [5, 1],
      [5, 20],
      [20, 1],
    ] as const) {
      const flagged = flaggedBy(id, withLiar(quietCohort(n, participations, n), 2));
      assert.ok(
        flagged.every((clientId) => clientId === 'client-2'),
        `${n}, ${participations}: ${flagged.join()}`,
      );
    }
  });

  test(`${id} says nothing of one client, of two, and of clients without a past`, () => {
    for (const n of [1, 2]) assert.ok(judge(id, quietCohort(n, 3, 1), 0.003).every(({ isFlagged }) => !isFlagged));
    const bare = quietCohort(6, 0, 2).map((one) => ({ ...one, trail: [{}] }));
    assert.ok(judge(id, bare, 0.003).every(({ isFlagged }) => !isFlagged));
  });
}

test('judge() flags what is not finite, and counts it as rare as can be', () => {
  const cohort = quietCohort(6, 1, 3).map((one, i) => (i === 0 ? { ...one, norm: Number.NaN } : one));
  const [first] = judge('ensemble', cohort, 0.003);
  assert.deepEqual([first!.isFlagged, first!.rarity], [true, 0.001]);
  assert.match(first!.reasons.join(), /not a finite number/);
});

test('the ensemble flags a client that is a little out in every round, where one round shows nothing', () => {
  const lean = (one: Observation): Observation => ({
    ...one,
    trail: one.trail.map((scores) => ({ ...scores, positive: scores.positive! + 5, agreement: scores.agreement! - 5 })),
  });
  const cohort = quietCohort(20, 20, 8).map((one, i) => (i === 7 ? lean(one) : one));
  assert.deepEqual(flaggedBy('ensemble', cohort), ['client-7']);
  assert.deepEqual(
    flaggedBy(
      'ensemble',
      cohort.map((one) => ({ ...one, trail: one.trail.slice(-1) })),
    ),
    [],
  );
});
