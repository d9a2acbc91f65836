import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { createNodeDeflate } from '../../adapters/deflate-node.ts';
import { createMemorySpool } from '../../adapters/spool-memory.ts';
import type { RoundKey, SigningKey } from '../../ports/crypto.ts';
import { codecs } from '../compression/index.ts';
import { parseEnvelope } from '../protocol/envelope.ts';
import { encodePayload } from '../protocol/payload.ts';
import { sealEnvelope } from '../protocol/seal.ts';
import { expandMetrics, expandUpdate } from './expand.ts';
import { openEnvelope } from './open.ts';
import { type Outcome, refusalCodes } from './rejection.ts';
import type { Opened } from './stages.ts';
import { type Expectation, verifyEnvelope } from './verify.ts';

const crypto = createNodeCrypto();
const deflate = createNodeDeflate();
const spool = createMemorySpool();
const shapeOf = (count: number) => ({ count, isNormalised: false });
const codec = codecs.float32;
const base = new Uint8Array(32).fill(1);
const layout = new Uint8Array(32).fill(2);
const address = {
  suite: 1,
  orgId: 'acme',
  runId: 'run-1',
  deviceId: 'd-1',
  round: 3,
  baseModel: base,
  layout,
} as const;
let device: SigningKey;
let round: RoundKey;

before(async () => {
  device = crypto.generateSigningKey();
  round = await crypto.generateRoundKey();
});

function updatePayload(values: readonly number[], meta: object = { claimedExamples: 7 }): Uint8Array {
  return encodePayload(meta as never, codec.encode(Float32Array.from(values), deflate));
}

async function take(payload: Uint8Array, expected: Partial<Expectation> = {}): Promise<Outcome<Opened>> {
  const header = { ...address, kind: 'update', codec: codec.wireId } as const;
  const bytes = await sealEnvelope(header, payload, { round: round.publicKey, device }, crypto);
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return parsed;
  const wanted = { ...header, plaintextBytesMax: 4096, publicKey: device.publicKey, ...expected };
  const verified = await verifyEnvelope(parsed.value, wanted, crypto);
  return verified.ok ? openEnvelope(verified.value, (i) => parsed.value.chunks[i]!, { round }, crypto) : verified;
}

async function codeOf(expected: Partial<Expectation>): Promise<string> {
  const outcome = await take(updatePayload([1, 2]), expected);
  return outcome.ok ? 'accepted' : outcome.code;
}

test('an update that is sealed, signed and addressed as expected comes out as it went in', async () => {
  const opened = await take(updatePayload([0.5, -2]));
  assert.ok(opened.ok);
  const update = await expandUpdate(opened.value, shapeOf(2), { codec, deflate }, await spool.begin(2));
  assert.ok(update.ok);
  assert.deepEqual(update.value.delta, Float32Array.of(0.5, -2));
  assert.equal(update.value.claimedExamples, 7);
});

test('each part of the address is checked, and the refusal says which', async () => {
  const other = new Uint8Array(32);
  assert.equal(await codeOf({ orgId: 'other' }), 'wrong-run');
  assert.equal(await codeOf({ runId: 'run-2' }), 'wrong-run');
  assert.equal(await codeOf({ deviceId: 'd-2' }), 'wrong-device');
  assert.equal(await codeOf({ round: 4 }), 'wrong-round');
  assert.equal(await codeOf({ kind: 'metrics' }), 'wrong-round');
  assert.equal(await codeOf({ codec: 9 }), 'wrong-codec');
  assert.equal(await codeOf({ baseModel: other }), 'wrong-model');
  assert.equal(await codeOf({ layout: other }), 'wrong-model');
  assert.equal(await codeOf({ plaintextBytesMax: 3 }), 'too-large');
  assert.equal(await codeOf({ publicKey: crypto.generateSigningKey().publicKey }), 'bad-signature');
});

