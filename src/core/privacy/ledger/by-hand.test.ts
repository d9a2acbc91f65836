// Budgets, filters, forecasts and chains in figures that can be reckoned by hand.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gaussianEpsilon, RDP_ORDERS } from '../index.ts';
import {
  admittedSteps,
  cancel,
  commit,
  grantBudget,
  merged,
  reserve,
  settle,
  spendingOf,
  spentEpsilon,
} from './budget.ts';
import { appendEvent, firstBrokenEntry, followsHead, type LedgerChain } from './chain.ts';
import { bestFilterOrder, renyiBudget, renyiCost, renyiEpsilon } from './filter.ts';
import { forecastExhaustion } from './forecast.ts';

const close = (actual: number, wanted: number, error = 1e-9) =>
  assert.ok(Math.abs(actual - wanted) <= error, `${actual} instead of ${wanted}`);
const grant = (purpose = 'training', rule: 'plan' | 'filter' = 'filter', subject = 'clinic') => ({
  subject,
  purpose,
  epsilon: 2,
  delta: 1e-5,
  rule,
  order: 10,
});
const request = (reservation: string, steps = 1, noiseMultiplier = 10) =>
  ({ purpose: 'training', run: 'r', reservation, noiseMultiplier, sampleRate: 1, steps }) as const;
function held(chain: LedgerChain, ...args: Parameters<typeof request>): LedgerChain {
  const outcome = reserve(chain, request(...args));
  assert.ok(outcome.ok);
  return outcome.chain;
}

test('an entry is the hash of its fields in the order of their names, and follows from the one before', () => {
  const chain = appendEvent([], { kind: 'cancel', subject: 's', reservation: 'r', reason: 'none' });
  const start = '0'.repeat(64);
  const line = `{"event":{"kind":"cancel","reason":"none","reservation":"r","subject":"s"},"index":0,"previous":"${start}","version":1}`;
  assert.equal(chain[0]!.hash, createHash('sha256').update(`qflare/ledger/v1\n${line}`).digest('hex'));
  const two = appendEvent(chain, { kind: 'cancel', subject: 's', reservation: 'r', reason: 'more' });
  assert.deepEqual([two.length, two[1]!.index, two[1]!.previous], [2, 1, chain[0]!.hash]);
  assert.deepEqual(
    [followsHead(two[0]!, undefined), followsHead(two[1]!, two[0]!.hash), followsHead(two[1]!, undefined)],
    [true, true, false],
  );
  assert.ok(!followsHead(two[0]!, two[0]!.hash) && !followsHead({ ...two[1]!, index: 0 }, two[0]!.hash));
  assert.ok(!followsHead({ ...two[0]!, index: 1 }, undefined) && !followsHead(two[1]!, two[1]!.hash));
  assert.deepEqual(
    [firstBrokenEntry([]), firstBrokenEntry(two, two[1]!.hash), firstBrokenEntry(two, 'x')],
    [undefined, undefined, 2],
  );
});

test('a filter: budget and ε are inverse, the order is the one that admits most steps', () => {
  for (const [order, epsilon, delta] of [
    [2, 9, 1e-3],
    [10, 2, 1e-5],
    [63, 0.5, 1e-9],
  ] as const) {
    close(renyiEpsilon(order, renyiBudget(order, epsilon, delta), delta), epsilon, 1e-12);
    close(
      renyiBudget(order, epsilon, delta),
      epsilon - Math.log(1 - 1 / order) + Math.log(delta * order) / (order - 1),
      1e-12,
    );
  }
  assert.equal(renyiEpsilon(10, 0, 0.9), 0, 'never below 0');
  assert.equal(renyiCost(8, { noiseMultiplier: 2, sampleRate: 1, steps: 3 }), 3);
  assert.equal(renyiCost(8, { noiseMultiplier: 0, sampleRate: 1, steps: 0 }), 0);
  const admitted = (order: number) => renyiBudget(order, 2, 1e-5) / (order / 2);
  const best = bestFilterOrder(2, 1e-5);
  assert.ok(RDP_ORDERS.every((order) => admitted(order) <= admitted(best)));
  assert.throws(() => bestFilterOrder(1e-4, 1e-9), /epsilon must be reachable/);
});

