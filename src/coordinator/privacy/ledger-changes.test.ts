import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import { admit, commitChanges, freshReservation } from './ledger-changes.ts';

const grant = { purpose: 'training', epsilon: 5, delta: 1e-5, rule: 'plan', order: 2 } as const;
const steps = { noiseMultiplier: 9, sampleRate: 1, steps: 1 };

describe('freshReservation()', () => {
  it('a round that a restored run repeats is charged again, under another name', () => {
    const ledger = new Map<string, LedgerChain>();
    const names: string[] = [];
    for (let again = 0; again < 3; again++) {
      const reservation = freshReservation(ledger, 'run', 4);
      names.push(reservation);
      const { admitted, changes } = admit(ledger, ['a'], { grant, run: 'run', reservation }, steps);
      assert.deepEqual(admitted, ['a']);
      write(ledger, changes);
      write(ledger, commitChanges(ledger, reservation, `release ${again}`));
    }
    assert.deepEqual(names, ['run/4', 'run/4/2', 'run/4/3']);
    assert.equal(ledger.get('a')!.filter(({ event }) => event.kind === 'commit').length, 3);
    assert.equal(freshReservation(ledger, 'other', 4), 'other/4');
    assert.equal(freshReservation(ledger, 'run', 5), 'run/5');
  });
});

function write(ledger: Map<string, LedgerChain>, changes: ReturnType<typeof commitChanges>): void {
  for (const change of changes) {
    assert.ok(change.kind === 'ledger');
    const { subject } = change.entry.event;
    ledger.set(subject, [...(ledger.get(subject) ?? []), change.entry]);
  }
}
