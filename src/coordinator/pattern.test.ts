import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../core/plan/plan.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import { type Hostility, simulatePlan } from '../simulation/index.ts';

/** The verdicts of the journal on the one attacker among eight clients. */
async function verdictsOn(attack: Hostility): Promise<readonly ClientVerdict[]> {
  const verdicts: ClientVerdict[] = [];
  const { attackers } = await simulatePlan({
    plan: parsePlan({
      model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
      rounds: { count: 3 },
      cohort: { expected: 8 },
    }),
    seed: 11,
    path: 'fast',
    partition: 'iid',
    attackers: 1,
    attack: [attack],
    onEntry: ({ kind, data }) => {
      if (kind === 'round.verdicts') verdicts.push(...(data['verdicts'] as unknown as ClientVerdict[]));
    },
  });
  return verdicts.filter(({ clientId }) => clientId === attackers[0]!.clientId);
}

test('the journal says of a flagged update what it looks like, with evidence; of others nothing', async () => {
  const copies = await verdictsOn('mimic');
  assert.deepEqual(
    copies.map(({ pattern }) => pattern?.label),
    ['copies', 'copies', 'copies'],
  );
  assert.match(copies[0]!.pattern!.evidence[0]!, /^another update differs from it by \S+ % of its length$/);
  for (const verdict of [...copies, ...(await verdictsOn('scaling'))]) {
    assert.equal(verdict.pattern !== undefined, verdict.isFlagged);
  }
});
