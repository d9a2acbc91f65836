// Small parts of a round in figures: personal models, phases, and values that are read in pieces.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMetrics } from '../intake/expand.ts';
import { combineMetrics } from './evaluation.ts';

function report(clientId: string, examples: number, personal?: { lossSum: number; correctCount: number }) {
  const outcome = checkMetrics({
    examples,
    lossSum: 1,
    correctCount: 1,
    ...(personal === undefined ? {} : { personal }),
  });
  assert.ok(outcome.ok);
  return { clientId, metrics: outcome.value };
}

test('personal models are summed up over the sites that have one', () => {
  const combined = combineMetrics([
    report('a', 10, { lossSum: 5, correctCount: 9 }),
    report('b', 30, { lossSum: 45, correctCount: 15 }),
    report('c', 1000),
    report('d', 40, { lossSum: 6, correctCount: 20 }),
  ]);
  const personal = combined?.personal;
  assert.equal(personal?.reports, 3);
  assert.equal(personal?.accuracy, 44 / 80);
  assert.equal(personal?.loss, 56 / 80);
  // Accuracies 0.9, 0.5 and 0.5: of equal ones the first is the worst; mean 19/30.
  assert.deepEqual(personal?.worst, { clientId: 'b', accuracy: 0.5 });
  const mean = 1.9 / 3;
  const variance = ((0.9 - mean) ** 2 + 2 * (0.5 - mean) ** 2) / 2;
  assert.ok(Math.abs(personal!.accuracySpread - Math.sqrt(variance)) < 1e-12);
  assert.ok(!('personal' in combineMetrics([report('c', 5)])!));
});