test('forecastExhaustion() gives quantiles of the negative binomial', () => {
  // One participation at p = ½: reached by round t with 1 − 2^−t. Two: ¼, ½, 0.6875, … 0.9375 by 7, 0.9648 by 8.
  assert.deepEqual(forecastExhaustion(1, 0.5), { low: 1, median: 1, high: 5 });
  assert.deepEqual(forecastExhaustion(2, 0.5), { low: 2, median: 3, high: 8 });
  assert.deepEqual(forecastExhaustion(1, 0.05), { low: 1, median: 14, high: 59 });
  for (const [left, rate] of [
    [0, 0.5],
    [1.5, 0.5],
    [3, 0],
    [3, 1.1],
  ] as const)
    assert.throws(() => forecastExhaustion(left, rate), RangeError);
});

test('a grant is one for each purpose and one subject for each chain', () => {
  const chain = grantBudget(grantBudget([], grant()), grant('statistics'));
  assert.deepEqual(
    chain.map(({ event }) => event.kind),
    ['grant', 'grant'],
  );
  assert.throws(() => grantBudget(chain, grant('statistics')), /must be granted once: statistics has a grant/);
  assert.throws(
    () => grantBudget(chain, grant('third', 'plan', 'other')),
    /must have one subject: current value is other/,
  );
  for (const bad of [{ epsilon: 0 }, { epsilon: Number.NaN }, { delta: 0 }, { delta: 1 }])
    assert.throws(() => grantBudget([], { ...grant(), ...bad }), RangeError);
  assert.throws(() => spendingOf(chain, 'nothing'), /must have been granted: current value is nothing/);
  // What one purpose reserves the other has not spent.
  const spent = held(chain, 'a');
  assert.deepEqual(
    [spendingOf(spent, 'training').reserved.size, spendingOf(spent, 'statistics').reserved.size],
    [1, 0],
  );
});

test('reservations: reserved and committed count, cancelled do not; a crash is settled by what is stored', () => {
  let chain = grantBudget([], grant());
  for (const name of ['a', 'b', 'c']) chain = held(chain, name);
  chain = commit(cancel(chain, 'b', 'too few'), 'a', 'hash of a');
  const spending = spendingOf(chain, 'training');
  assert.deepEqual(spending.committed, [{ noiseMultiplier: 10, sampleRate: 1, steps: 1 }]);
  assert.deepEqual([...spending.reserved.keys()], ['c']);
  const spent = spentEpsilon(spending);
  // Two Gaussian steps of σ = 10: μ² = 2/100, and a Rényi divergence of order 10 of 2 · 10 / 200.
  close(spent.plan, gaussianEpsilon(Math.sqrt(0.02), 1e-5), 1e-9);
  close(spent.filter, renyiEpsilon(10, 0.1, 1e-5), 1e-12);
  // Of the 16 orders 32 is best: 32/100 + ln(16 · 10⁵) ÷ 31 = 0.7807…
  close(spent.odometer, 0.32 + Math.log(16e5) / 31, 1e-12);
  close(spent.odometer, 0.7807, 5e-4);
  const none = spentEpsilon(spendingOf(grantBudget([], grant()), 'training'));
  assert.deepEqual(none, { plan: 0, filter: 0, odometer: 0 });
  assert.equal(cancel(chain, 'b', 'again'), chain);
  assert.throws(() => commit(chain, 'b', 'late'), /must be reserved: current value is cancel/);
  assert.throws(() => commit(chain, 'nobody', 'x'), /must exist: current value is nobody/);
  const settled = settle(held(chain, 'd'), (name) => (name === 'd' ? 'hash of d' : undefined));
  assert.deepEqual(
    settled.slice(-2).map(({ event }) => [event.kind, 'reservation' in event ? event.reservation : '']),
    [
      ['cancel', 'c'],
      ['commit', 'd'],
    ],
  );
  assert.equal(
    settle(settled, () => 'x'),
    settled,
    'nothing is open any more',
  );
  for (const bad of [{ steps: 0 }, { noiseMultiplier: -1 }, { sampleRate: 2 }, { steps: 1.5 }])
    assert.throws(() => reserve(chain, { ...request('e'), ...bad }), RangeError);
});

