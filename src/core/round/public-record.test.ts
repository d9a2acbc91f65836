import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicRecord } from './public-record.ts';
import type { RunRecord } from './run-record.ts';

const central = {
  purpose: 'training',
  rule: 'plan',
  noiseMultiplier: 2,
  sampleRate: 0.5,
  radius: 1,
  roundsPlanned: 0,
  clients: [],
} as const;
const round = {
  round: 1,
  accuracy: 0.5,
  participants: ['a'],
  accepted: ['a'],
  declined: ['b'],
  bytesUp: 9,
  bytesDown: 8,
};
const record = { name: 'r', rounds: [round], flagged: ['a'], bytesUp: 9, bytesDown: 8 } as unknown as RunRecord;

test('publicRecord() keeps accuracy and drops whoever took part; a run without coins stays as it is', () => {
  assert.equal(publicRecord(record), record);
  const shown = publicRecord({ ...record, privacy: { statement: 's', epsilon: 1, delta: 1e-5, central } });
  assert.ok(!/"a"|"b"/.test(JSON.stringify(shown)));
  assert.deepEqual(
    [shown.rounds[0]!.accuracy, shown.rounds[0]!.bytesUp, shown.bytesDown, shown.isWithheld],
    [0.5, 0, 0, true],
  );
});
