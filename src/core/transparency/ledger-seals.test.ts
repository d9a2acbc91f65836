import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../protocol/canonical-json.ts';
import { type LedgerHead, ledgerSeal } from '../privacy/ledger/heads.ts';
import { chainsToSeal } from '../privacy/ledger/sealed-chains.ts';
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
  assert.deepEqual(verifyLedgerSeals(log, { heads: grown }), { newest: ledgerSeal(grown), findings: [] });
  assert.deepEqual(verifyLedgerSeals(log, { heads: { ...grown, c: { entries: 1, hash: hash('9') } } }).findings, []);
  assert.deepEqual(verifyLedgerSeals([other], { heads: first }), { newest: null, findings: [] });
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
    const held = verifyLedgerSeals([entryOf(first, 4)], { heads }).findings;
    assert.match(held[0]!.problem, /is behind what the log has sealed: .* sealed were 5 of 2/);
  }
});

test('a chain that was reset and has grown beyond the sealed count is named', () => {
  const chainOf = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => (i === 0 ? hash(name) : `${name}${i}`.padEnd(64, '0')));
  const sealOf = (sequence: number, sealed: Record<string, string[]>) => {
    const ledger = new Map(Object.entries(sealed).map(([id, hashes]) => [id, hashes.map((h) => ({ hash: h }))]));
    const heads = Object.fromEntries(
      Object.entries(sealed).map(([id, hashes]) => [id, { entries: hashes.length, hash: hashes.at(-1)! }]),
    );
    const chains = chainsToSeal(ledger as never);
    return {
      sequence,
      kind: 'ledger.sealed',
      data: { ...ledgerSeal(heads), chains } as unknown as Record<string, Json>,
    };
  };
  const log = [
    sealOf(3, { a: chainOf('a', 3), b: chainOf('b', 5) }),
    sealOf(6, { a: chainOf('a', 4), b: chainOf('b', 5) }),
  ];
  const whole = { a: chainOf('a', 9), b: chainOf('b', 5) };
  assert.deepEqual(verifyLedgerSeals(log, { chains: whole }).findings, []);
  const reset = { a: [hash('a'), ...chainOf('c', 12).slice(1)], b: chainOf('b', 5) };
  const [found] = verifyLedgerSeals(log, { chains: reset }).findings;
  assert.match(found!.problem, /chain a{16} does not hold the entry that the log has sealed as its 4th: it has 12/);
  assert.match(verifyLedgerSeals(log, { chains: { a: whole.a } }).findings[0]!.problem, /chain b{16} .* it has 0/);
  const back = [...log, sealOf(9, { a: chainOf('a', 9), b: chainOf('b', 4) })];
  assert.match(verifyLedgerSeals(back).findings[0]!.problem, /seals chain b{16} .* behind where it stood/);
});
