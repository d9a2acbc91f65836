// Verdicts and limits by hand, under a calibration made for it; the committed one is put back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibration } from './calibration.ts';
import type { Calibration } from './calibration-table.ts';
import { clustering } from './clustering.ts';
import type { Observation } from './detector.ts';
import { ensemble } from './ensemble.ts';
import { isolationForest } from './isolation-forest.ts';
import { judge } from './judge.ts';
import { limitOf, limitsOf, quietStandings, useCalibration } from './limits.ts';
import { featureIds } from './measure/features.ts';
import { opposition } from './opposition.ts';
import { prediction } from './prediction.ts';
import { badnessOf } from './reputation.ts';
import { robustThresholds } from './robust-thresholds.ts';

const width = featureIds.length;
const [few, many] = [featureIds.map(() => 2), featureIds.map((_, k) => (k === 0 ? 7 : 3))];
const table = (scale: number) =>
  [
    [
      [1, 2, 4],
      [10, 20, 40],
    ],
    [
      [2, 4, 8],
      [20, 40, 80],
    ],
  ].map((rows) => rows.map((row) => row.map((v) => v * scale)));
const made: Calibration = {
  cohorts: [5, 20],
  horizons: [1, 10],
  shares: [0.1, 0.01, 0.001],
  features: [
    [few, many],
    [many, many],
  ],
  detectors: { opposition: table(1), 'robust-thresholds': table(0.1), ensemble: table(1), prediction: table(1) },
  lengths: [
    [5, 3],
    [4, 2],
  ],
  quiet: Uint8Array.from({ length: 2 * width }, (_, i) => (i === 1 ? 248 : i)).toBase64(),
};

/** A test under the calibration made here. The forest of quiet rounds is grown before, as it is kept for good. */
function testMade(name: string, body: () => void): void {
  test(name, () => {
    isolationForest.suspect(oneOut({}), 1);
    useCalibration(made);
    try {
      body();
    } finally {
      useCalibration(calibration);
    }
  });
}

const close = (actual: number, wanted: number) => assert.ok(Math.abs(actual - wanted) < 1e-9, `${actual}, ${wanted}`);

testMade('limitOf() is a straight line over ln share, by the cohort and horizon just below', () => {
  close(limitOf('opposition', 5, 1, 0.01), 2);
  close(limitOf('opposition', 19, 9, 0.001), 4);
  close(limitOf('opposition', 20, 1, 0.01), 4);
  close(limitOf('opposition', 2, 10, 0.01), 20);
  // Half way from 1 % to 0.1 % on the logarithm's scale, and as far beyond the last share.
  close(limitOf('opposition', 5, 1, 0.001 * Math.sqrt(10)), 3);
  close(limitOf('opposition', 5, 1, 0.001 / Math.sqrt(10)), 5);
  close(limitOf('opposition', 5, 1, 0.5), 1);
  assert.equal(limitOf('nobody', 5, 1, 0.01), Infinity);
});

testMade('limitsOf() are never below 2.5, and the quiet standings are eighths with a sign', () => {
  assert.deepEqual(
    limitsOf(5, 1),
    featureIds.map(() => 2.5),
  );
  assert.deepEqual(limitsOf(5, 10), many);
  assert.deepEqual(limitsOf(200, 3), many);
  const quiet = quietStandings();
  assert.deepEqual([quiet.length, quiet[0]!.length], [2, width]);
  assert.deepEqual([quiet[0]![0], quiet[0]![1], quiet[1]![0]], [0, -1, width / 8]);
});

const cohort = (count: number, scores: (i: number) => Observation['trail']): Observation[] =>
  Array.from({ length: count }, (_, i) => ({
    clientId: `c${i}`,
    norm: 1,
    cosine: 0.5,
    othersCosine: 0.5,
    trail: scores(i),
  }));
/** Everybody at 0 but the last, in one feature or more. */
const oneOut = (scores: Observation['trail'][number], rounds = 1) =>
  cohort(5, (i) =>
    Array.from({ length: rounds }, () =>
      Object.fromEntries(Object.entries(scores).map(([id, v]) => [id, i === 4 ? v : 0])),
    ),
  );

testMade('suspicions by hand: deviations are 0.5 at least, so that a score of 4 is 8 deviations', () => {
  const values = (found: readonly { readonly value: number }[]) => found.map(({ value }) => value);
  const against = oneOut({ curvature: 4, cohort: -1, agreement: -1, cosine: 2 });
  assert.deepEqual(values(opposition.suspect(against, 1)), [0, 0, 0, 0, (8 + 2 + 2 - 4) / 2]);
  assert.deepEqual(values(opposition.suspect(oneOut({ cohort: 3 }), 1)), [0, 0, 0, 0, 0], 'never below 0');
  assert.deepEqual(values(robustThresholds.suspect(against, 1)), [0, 0, 0, 0, 8 / 2.5]);
  assert.deepEqual(values(prediction.suspect(oneOut({ prediction: -2, norm: 4 }), 1)), [0, 0, 0, 0, 4 / 2.5]);
  const [, , , , loud] = robustThresholds.suspect(oneOut({ norm: 4, cosine: -3, positive: 2, layers: -5, root: 1 }), 1);
  assert.deepEqual(
    loud!.reasons().map((text) => text.slice(-50)),
    [
      "over layers is 10 robust deviations below the cohort's",
      "its length is 8.0 robust deviations above the cohort's",
      "st the aggregate is 6.0 robust deviations below the cohort's",
    ].map((text) => text.slice(-50)),
  );
});

