import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { parsePlan, planHash } from '../plan/plan.ts';
import { modelCardOf, pseudonymOf, signModelCard, verifyModelCard } from './model-card.ts';

const crypto = createNodeCrypto();
const plan = parsePlan({ model: { kind: 'softmax-regression', inputs: 4, classes: 3 } });
const facts = {
  orgId: 'org',
  runId: 'run',
  model: 'a'.repeat(64),
  modelVersion: 3,
  round: 3,
  parent: 'b'.repeat(64),
  participants: ['y', 'x'],
  privacy: { epsilon: 2, delta: 1e-5, adjacency: 'add-remove' },
};

test('a card says what the plan and the round say, and holds under its signature only', async () => {
  const card = modelCardOf(plan, facts);
  assert.deepEqual(card.participants, ['x', 'y']);
  assert.equal(card.planHash, planHash(plan));
  assert.equal(card.suite.kem, 'MLKEM768-X25519');
  const signed = signModelCard(card, crypto.generateSigningKey());
  assert.deepEqual((await verifyModelCard(JSON.parse(JSON.stringify(signed)), crypto))?.card, card);
  const richer = { ...card, privacy: { ...facts.privacy, epsilon: 1 } };
  for (const bad of [{ ...signed, card: richer }, { ...signed, extra: 1 }, { ...signed, signature: '' }, null]) {
    assert.equal(await verifyModelCard(bad, crypto), undefined);
  }
});

test('pseudonyms are stable under one key, differ between clients and between keys', () => {
  const [one, two] = [crypto.randomBytes(32), crypto.randomBytes(32)];
  assert.equal(pseudonymOf('client-01', one), pseudonymOf('client-01', one));
  assert.notEqual(pseudonymOf('client-01', one), pseudonymOf('client-02', one));
  assert.notEqual(pseudonymOf('client-01', one), pseudonymOf('client-01', two));
  assert.match(pseudonymOf('client-01', one), /^[0-9a-f]{32}$/);
});
