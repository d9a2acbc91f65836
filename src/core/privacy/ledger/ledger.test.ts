import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { replan } from '../planner.ts';
import type { ScheduleStep } from '../accounting/epsilon.ts';
import { cancel, commit, grantBudget, reserve, settle, spendingOf, spentEpsilon } from './budget.ts';
import { firstBrokenEntry, type LedgerChain, type LedgerEntry } from './chain.ts';
import { bestFilterOrder, fitsBudget, gaussianRho, individualRho, renyiBudget } from './filter.ts';
import { forecastExhaustion, forecastFromHistory } from './forecast.ts';

const shared = process.env.QFLARE_SHARED ?? join(import.meta.dirname, '../../../../../shared');
const path = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(path) ? false : `no outside vectors at ${path}`;

function granted(rule: 'plan' | 'filter', epsilon = 2, delta = 1e-5): LedgerChain {
  return grantBudget([], {
    subject: 'clinic-7',
    purpose: 'training',
    epsilon,
    delta,
    rule,
    order: bestFilterOrder(epsilon, delta),
  });
}

const steps = (reservation: string, noiseMultiplier: number, count: number, run = 'run-1') =>
  ({ purpose: 'training', run, reservation, noiseMultiplier, sampleRate: 1, steps: count }) as const;

function reserved(chain: LedgerChain, request: ReturnType<typeof steps>): LedgerChain {
  const outcome = reserve(chain, request);
  assert.ok(outcome.ok, 'refused');
  return outcome.chain;
}

