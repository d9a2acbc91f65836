import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Observation } from '../detector.ts';
import { featureIds } from '../measure/features.ts';
import type { Scores } from '../measure/standing.ts';
import { countPatterns, patternName } from './pattern.ts';
import { readPoints, writePoints } from './pattern-table.ts';
import { patternTable } from './prototypes.ts';
import { type Known, patternOf, recognise } from './recognise.ts';
import { lengthAt, signatureLength } from './signature.ts';

const at = (entries: Partial<Record<(typeof featureIds)[number], number>>) =>
  Float64Array.from({ length: signatureLength }, (_, k) => entries[featureIds[k]!] ?? 0);

// Two attacks: one is far out in curvature, the other in length.
const known: Known = {
  table: {
    labels: ['sign-flip', 'scaling'],
    attacks: ['a', 'b'],
    radii: { 'sign-flip': 0.1, scaling: 0.1 },
    points: '',
  },
  points: [at({ curvature: 2, cohort: -2 }), at({ norm: 2 })],
};

test('a signature gets the label of the nearest prototype, with what both share as evidence', () => {
  const { label, evidence } = patternOf(at({ curvature: 1.8, cohort: -1.2, repeat: 1 }), known);
  assert.equal(label, 'sign-flip');
  assert.deepEqual(evidence, [
    "its answer to the step of the model since its last update is 7.2 robust deviations above the cohort's",
    "its direction against the other updates together is 4.8 robust deviations below the cohort's",
  ]);
  assert.equal(patternOf(at({ norm: 2.4 }), known).label, 'scaling');
});

test('beyond the radius of the nearest label a signature is unknown, and says what stands out', () => {
  // 17 features and 3 facts: (2 + 2 + 2.5) / 20 from the first prototype, (2 + 2.5) / 20 from the second.
  const { label, evidence } = patternOf(at({ support: 4 }), known);
  assert.equal(label, 'unknown');
  assert.equal(evidence.length, 1);
  assert.match(evidence[0]!, /exactly zero is 16 robust deviations above/);
  assert.equal(
    patternOf(at({ curvature: 1.8, cohort: -1.2 }), { ...known, table: { ...known.table, radii: {} } }).label,
    'unknown',
  );
});

test('next to nothing is a free rider, whatever else it looks like', () => {
  const empty = Float64Array.from(at({ curvature: 2, cohort: -2 }));
  empty[lengthAt] = Math.log(0.29);
  const evidence = ["it is 0.29 times as long as the cohort's median"];
  assert.deepEqual(patternOf(empty, known), { label: 'free-rider', evidence });
});

test('prototypes come back from their bytes within a hundredth, and the committed ones are whole', () => {
  const width = 7;
  const point = fc.array(fc.double({ min: -2.5, max: 2.5, noNaN: true }), { minLength: width, maxLength: width });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 5 }), (points) => {
      const back = readPoints(writePoints(points), width);
      assert.equal(back.length, points.length);
      points.forEach((one, i) => one.forEach((value, k) => assert.ok(Math.abs(value - back[i]![k]!) <= 0.0101)));
    }),
    { seed: 6, numRuns: 50 },
  );
  const { labels, attacks, radii, points } = patternTable;
  assert.equal(readPoints(points, signatureLength).length, labels.length);
  assert.equal(attacks.length, labels.length);
  for (const label of labels) assert.ok(radii[label]! > 0 && radii[label]! < 1, label);
  // Two have definitions, and no prototypes.
  assert.deepEqual([...new Set(labels)].sort(), ['backdoor', 'drift', 'label-flip', 'noise', 'scaling', 'sign-flip']);
});

/** Six clients alike; the last as given. */
function cohort(last: Partial<Observation>): Observation[] {
  return Array.from({ length: 6 }, (_, i) => ({
    clientId: `client-${i}`,
    norm: 1,
    cosine: 0.5,
    othersCosine: 0.5,
    nearest: 1,
    trail: [{}] as readonly Scores[],
    ...(i === 5 ? last : {}),
  }));
}

test('recognise() names flagged clients only, and a broken value first of all', () => {
  assert.deepEqual(recognise(cohort({ norm: 0 }), []), []);
  assert.equal(recognise(cohort({ norm: Number.NaN, trail: [] }), [5])[0]!.label, 'broken-values');
  assert.equal(recognise(cohort({ norm: 0, nearest: 0.5 }), [5])[0]!.label, 'free-rider');
  const copy = (nearest: number, norm: number) => recognise(cohort({ nearest, norm }), [5])[0]!;
  assert.deepEqual(copy(0.04, 1), {
    label: 'copies',
    evidence: ['another update differs from it by 4 % of its length'],
  });
  assert.equal(copy(0.09, 0.5).label, 'copies');
  assert.notEqual(copy(0.11, 1).label, 'copies');
  // A short one is a free rider, unless it is exactly what another sent too.
  assert.equal(copy(0.004, 0.1).label, 'free-rider');
  assert.equal(copy(0.00005, 0.1).label, 'copies');
  assert.equal(recognise(cohort({}).slice(0, 2), [1])[0]!.label, 'unknown');
});

test('countPatterns() counts what was named, the most frequent first', () => {
  const pattern = (label: 'noise' | 'copies') => ({ pattern: { label, evidence: [] } });
  assert.deepEqual(countPatterns([pattern('noise'), {}, pattern('copies'), pattern('copies')]), [
    { label: 'copies', count: 2 },
    { label: 'noise', count: 1 },
  ]);
  assert.equal(patternName('unknown'), 'no known attack');
});
