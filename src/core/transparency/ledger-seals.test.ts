import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../protocol/canonical-json.ts';
import { type LedgerHead, ledgerSeal } from '../privacy/ledger/heads.ts';
import { verifyLedgerSeals } from './ledger-seals.ts';

const hash = (digit: string) => digit.repeat(64);
const entryOf = (heads: Record<string, LedgerHead>, sequence: number) => ({
  sequence,
  kind: 'ledger.sealed',
  data: ledgerSeal(heads) as unknown as Record<string, Json>,
});
const first = { a: { entries: 3, hash: hash('1') }, b: { entries: 2, hash: hash('2') } };
const grown = { ...first, b: { entries: 4, hash: hash('3') } };

test('a ledger that only grows gives no finding; its newest seal is shown', () => {
  const other = { sequence: 1, kind: 'note', data: {} };
  const log = [entryOf(first, 0), other, entryOf(first, 2), entryOf(grown, 3)];
  assert.deepEqual(verifyLedgerSeals(log, grown), { newest: ledgerSeal(grown), findings: [] });
  assert.deepEqual(verifyLedgerSeals(log, { ...grown, c: { entries: 1, hash: hash('9') } }).findings, []);
  assert.deepEqual(verifyLedgerSeals([other], first), { newest: null, findings: [] });
  assert.deepEqual([ledgerSeal(first).entries, ledgerSeal(first).subjects], [5, 2]);
});

test('a ledger that was cut, lost a client or was exchanged is named by the entry of the log', () => {
  const cut = { ...first, b: { entries: 1, hash: hash('2') } };
  const lost = { a: { entries: 9, hash: hash('1') } };
  const exchanged = { ...first, b: { entries: 2, hash: hash('4') } };
  for (const heads of [cut, lost, exchanged]) {
    const { findings } = verifyLedgerSeals([entryOf(first, 4), entryOf(heads, 7)], undefined);
    assert.deepEqual(
      findings.map(({ file, entry }) => [file, entry]),
      [['journal.jsonl', 7]],
    );
    assert.match(findings[0]!.problem, /after one of 5: it was reset/);
    const held = verifyLedgerSeals([entryOf(first, 4)], heads).findings;
    assert.match(held[0]!.problem, /is behind what the log has sealed: .* sealed were 5 of 2/);
  }
});