test('under the suite of cnsa-style every other suite is refused, and it under theirs; its own comes out as it went in', async () => {
  const strong = {
    device: crypto.generateSigningKey('ML-DSA-87'),
    round: await crypto.generateRoundKey('MLKEM1024-P384'),
  };
  const header = { ...address, suite: 5, kind: 'update', codec: codec.wireId } as const;
  const keys = { round: strong.round.publicKey, device: strong.device };
  const parsed = parseEnvelope(await sealEnvelope(header, updatePayload([1, 2]), keys, crypto));
  assert.ok(parsed.ok);
  const wanted = { ...header, plaintextBytesMax: 4096, publicKey: strong.device.publicKey };
  for (const suite of [1, 3] as const) {
    const refused = await verifyEnvelope(parsed.value, { ...wanted, suite }, crypto);
    assert.equal(refused.ok ? 'accepted' : refused.code, 'wrong-suite');
  }
  assert.equal(await codeOf({ suite: 5 }), 'wrong-suite');
  const verified = await verifyEnvelope(parsed.value, wanted, crypto);
  assert.ok(verified.ok);
  const opened = await openEnvelope(verified.value, (i) => parsed.value.chunks[i]!, { round: strong.round }, crypto);
  assert.ok(opened.ok);
  const update = await expandUpdate(opened.value, shapeOf(2), { codec, deflate }, await spool.begin(2));
  assert.ok(update.ok);
  assert.deepEqual(update.value.delta, Float32Array.of(1, 2));
});

test('an envelope sealed to another round key does not open', async () => {
  const own = round;
  const sealedElsewhere = await crypto.generateRoundKey();
  const header = { ...address, kind: 'update', codec: codec.wireId } as const;
  const keys = { round: sealedElsewhere.publicKey, device };
  const parsed = parseEnvelope(await sealEnvelope(header, updatePayload([1]), keys, crypto));
  assert.ok(parsed.ok);
  const wanted = { ...header, plaintextBytesMax: 4096, publicKey: device.publicKey };
  const verified = await verifyEnvelope(parsed.value, wanted, crypto);
  assert.ok(verified.ok);
  const opened = await openEnvelope(verified.value, (i) => parsed.value.chunks[i]!, { round: own }, crypto);
  assert.ok(opened.ok);
  const update = await expandUpdate(opened.value, shapeOf(1), { codec, deflate }, await spool.begin(1));
  assert.equal(update.ok ? 'opened' : update.code, 'bad-ciphertext');
});

test('what is inside must fit: shape, finite values, a description without more or less', async () => {
  const outcomeOf = async (payload: Uint8Array) => {
    const opened = await take(payload);
    assert.ok(opened.ok);
    const update = await expandUpdate(opened.value, shapeOf(2), { codec, deflate }, await spool.begin(2));
    return update.ok ? 'accepted' : update.code;
  };
  assert.equal(await outcomeOf(updatePayload([1, 2, 3])), 'wrong-shape');
  assert.equal(await outcomeOf(updatePayload([1, Number.NaN])), 'not-finite');
  assert.equal(await outcomeOf(updatePayload([1, 2], { claimedExamples: -1 })), 'bad-payload');
  assert.equal(await outcomeOf(updatePayload([1, 2], { claimedExamples: 1, more: 1 })), 'bad-payload');
  assert.equal(await outcomeOf(new Uint8Array(3)), 'bad-payload');
});

test('metrics are sums that make sense, and nothing behind them', async () => {
  const outcomeOf = async (meta: object, body = new Uint8Array()) => {
    const opened = await take(encodePayload(meta as never, body));
    assert.ok(opened.ok);
    const metrics = await expandMetrics(opened.value);
    return metrics.ok ? metrics.value.correctCount : metrics.code;
  };
  assert.equal(await outcomeOf({ examples: 10, lossSum: 2.5, correctCount: 8 }), 8);
  assert.equal(await outcomeOf({ examples: 10, lossSum: 2.5, correctCount: 11 }), 'bad-payload');
  assert.equal(await outcomeOf({ examples: 10, lossSum: 2.5, correctCount: 8 }, Uint8Array.of(1)), 'bad-payload');
});

test('every refusal code has a sentence', () => {
  for (const [code, sentence] of Object.entries(refusalCodes)) {
    assert.match(code, /^[a-z-]+$/);
    assert.ok(sentence.length > 20);
  }
});
