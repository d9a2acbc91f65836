import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../core/plan/plan.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import { simulatePlan } from '../simulation/index.ts';

type Opening = {
  readonly participants: readonly string[];
  readonly leftOut: readonly { readonly clientId: string; readonly trust: number }[];
};

/** Eight clients, one of which sends ten times its update unless all are honest; what the journal says of each round. */
async function journalOf(reputation: 'observe' | 'select', rounds: number, partition: 'iid' | 'by-label' = 'iid') {
  const openings: Opening[] = [];
  const verdicts: (readonly ClientVerdict[])[] = [];
  const { attackers } = await simulatePlan({
    plan: parsePlan({
      model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
      rounds: { count: rounds },
      cohort: { expected: 8, quorum: 4 },
      detection: { reputation },
    }),
    seed: 11,
    path: 'fast',
    partition,
    ...(partition === 'iid' ? { attackers: 1, attack: ['scaling'] } : {}),
    onEntry: ({ kind, data }) => {
      if (kind === 'round.opened') openings.push(data as unknown as Opening);
      if (kind === 'round.verdicts') verdicts.push(data['verdicts'] as unknown as ClientVerdict[]);
    },
  });
  return { liar: attackers[0]?.clientId ?? '', openings, verdicts };
}

test('select: who is excluded is invited no more, comes back in time, and is out again sooner; no honest client ever is', async () => {
  const { liar, openings } = await journalOf('select', 30);
  const out = openings.map(({ leftOut }) => leftOut.map(({ clientId }) => clientId));
  assert.ok(
    out.flat().every((clientId) => clientId === liar),
    'only the liar',
  );
  const isOut = out.map((list) => list.includes(liar));
  assert.deepEqual(
    openings.map(({ participants }) => !participants.includes(liar)),
    isOut,
    'who is left out is not invited, and the journal says who and how little it is trusted',
  );
  assert.ok(openings.every(({ leftOut }) => leftOut.every(({ trust }) => trust < 0.6)));
  const first = isOut.indexOf(true);
  const back = isOut.indexOf(false, first);
  const again = isOut.indexOf(true, back);
  assert.equal(first, 4, 'after four hostile rounds');
  assert.ok(back - first > 4 && again - back < 4, `out in ${first + 1}, back in ${back + 1}, out in ${again + 1}`);
});

test('the journal has one verdict for each client of each round: a flag has its reasons, its likeness and what trust is left', async () => {
  const { liar, openings, verdicts } = await journalOf('observe', 6);
  assert.deepEqual(
    verdicts.map((list) => list.map(({ clientId }) => clientId).sort()),
    openings.map(({ participants }) => [...participants].sort()),
  );
  for (const { isFlagged, reasons, pattern } of verdicts.flat()) {
    assert.deepEqual([reasons.length > 0, pattern !== undefined], [isFlagged, isFlagged]);
  }
  const trail = verdicts.map((list) => list.find(({ clientId }) => clientId === liar)!);
  assert.ok(trail.every(({ isFlagged, reasons }) => isFlagged && /times as long/.test(reasons.join())));
  assert.deepEqual(
    trail.map(({ standing }) => standing === 'excluded'),
    [false, false, false, true, true, true],
  );
  const trust = trail.map((verdict) => verdict.trust!);
  assert.deepEqual(
    trust,
    trust.toSorted((a, b) => b - a),
    'trust falls from round to round',
  );
});

test('select: honest outliers stay: of clients whose data are sorted by label nobody is left out', async () => {
  const { openings } = await journalOf('select', 24, 'by-label');
  assert.equal(openings.length, 24);
  assert.ok(openings.every(({ leftOut, participants }) => leftOut.length === 0 && participants.length === 8));
});
