import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pipeline } from '../../src/core/aggregation/pipeline.ts';
import { startState } from '../../src/core/round/global-step.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { boundProblem } from '../../src/simulation/world/aggregate-invariants.ts';
import { robustnessBound } from '../../src/simulation/world/robust-bound.ts';

test('bounds of ten rows with two liars, by hand', () => {
  const kappa = (pipeline: Pipeline) => robustnessBound(pipeline, 10)?.kappa;
  assert.equal(kappa([{ rule: 'trimmed-mean', f: 2 }]), (12 / 6) * (8 / 6));
  assert.equal(kappa([{ rule: 'median', f: 2 }]), 4 * (8 / 6) ** 2);
  assert.equal(kappa([{ rule: 'krum', f: 2 }]), 6 * (8 / 6));
  assert.equal(kappa([{ rule: 'multi-krum', f: 2 }]), 48 / 4);
  assert.equal(
    kappa([
      { rule: 'nnm', f: 2 },
      { rule: 'median', f: 2 },
    ]),
    (16 / 8) * (4 * (8 / 6) ** 2 + 1),
  );
});

test('there is no bound for a mean, nor for a Krum that looks at other neighbours', () => {
  assert.equal(robustnessBound([{ rule: 'mean' }], 10), undefined);
  assert.equal(robustnessBound([{ rule: 'multi-krum', f: 2, keepCount: 9, unproven: true }], 10), undefined);
});

/** Four clients at 1, 2, 3 and one at a million; the step is what the coordinator made of them. */
function problemOf(step: number, pipeline: Pipeline = [{ rule: 'trimmed-mean', f: 1 }]): string | undefined {
  const plan = parsePlan({
    model: { kind: 'softmax-regression', inputs: 1, classes: 2 },
    cohort: { expected: 4, quorum: 4 },
    aggregation: { pipeline: pipeline as never },
  });
  return boundProblem(
    {
      updates: {
        rows: [1, 2, 3, 1e6].map((value) => Float32Array.of(value, 0, 0, 0)),
        clientIds: ['a', 'b', 'c', 'liar'],
        claimedExamples: [1, 1, 1, 1],
        accumulations: [1, 1, 1, 1],
      },
      before: startState(new Float32Array(4)),
      after: startState(Float32Array.of(step, 0, 0, 0)),
    },
    { plan, isHostile: (clientId) => clientId === 'liar' },
  );
}

test('a step at the bound passes and one beyond it does not', () => {
  // κ = 6/2 · (1 + 1/2) = 4.5, the honest variance is 2/3, so the step may be √3 from the honest mean 2.
  assert.equal(problemOf(2 + Math.sqrt(3) - 1e-3), undefined);
  assert.equal(problemOf(2 - Math.sqrt(3) + 1e-3), undefined);
  assert.match(problemOf(2 + Math.sqrt(3) + 1e-3)!, /from the honest mean/);
  assert.match(problemOf(250_001.5)!, /from the honest mean/);
});

test('where the rule promises nothing, nothing is checked', () => {
  assert.equal(problemOf(250_001.5, [{ rule: 'mean' }]), undefined);
});