testMade(
  'clustering: the majority joins along the shortest links, another stands as far as its gap over the usual one',
  () => {
    // On a line: 0, 1, 2 and 12 (cut to 10), in units of standings; one feature of all.
    const positions = [0, 0.5, 1, 6];
    const found = clustering.suspect(
      cohort(4, (i) => [{ norm: positions[i]! }]),
      1,
    );
    // Median 0.75, deviation 1.4826 × median of 0.75, 0.25, 0.25, 5.25 = 1.4826 × 0.5.
    const standing = positions.map((p) => (p - 0.75) / (1.4826 * 0.5));
    const gap = (i: number, j: number) => Math.abs(standing[i]! - standing[j]!) / Math.sqrt(width);
    assert.deepEqual(
      found.slice(0, 3).map(({ value }) => value),
      [0, 0, 0],
    );
    close(found[3]!.value, gap(3, 2) / Math.max(0.1, gap(0, 1)));
    // Links shorter than 0.1 do not make small gaps large.
    const tight = clustering.suspect(oneOut({ norm: 1 }), 1);
    close(tight[4]!.value, 2 / Math.sqrt(width) / 0.1);
  },
);

testMade(
  'judge() takes the worst horizon that a client has lived through, and the rarest level that it reaches',
  () => {
    // Opposition of 6 over one round: limits at half of each share (two horizons are looked at).
    const verdicts = judge('opposition', oneOut({ curvature: 6 }), 0.02);
    assert.deepEqual(
      verdicts.map(({ isFlagged }) => isFlagged),
      [false, false, false, false, true],
    );
    close(verdicts[4]!.score, 6 / limitOf('opposition', 5, 1, 0.01));
    // 6 is more than 4 + 2·log10(2) = 4.6 at a share of 0.0005: the rarest level of all.
    assert.deepEqual([verdicts[4]!.rarity, verdicts[0]!.rarity, verdicts[0]!.score], [0.001, 1, 0]);
    assert.equal(judge('opposition', oneOut({ curvature: 2 }), 0.02)[4]!.rarity, 0.03);
    // Ten rounds: the mean over ten is held against limits ten times as high; the last round alone still counts.
    const [, , , , steady] = judge('opposition', oneOut({ curvature: 6 }, 10), 0.02);
    close(steady!.score, 3);
    const short = oneOut({ curvature: 6 }, 10).map((one, i) =>
      i === 4 ? { ...one, trail: one.trail.slice(0, 3) } : one,
    );
    close(judge('opposition', short, 0.02)[4]!.score, 3);
    assert.equal(judge('opposition', oneOut({ curvature: 1e9 }), 0.02)[4]!.score, 99);
  },
);

testMade('the ensemble: the most suspicious member speaks, copies and long updates are beyond doubt', () => {
  const found = ensemble.suspect(oneOut({ curvature: 6 }), 1);
  const share = (id: string, value: number) => value / limitOf(id, 5, 1, 0.003);
  close(found[4]!.value, Math.max(share('opposition', 6), share('robust-thresholds', 12 / 2.5)));
  assert.equal(found[4]!.reasons().length, 2, 'both are alarmed');
  const long = oneOut({}).map((one, i) => (i === 1 ? { ...one, norm: 6.1 } : one));
  assert.deepEqual(
    ensemble.suspect(long, 1).map(({ value }) => value),
    [0, 1e6, 0, 0, 0],
  );
  assert.match(ensemble.suspect(long, 1)[1]!.reasons().join(), /6\.1 times as long/);
  assert.match(
    ensemble
      .suspect(oneOut({ norm: 0.4 }), 1)[4]!
      .reasons()
      .join(),
    /none of which stands out alone/,
  );
});

testMade('badnessOf() is the weight of the rarest level reached, 0.7 at least for who is flagged', () => {
  const at = (rarity: number, isFlagged = false) => badnessOf({ isFlagged, rarity });
  assert.deepEqual(
    [1, 0.1, 0.03, 0.01, 0.003, 0.001].map((rarity) => at(rarity)),
    [0, 0.2, 0.4, 0.7, 0.9, 1],
  );
  assert.deepEqual([at(0.1, true), at(0.003, true), at(1, true)], [0.7, 0.9, 0.7]);
});