describe('ledger', () => {
  for (const rule of ['plan', 'filter'] as const) {
    it(`by ${rule}: no interleaving of runs, commits, cancels and crashes exceeds the grant (seeded)`, () => {
      for (let seed = 0; seed < 8; seed++) {
        const rng = createRng(seed).child('ledger', rule);
        const stored = new Map<string, string>();
        let chain = granted(rule, 3);
        let open: string[] = [];
        for (let event = 0; event < 25; event++) {
          const choice = rng.below(5);
          const name = open[rng.below(Math.max(1, open.length))];
          if (choice <= 1) {
            const outcome = reserve(
              chain,
              steps(`r${event}`, 1 + 4 * rng.float(), 1 + rng.below(3), `run-${rng.below(2)}`),
            );
            if (outcome.ok) {
              chain = outcome.chain;
              open.push(`r${event}`);
            } else assert.ok(outcome.pendingEpsilon > 3 && outcome.spentEpsilon <= 3);
          } else if (choice === 2 && name) {
            stored.set(name, `hash of ${name}`);
            if (rng.below(2) === 0) {
              chain = commit(chain, name, stored.get(name)!);
              open = open.filter((one) => one !== name);
            }
          } else if (choice === 3 && name && !stored.has(name)) {
            chain = cancel(chain, name, 'too few clients');
            open = open.filter((one) => one !== name);
          } else if (choice === 4) {
            chain = settle(chain, (one) => stored.get(one));
            open = [];
            assert.equal(spendingOf(chain, 'training').reserved.size, 0);
          }
          assert.ok(spentEpsilon(spendingOf(chain, 'training'))[rule] <= 3 * (1 + 1e-9), `seed ${seed} event ${event}`);
          assert.equal(firstBrokenEntry(chain), undefined);
        }
        for (const name of stored.keys()) {
          const isCounted = chain.some(({ event }) => event.kind === 'reserve' && event.reservation === name);
          assert.ok(isCounted, 'a release without a reservation');
        }
      }
    });
  }

  it('a refusal costs nothing and says what is left and what would fit', () => {
    for (const rule of ['plan', 'filter'] as const) {
      const chain = reserved(granted(rule), steps('a', 5, 4));
      const outcome = reserve(chain, steps('b', 5, 40));
      assert.ok(!outcome.ok);
      assert.match(
        outcome.reason,
        /^Cannot reserve as ε by (plan|filter) must be at most 2 at δ = 0.00001: current value is \d/,
      );
      assert.ok(outcome.spentEpsilon + outcome.leftEpsilon === 2 && outcome.pendingEpsilon > 2);
      assert.equal(spendingOf(chain, 'training').reserved.size, 1);
      const { steps: fewer, noiseMultiplier: more } = outcome.fitting;
      assert.ok(reserve(chain, steps('b', 5, Math.max(1, fewer))).ok === fewer > 0);
      assert.ok(!reserve(chain, steps('b', 5, fewer + 1)).ok);
      assert.ok(more !== undefined && more > 5 && reserve(chain, steps('b', more, 40)).ok);
    }
  });

  it('two concurrent runs share one budget', () => {
    const first = reserved(granted('filter'), steps('a', 5, 4, 'run-1'));
    const outcome = reserve(first, steps('b', 5, 50, 'run-2'));
    assert.ok(!outcome.ok);
    assert.ok(reserve(granted('filter'), steps('b', 5, outcome.fitting.steps + 1, 'run-2')).ok, 'alone it would fit');
  });

  it('commit is idempotent for one release and refuses another, and a cancelled one', () => {
    const chain = commit(reserved(granted('plan'), steps('a', 5, 1)), 'a', 'h1');
    assert.equal(commit(chain, 'a', 'h1'), chain);
    assert.throws(() => commit(chain, 'a', 'h2'), /must be reserved: current value is commit/);
    assert.throws(() => cancel(chain, 'a', 'late'), /must be reserved: current value is commit/);
    assert.throws(() => reserve(chain, steps('a', 5, 1)), /must be new/);
  });

  it('nothing resets a budget', () => {
    const { version: _, ...again } = {
      version: 1,
      subject: 'clinic-7',
      purpose: 'training',
      epsilon: 9,
      delta: 1e-5,
      rule: 'plan' as const,
      order: 5,
    };
    assert.throws(() => grantBudget(granted('plan'), again), /must be granted once/);
  });

  it('any change of an entry is found', () => {
    let chain = reserved(granted('plan'), steps('a', 5, 1));
    chain = commit(chain, 'a', 'h1');
    const head = chain.at(-1)!.hash;
    const tamper: ((entry: LedgerEntry) => LedgerEntry)[] = [
      (entry) => ({ ...entry, event: { ...entry.event, subject: 'other' } }),
      (entry) => ({ ...entry, index: entry.index + 1 }),
      (entry) => ({ ...entry, previous: `${entry.previous.startsWith('0') ? '1' : '0'}${entry.previous.slice(1)}` }),
      (entry) => ({ ...entry, hash: `${entry.hash.slice(1)}x` }),
    ];
    for (let at = 0; at < chain.length; at++) {
      for (const change of tamper)
        assert.equal(firstBrokenEntry(chain.map((entry, i) => (i === at ? change(entry) : entry))), at);
      assert.equal(
        firstBrokenEntry(
          chain.filter((_, i) => i !== at),
          head,
        ) === undefined,
        false,
      );
    }
    assert.equal(firstBrokenEntry(chain, head), undefined);
  });

  it('filters meet the outside vectors', { skip }, () => {
    const [zcdp, pure] = JSON.parse(readFileSync(path, 'utf8')).dp_mechanisms.privacy_filters.rows;
    let spent = 0;
    zcdp.sigmas.forEach((sigma: number, i: number) => {
      assert.equal(fitsBudget(zcdp.budget_rho, spent, gaussianRho(sigma)), zcdp.accepted[i]);
      spent += gaussianRho(sigma);
      assert.ok(Math.abs(spent - zcdp.spent_rho[i]) < 1e-12);
    });
    assert.equal(fitsBudget(zcdp.budget_rho, spent, gaussianRho(2)), zcdp.next_sigma_2_accepted);
    assert.deepEqual(
      [0, 1, 2].map((used) => fitsBudget(2, used, 1)),
      [true, true, false],
    );
    assert.equal(pure.spent.length, 2);
  });

  it('a client with a short deviation spends less', () => {
    assert.equal(individualRho(0.5, 1, 2), gaussianRho(2) / 4);
    assert.equal(individualRho(7, 1, 2), gaussianRho(2));
  });

  it('a filter’s order leaves a positive budget', () => {
    for (const epsilon of [0.5, 2, 8]) assert.ok(renyiBudget(bestFilterOrder(epsilon, 1e-6), epsilon, 1e-6) > 0);
  });

  it('the 90 % interval of the exhaustion round covers 85 to 95 % of 400 seeded runs with drop-outs', () => {
    const [left, sampleRate, stay] = [40, 0.3, 0.85];
    const { low, median, high } = forecastExhaustion(left, sampleRate * stay);
    let covered = 0;
    for (let seed = 0; seed < 400; seed++) {
      const rng = createRng(seed).child('forecast');
      let used = 0;
      let round = 0;
      while (used < left) {
        round++;
        if (rng.float() < sampleRate && rng.float() < stay) used++;
      }
      if (round >= low && round <= high) covered++;
    }
    assert.ok(low < median && median < high);
    assert.ok(covered / 400 > 0.85 && covered / 400 < 0.95, `${covered / 400}`);
    assert.deepEqual(forecastExhaustion(12, 1), { low: 12, median: 12, high: 12 });
  });
});

