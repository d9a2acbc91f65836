import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../../core/plan/plan.ts';
import { grantBudget, reserve } from '../../core/privacy/ledger/budget.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import type { Snapshot } from '../run-log.ts';
import { openFtrlRound } from './ftrl-opening.ts';
import { planStrategy } from './ftrl-rounds.ts';

test('among clients that took part equally often, the one with more budget left comes first', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const plan = parsePlan({
      model: { kind: 'softmax-regression', inputs: 2, classes: 2 },
      seed,
      rounds: { count: 6 },
      cohort: { expected: 3, size: 2, quorum: 1 },
      privacy: { mode: 'central', mechanism: 'dp-ftrl', epsilon: 6, delta: 1e-5, preset: 'weak' },
    });
    const grant = { subject: 'b', purpose: 'training', epsilon: 6, delta: 1e-5, rule: 'plan', order: 2 } as const;
    const request = { purpose: 'training', run: 'other', reservation: 'other/1' };
    const asked = reserve(grantBudget([], grant), { ...request, noiseMultiplier: 5, sampleRate: 1, steps: 1 });
    assert.ok(asked.ok);
    const ledger = new Map<string, LedgerChain>([['b', asked.chain]]);
    const privacy = { noiseMultiplier: 20, released: 0, radius: 1 };
    const snapshot = { ledger, run: { privacy } } as unknown as Snapshot;
    const everybody = { round: 1, candidates: ['a', 'b', 'c'], approved: ['a', 'b', 'c', 'd'] };
    const opening = openFtrlRound({ plan, runId: 'run', strategy: planStrategy(plan) }, snapshot, everybody);
    assert.ok(opening.kind === 'open');
    assert.deepEqual(opening.participants, ['a', 'c'], `seed ${seed}`);
    assert.deepEqual((opening.data['privacy'] as { away: unknown }).away, ['d'], 'who was not there is noted');
  }
});
