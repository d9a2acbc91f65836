import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gaussianEpsilon } from '../accounting/analytic-gaussian.ts';
import { cancel, grantBudget, reserve, spendingOf, spentEpsilon } from './budget.ts';
import type { LedgerChain } from './chain.ts';
import { groupEpsilon } from './group.ts';

const about = { purpose: 'training', delta: 1e-5 };

function chainOf(subject: string, rounds: readonly string[], sampleRate: number): LedgerChain {
  let chain = grantBudget([], { subject, ...about, epsilon: 50, rule: 'plan', order: 8 });
  for (const reservation of rounds) {
    const request = { purpose: 'training', run: 'run', reservation, noiseMultiplier: 5, sampleRate, steps: 1 };
    const answer = reserve(chain, request);
    assert.ok(answer.ok);
    chain = answer.chain;
  }
  return chain;
}

const close = (a: number, b: number, tolerance: number) => assert.ok(Math.abs(a - b) <= tolerance, `${a} ≠ ${b}`);

test('two clients of one person by hand: together in two rounds, one alone in a third, one cancelled', () => {
  const a = chainOf('a', ['r/1', 'r/2', 'r/3', 'r/4'], 1);
  const b = cancel(chainOf('b', ['r/1', 'r/2', 'r/4'], 1), 'r/4', 'nothing was released');
  // μ² = (2/5)² twice, and (1/5)² for each of the two rounds in which a is alone.
  close(groupEpsilon([a, b], about), gaussianEpsilon(Math.sqrt((4 + 4 + 1 + 1) / 25), 1e-5), 1e-9);
  const pending = { noiseMultiplier: 5, sampleRate: 1, members: 2 };
  close(groupEpsilon([a, b], about, pending), gaussianEpsilon(Math.sqrt(14 / 25), 1e-5), 1e-9);
  assert.equal(groupEpsilon([], about), 0);
  assert.equal(groupEpsilon([a], { ...about, purpose: 'other' }), 0);
});

test('under sampling: one client is what its own ledger says; two cost more than one and less than both at sample rate 1', () => {
  const rounds = ['r/1', 'r/2', 'r/3'];
  const [a, b] = [chainOf('a', rounds, 0.2), chainOf('b', rounds, 0.2)];
  const one = groupEpsilon([a], about);
  close(one, spentEpsilon(spendingOf(a, 'training')).plan, 1e-3);
  const two = groupEpsilon([a, b], about);
  const seen = groupEpsilon([chainOf('a', rounds, 1), chainOf('b', rounds, 1)], about);
  assert.ok(two > one && two < seen, `${one} < ${two} < ${seen}`);
});