test('admittedSteps() is as many as fit and no more, by both rules and up to the most that is asked for', () => {
  const kind = { noiseMultiplier: 10, sampleRate: 1 };
  // By the filter at order 10 a step costs 10/200.
  const byFilter = Math.floor(renyiBudget(10, 2, 1e-5) / 0.05 + 1e-9);
  const chain = grantBudget([], grant());
  assert.equal(admittedSteps(spendingOf(chain, 'training'), kind), byFilter);
  assert.equal(admittedSteps(spendingOf(held(chain, 'a', 3), 'training'), kind), byFilter - 3);
  for (const most of [1, 2, 5, byFilter - 1, byFilter, byFilter + 1, 64])
    assert.equal(admittedSteps(spendingOf(chain, 'training'), kind, most), Math.min(most, byFilter), `at most ${most}`);
  assert.equal(admittedSteps(spendingOf(chain, 'training'), { noiseMultiplier: 0.1, sampleRate: 1 }), 0);
  const byPlan = spendingOf(grantBudget([], grant('training', 'plan')), 'training');
  const steps = admittedSteps(byPlan, kind);
  assert.ok(
    gaussianEpsilon(Math.sqrt(steps / 100), 1e-5) <= 2 && gaussianEpsilon(Math.sqrt((steps + 1) / 100), 1e-5) > 2,
  );
});

test('a refusal names the most steps and the least noise that fit', () => {
  const chain = held(grantBudget([], grant()), 'a', 3);
  const outcome = reserve(chain, request('b', 500));
  assert.ok(!outcome.ok);
  const budget = renyiBudget(10, 2, 1e-5) - 0.15;
  assert.equal(outcome.fitting.steps, Math.floor(budget / 0.05 + 1e-9));
  // 500 steps at σ cost 500 · 10 ÷ 2σ².
  close(outcome.fitting.noiseMultiplier!, Math.sqrt(2500 / budget), 1e-4);
  assert.ok(outcome.fitting.noiseMultiplier! >= Math.sqrt(2500 / budget) - 1e-9);
  close(outcome.spentEpsilon, renyiEpsilon(10, 0.15, 1e-5), 1e-12);
  close(outcome.pendingEpsilon, renyiEpsilon(10, 25.15, 1e-5), 1e-9);
  close(outcome.leftEpsilon, 2 - outcome.spentEpsilon, 1e-12);
  // A budget that is used up leaves nothing to fit; one whose order cannot be reached never admits anything.
  const full = held(grantBudget([], grant()), 'a', Math.floor(renyiBudget(10, 2, 1e-5) / 0.05 + 1e-9));
  const none = reserve(full, request('b', 1, 1));
  assert.ok(!none.ok && none.fitting.steps === 0);
  const never = reserve(grantBudget([], { ...grant(), order: 1.5 }), request('a'));
  assert.ok(!never.ok && never.fitting.steps === 0 && never.fitting.noiseMultiplier === undefined);
});

test('merged() adds up steps of the same noise and sampling only', () => {
  const one = { noiseMultiplier: 1, sampleRate: 0.5, steps: 2 };
  const found = merged([one, { ...one, sampleRate: 0.25 }, { ...one, steps: 5 }, { ...one, noiseMultiplier: 2 }]);
  assert.deepEqual(found, [
    { ...one, steps: 7 },
    { ...one, sampleRate: 0.25 },
    { ...one, noiseMultiplier: 2 },
  ]);
});
