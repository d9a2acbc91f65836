import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregateWithReport } from '../aggregation/entry.ts';
import { attacks } from '../attacks/index.ts';
import { createRng } from '../random/rng.ts';
import { judge } from './judge.ts';

async function flagged(rows: readonly Float32Array[]): Promise<string[]> {
  const { diagnostics } = await aggregateWithReport(rows, [{ rule: 'multi-krum', f: 2 }]);
  const observations = rows.map((_, i) => ({
    clientId: String(i),
    norm: 1,
    cosine: 1,
    othersCosine: null,
    trail: [{}],
    nearest: diagnostics.nearest[i]!,
  }));
  const verdicts = judge('near-duplicate', observations, 0.01);
  for (const { isFlagged, reasons } of verdicts) assert.equal(isFlagged, reasons.length > 0);
  return verdicts.filter(({ isFlagged }) => isFlagged).map(({ clientId }) => clientId);
}

function honestRows(seed: number): Float32Array[] {
  const rng = createRng(seed);
  return Array.from({ length: 8 }, () => Float32Array.from({ length: 300 }, (_, k) => Math.sin(k) + rng.gaussian()));
}

test('near-duplicate flags colluders that send one vector, and Sybils that differ by one per cent', async () => {
  const honest = honestRows(1);
  const copy = await attacks.alie({ own: honest[0]!, honest, round: 1, seed: 1, attackerCount: 2 });
  assert.deepEqual(await flagged([...honest, copy, copy.slice()]), ['8', '9']);
  const sybils = await Promise.all([2, 3].map((i) => attacks.sybil({ own: honestRows(9)[i]!, round: 1, seed: 5 })));
  assert.deepEqual(await flagged([...honest, ...sybils]), ['8', '9']);
});

test('near-duplicate flags nobody in a hundred honest rounds', async () => {
  for (let seed = 0; seed < 100; seed++) assert.deepEqual(await flagged(honestRows(seed)), []);
});

test('near-duplicate flags the victim of a mimic together with the copy', async () => {
  const honest = honestRows(4);
  assert.deepEqual(await flagged([...honest, honest[2]!.slice()]), ['2', '8']);
});

test('near-duplicate is silent where no distances were computed', () => {
  const observations = ['a', 'b', 'c'].map((clientId) => ({
    clientId,
    norm: 1,
    cosine: 1,
    othersCosine: null,
    trail: [{}],
  }));
  const verdicts = judge('near-duplicate', observations, 0.01);
  assert.ok(verdicts.every(({ isFlagged, score }) => !isFlagged && score === 0));
});
