import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from './detector.ts';
import { judge } from './judge.ts';

const judged = (observations: readonly Observation[]) => judge('norm-cosine', observations, 0.01);

// Norms and cosines of a round of a Dirichlet(0.5) MNIST federation (MLP, ten clients, multi-Krum), computed outside:
// the fourth client flips the sign of its update, the eighth flips it and makes it ten times as long.
const norms = [1.67, 0.79, 1.58, 1.57, 1.17, 1.04, 1.88, 10.49, 1.05, 1.45];
const cosines = [0.68, 0.34, 0.77, -0.62, 0.54, 0.62, 0.81, -0.36, 0.59, 0.59];
const round = norms.map((norm, i) => ({
  clientId: `client-${i}`,
  norm,
  cosine: cosines[i]!,
  othersCosine: null,
  trail: [{}],
}));

test('norm-cosine flags the two sign flippers of a non-IID round and nobody else', () => {
  const verdicts = judged(round);
  const flagged = verdicts.filter(({ isFlagged }) => isFlagged).map(({ clientId }) => clientId);
  assert.deepEqual(flagged, ['client-3', 'client-7']);
  assert.match(verdicts[3]!.reasons.join(), /points away from the aggregate: cosine -0.62/);
  assert.match(verdicts[7]!.reasons.join(), /7 times as long as the cohort's median/);
  assert.deepEqual(verdicts[0]!.reasons, []);
});

test('norm-cosine flags nobody among equals', () => {
  const equal = round.map(({ clientId }) => ({ clientId, norm: 1, cosine: 0.9, othersCosine: 0.8, trail: [{}] }));
  assert.ok(judged(equal).every(({ isFlagged, score }) => !isFlagged && score === 0));
});

test('norm-cosine flags an empty update and one that is not finite', () => {
  const odd = round.map((observation, i) =>
    i === 0 ? { ...observation, norm: 0, cosine: 0 } : i === 1 ? { ...observation, norm: Number.NaN } : observation,
  );
  const verdicts = judged(odd);
  assert.match(verdicts[0]!.reasons.join(), /empty/);
  assert.match(verdicts[1]!.reasons.join(), /not a finite number/);
});

test('norm-cosine says nothing about two clients', () => {
  assert.ok(judged(round.slice(6, 8)).every(({ isFlagged }) => !isFlagged));
});

// Round 12 of such a federation (seed 1): multi-Krum let the second client, who flips the sign, into its mean.
const lateCosines = [0.22, 0.2, 0.36, 0.36, 0.38, 0.37, 0.14, -0.09, 0.3, 0.42];
const lateOthers = [-0.03, -0.32, -0.03, -0.01, -0.03, -0.09, 0.13, -0.09, 0.01, -0.02];

test('norm-cosine sees a sign flipper that the rule let in by the cosine to the aggregate of the others', () => {
  const late = lateCosines.map((cosine, i) => ({
    clientId: `client-${i}`,
    norm: 3,
    cosine,
    othersCosine: lateOthers[i]!,
    trail: [{}],
  }));
  const flagged = (observations: typeof late) =>
    judged(observations)
      .filter(({ isFlagged }) => isFlagged)
      .map(({ clientId }) => clientId);
  assert.deepEqual(flagged(late), ['client-1', 'client-7']);
  const [second] = judged(late).slice(1);
  assert.match(second!.reasons.join(), /what the others agree on: cosine -0.32, where the median is -0.03/);
});
