import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyMemory, type Inspection, type Memory, memoryOf, remember, rememberRefusals } from './memory.ts';

function round(number: number, clientIds: readonly string[], flagged: readonly string[] = []): Inspection {
  return {
    round: number,
    seed: 7,
    file: `file-${number}`,
    scores: clientIds.map((clientId) => ({ clientId, scores: { norm: number } })),
    verdicts: clientIds.map((clientId) => ({
      clientId,
      isFlagged: flagged.includes(clientId),
      rarity: flagged.includes(clientId) ? 0.001 : 1,
    })),
  };
}

test('remember() keeps twenty participations of each client, and where its last sketch is', () => {
  let memory: Memory = emptyMemory;
  for (let number = 1; number <= 25; number++)
    memory = remember(memory, round(number, number === 25 ? ['b'] : ['a', 'b']));
  assert.equal(memory.seed, 7);
  assert.deepEqual(
    memoryOf(memory, 'a').trail.map(({ norm }) => norm),
    Array.from({ length: 20 }, (_, i) => i + 5),
  );
  assert.deepEqual(memoryOf(memory, 'a').sketch, { file: 'file-24', index: 0 });
  assert.deepEqual(memoryOf(memory, 'b').sketch, { file: 'file-25', index: 0 });
  assert.deepEqual(memoryOf(memory, 'c').trail, []);
});

test('remember() names files that nobody needs any more, once, and keeps one that an absent client needs', () => {
  let memory = remember(emptyMemory, round(1, ['a', 'b']));
  const stale: string[] = [];
  for (let number = 2; number <= 12; number++) {
    memory = remember(memory, round(number, ['b']));
    stale.push(...memory.stale);
  }
  assert.ok(!stale.includes('file-1'));
  assert.deepEqual(
    memory.files,
    [7, 8, 9, 10, 11, 12].map((number) => `file-${number}`),
  );
  assert.ok(stale.includes('file-2') && !stale.includes('file-7'));
  memory = remember(memory, round(13, ['a', 'b']));
  assert.ok(memory.stale.includes('file-1'));
});

test('a flag lowers trust, a refusal for what was sent lowers it as much, and the fold is pure', () => {
  const flagged = remember(emptyMemory, round(1, ['a', 'b'], ['a']));
  assert.ok(memoryOf(flagged, 'a').reputation.bad === 1 && memoryOf(flagged, 'b').reputation.good === 1);
  const refused = rememberRefusals(emptyMemory, ['a', 'a'], 1);
  assert.deepEqual(memoryOf(refused, 'a').reputation, memoryOf(flagged, 'a').reputation);
  assert.deepEqual(emptyMemory.clients, {});
  assert.equal(rememberRefusals(flagged, [], 2), flagged);
});