describe('forecastFromHistory()', () => {
  it('covers 85 to 95 % of 400 seeded runs where presence is known from 30 rounds alone', () => {
    let covered = 0;
    for (let seed = 0; seed < 400; seed++) {
      const rng = createRng(seed).child('history');
      const isThere = () => rng.float() < 0.85;
      let taken = 0;
      for (let round = 0; round < 30; round++) if (isThere()) taken++;
      const { low, high } = forecastFromHistory(40, { taken, rounds: 30 });
      let round = 0;
      for (let used = 0; used < 40; round++) if (isThere()) used++;
      if (round >= low && round <= high) covered++;
    }
    assert.ok(covered / 400 > 0.85 && covered / 400 < 0.95, `${covered / 400}`);
  });

  it('one participation left after one round taken: P[later than round 5] = 1/4 · 1/2 · 5/8 · 7/10 · 3/4 = .041, by hand', () => {
    assert.deepEqual(forecastFromHistory(1, { taken: 1, rounds: 1 }), { low: 1, median: 1, high: 5 });
    assert.throws(() => forecastFromHistory(1, { taken: 2, rounds: 1 }), /rounds − taken must be/);
  });
});

describe('replan()', () => {
  const settings = [
    [0.1, 100, 8, 1e-5],
    [0.1, 100, 2, 1e-5],
    [0.01, 1000, 1, 1e-5],
    [1, 50, 8, 1e-5],
    [0.2, 200, 4, 1e-6],
    [0.05, 500, 0.5, 1e-6],
  ] as const;
  for (const [sampleRate, rounds, epsilon, delta] of settings) {
    it(`uses 98 to 100 % of ε = ${epsilon} at q ${sampleRate}, T ${rounds}, with aborted rounds and drop-outs`, () => {
      const rng = createRng(rounds).child('replan');
      const spent: ScheduleStep[] = [];
      let used = 0;
      for (let part = 0; part < 3; part++) {
        const end = Math.round(((part + 1) * rounds) / 3);
        const stepsLeft = rounds - Math.round((part * rounds) / 3);
        const plan = replan({ epsilon, delta, sampleRate, stepsLeft, spent });
        used = plan.utilisation;
        let done = 0;
        // In the first two parts one round in ten is aborted: its share of the budget goes to later rounds.
        for (let round = rounds - stepsLeft; round < end; round++) if (part === 2 || rng.below(10) > 0) done++;
        spent.push({ noiseMultiplier: plan.noiseMultiplier, sampleRate, steps: done });
      }
      assert.ok(used > 0.98 && used <= 1, `${used}`);
    });
  }
});
