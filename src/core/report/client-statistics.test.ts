import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientVerdict, RoundRecord } from '../round/record.ts';
import { clientsSection } from './clients-table.ts';
import { clientStatistics } from './client-statistics.ts';
import { detectionSentence, runFacts, whyNoAccuracy } from './facts.ts';
import { toText } from './markup.ts';
import { presenceOf } from './presence.ts';
import { syntheticRun } from './synthetic-run.fixture.ts';
import { omissionSentence, windowOf } from './window.ts';

const template = syntheticRun({ rounds: 1, clients: 3 }).run;

function verdict(clientId: string, norm: number, reasons: readonly string[] = []): ClientVerdict {
  return { clientId, isFlagged: reasons.length > 0, score: 2, reasons, norm, cosine: 0.5, weight: null };
}

function round(changes: Partial<RoundRecord>): RoundRecord {
  return { ...template.rounds[0]!, accepted: [], refused: [], verdicts: [], flagged: [], clients: null, ...changes };
}

test('clientStatistics() counts rounds, means and reasons by hand', () => {
  const rounds = [
    round({
      participants: ['a', 'b'],
      accepted: ['a', 'b'],
      verdicts: [verdict('a', 1), verdict('b', 9, ['9.1 times as long'])],
      flagged: ['b'],
    }),
    round({
      participants: ['a', 'b'],
      accepted: ['a', 'b'],
      verdicts: [verdict('a', 3), verdict('b', 11, ['11 times as long', 'other'])],
      flagged: ['b'],
    }),
    round({
      participants: ['a', 'b'],
      accepted: ['a'],
      refused: [{ clientId: 'b', code: 'replayed' }],
      verdicts: [verdict('a', 2)],
    }),
  ];
  const [a, b] = clientStatistics({ ...template, rounds, clientIds: ['a', 'b'] });
  assert.deepEqual([a!.invited, a!.tookPart, a!.judged, a!.flagged, a!.meanNorm], [3, 3, 3, 0, 2]);
  assert.deepEqual([b!.invited, b!.tookPart, b!.judged, b!.flagged, b!.refused, b!.meanNorm], [3, 2, 2, 2, 1, 10]);
  assert.deepEqual(b!.reasons, [
    { example: '11 times as long', count: 2 },
    { example: 'other', count: 1 },
  ]);
  assert.equal(a!.holdoutAccuracy, null);
});

test('clientStatistics() reads a hold-out by its own name only', () => {
  const clients = { ...template.rounds[0]!.clients!, byClient: {} };
  const run = { ...template, rounds: [round({ clients })], clientIds: ['constructor'] };
  assert.equal(clientStatistics(run)[0]!.holdoutAccuracy, null);
});

test('presenceOf() tells the six states apart, and gives the reason', () => {
  const record = round({
    participants: ['ok', 'flag', 'refused', 'absent', 'unjudged', 'again'],
    accepted: ['ok', 'flag', 'unjudged', 'again'],
    refused: [
      { clientId: 'refused', code: 'bad-signature' },
      { clientId: 'again', code: 'malformed' },
    ],
    verdicts: [verdict('ok', 1), verdict('flag', 9, ['too long']), verdict('again', 1)],
    flagged: ['flag'],
  });
  const states = ['ok', 'flag', 'refused', 'absent', 'unjudged', 'again', 'stranger'].map(
    (id) => presenceOf(record, id).state,
  );
  assert.deepEqual(states, ['ok', 'flag', 'refused', 'absent', 'unjudged', 'ok', 'idle']);
  assert.match(presenceOf(record, 'flag').detail, /too long/);
  assert.match(presenceOf(record, 'refused').detail, /bad-signature/);
});

test('runFacts() takes the last completed round for the final one, and says why an accuracy is missing', () => {
  const { run, demo } = syntheticRun({ rounds: 9 });
  assert.equal(run.rounds.at(-1)!.status, 'aborted');
  const facts = runFacts(run, { ...demo, centralized: { accuracy: 0.5, accuracyByRound: [] } });
  assert.deepEqual([facts.final!.round, facts.completed, facts.aborted, facts.evaluation!.round], [8, 8, 1, 8]);
  assert.equal(facts.shareOfCentralized, run.rounds[7]!.accuracy! / 0.5);
  assert.equal(whyNoAccuracy(run), null);
  const untested = run.rounds.map((record) => ({ ...record, accuracy: null }));
  assert.equal(whyNoAccuracy({ ...run, rounds: untested }), 'no test data at the coordinator');
  assert.equal(whyNoAccuracy({ ...run, rounds: [] }), 'no round has completed');
});

test('detectionSentence() names what was found, missed and wrongly flagged', () => {
  assert.equal(
    detectionSentence({ found: ['a', 'b'], missed: [], falseAlarms: [] }),
    '2 of 2 attackers flagged, no honest client flagged',
  );
  assert.equal(
    detectionSentence({ found: [], missed: ['a'], falseAlarms: ['c'] }),
    '0 of 1 attacker flagged (missed: a), 1 honest client flagged (c)',
  );
  assert.equal(
    detectionSentence({ found: [], missed: [], falseAlarms: [] }),
    'no attackers in this run, no honest client flagged',
  );
});

test('windowOf() keeps attackers and flagged clients of a large run, and says what it left out', () => {
  const { run, demo } = syntheticRun({ rounds: 130, clients: 60 });
  const attackers = [{ clientId: 'client-60', attack: 'sign-flip' }];
  const window = windowOf(run, { ...demo, attackers });
  assert.deepEqual([window.rounds.length, window.clientIds.length], [120, 48]);
  for (const clientId of ['client-60', 'client-03', 'client-08']) assert.ok(window.clientIds.includes(clientId));
  assert.deepEqual(window.clientIds, window.clientIds.toSorted());
  assert.equal(omissionSentence(window), 'Drawn: the last 120 of 130 rounds and 48 of 60 clients, flagged ones first.');
  assert.equal(omissionSentence(windowOf(syntheticRun().run)), '');
});

test('what flagged updates looked like is counted by client, and said in the tile of the round', () => {
  const looks = (clientId: string, label: 'copies' | 'noise'): ClientVerdict => ({
    ...verdict(clientId, 1, ['odd']),
    pattern: { label, evidence: ['the nearest other update is 0.01 times as far as usual'] },
  });
  const rounds = [looks('a', 'noise'), looks('a', 'copies'), looks('a', 'copies'), verdict('a', 1)].map((one) =>
    round({ participants: ['a'], accepted: ['a'], verdicts: [one], flagged: one.isFlagged ? ['a'] : [] }),
  );
  const run = { ...template, rounds, clientIds: ['a'] };
  assert.deepEqual(clientStatistics(run)[0]!.patterns, [
    { label: 'copies', count: 2 },
    { label: 'noise', count: 1 },
  ]);
  assert.match(
    presenceOf(rounds[1]!, 'a').detail,
    /^flagged: odd; looks like copies: the nearest other update is 0\.01/,
  );
  assert.match(toText(clientsSection(run)), /looks like copies \(2 rounds\), noise \(1 round\)/);
});
