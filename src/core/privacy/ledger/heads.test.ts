import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commit, grantBudget, reserve } from './budget.ts';
import type { LedgerChain } from './chain.ts';
import { ledgerHeads, rewoundSubject } from './heads.ts';

const grant = { purpose: 'training', epsilon: 5, delta: 1e-5, rule: 'plan', order: 2 } as const;

function chainOf(subject: string, rounds: number, release = 'h'): LedgerChain {
  let chain = grantBudget([], { subject, ...grant });
  for (let round = 0; round < rounds; round++) {
    const steps = { noiseMultiplier: 9, sampleRate: 1, steps: 1 };
    const answer = reserve(chain, { purpose: 'training', run: 'r', reservation: `r/${round}`, ...steps });
    assert.ok(answer.ok);
    chain = commit(answer.chain, `r/${round}`, `${release}${round}`);
  }
  return chain;
}

describe('ledger heads', () => {
  const ledger = new Map([
    ['b', chainOf('b', 2)],
    ['a', chainOf('a', 1)],
  ]);
  const heads = ledgerHeads(ledger);

  it('say how far each chain has come, by subject', () => {
    assert.deepEqual(Object.keys(heads), ['a', 'b']);
    assert.deepEqual(heads['b'], { entries: 5, hash: ledger.get('b')!.at(-1)!.hash });
  });

  it('are met by the same ledger and by one that went on', () => {
    assert.equal(rewoundSubject(ledger, heads), undefined);
    assert.equal(rewoundSubject(new Map(ledger).set('a', chainOf('a', 3)).set('c', chainOf('c', 1)), heads), undefined);
  });

  it('show a chain that is shorter, another one of the same length, and one that is gone', () => {
    const before = new Map(ledger).set('b', chainOf('b', 1));
    assert.deepEqual(rewoundSubject(before, heads), { subject: 'b', known: 5, held: 3 });
    const other = new Map(ledger).set('b', chainOf('b', 2, 'other'));
    assert.deepEqual(rewoundSubject(other, heads), { subject: 'b', known: 5, held: 5 });
    const longer = new Map(ledger).set('b', chainOf('b', 4, 'other'));
    assert.deepEqual(rewoundSubject(longer, heads), { subject: 'b', known: 5, held: 9 });
    assert.deepEqual(rewoundSubject(new Map(), heads), { subject: 'a', known: 3, held: 0 });
  });
});
