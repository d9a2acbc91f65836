import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hiddenKinds, hiddenLeafOf, hiddenLine } from './hidden-entry.ts';

const place = { orgId: 'org', runId: 'run', sequence: 7 };
const leaf = 'ab'.repeat(32);
const bytes = (text: string) => new TextEncoder().encode(text);

test('a withheld entry keeps its place and its leaf hash in the log, and tells nothing else', () => {
  const line = hiddenLine(place, leaf);
  assert.deepEqual(JSON.parse(line), { ...place, kind: 'hidden', data: { leafHash: leaf } });
  assert.equal(hiddenLeafOf(bytes(line))?.toHex(), leaf);
});

test('no other line is taken for a withheld one', () => {
  for (const text of ['', '{}', hiddenLine(place, 'zz'), hiddenLine(place, leaf).replace('hidden', 'round.opened')]) {
    assert.equal(hiddenLeafOf(bytes(text)), undefined, text);
  }
});

test('what tells who took part is hidden; what was published is not', () => {
  for (const kind of ['round.opened', 'round.event', 'round.closed']) assert.ok(hiddenKinds.has(kind));
  for (const kind of ['model.published', 'privacy.released', 'run.created']) assert.ok(!hiddenKinds.has(kind));
});
