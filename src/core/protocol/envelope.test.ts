import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import type { Aead } from '../../ports/crypto.ts';
import {
  chunkBytes,
  chunkRange,
  encodeHeader,
  type Envelope,
  type EnvelopeHeader,
  headBytesMax,
  openChunk,
  parseEnvelope,
  parseHead,
  sealChunks,
} from './envelope.ts';
import { sealEnvelope } from './seal.ts';

const crypto = createNodeCrypto();
const roundKey = await crypto.generateRoundKey();
const device = crypto.generateSigningKey();

const header: Omit<EnvelopeHeader, 'nonce' | 'plaintextBytes'> = {
  kind: 'update',
  suite: 1,
  codec: 2,
  orgId: 'org',
  runId: 'run-1',
  deviceId: 'd-1',
  round: 3,
  baseModel: new Uint8Array(32).fill(1),
  layout: new Uint8Array(32).fill(2),
};

const seal = (payload: Uint8Array) => sealEnvelope(header, payload, { round: roundKey.publicKey, device }, crypto);

function parsed(bytes: Uint8Array) {
  const outcome = parseEnvelope(bytes);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.value;
}

/** All chunks in one payload; undefined when one does not open. */
function openChunks(aead: Aead, { chunks }: Pick<Envelope, 'chunks'>): Uint8Array | undefined {
  const parts = chunks.map((chunk, i) => openChunk(aead, i, chunks.length, chunk));
  return parts.includes(undefined) ? undefined : Buffer.concat(parts as Uint8Array[]);
}

test('encodeHeader() has the layout that the wire version 1 fixes', () => {
  const bytes = encodeHeader({ ...header, nonce: new Uint8Array(16).fill(3), plaintextBytes: 258 });
  const expected = [
    '51464c45', // QFLE
    '01', // wire version
    '01', // update
    '01', // suite
    '02', // codec
    '036f7267',
    '0572756e2d31',
    '03642d31',
    '00000003',
    '01'.repeat(32),
    '02'.repeat(32),
    '03'.repeat(16),
    '00000102',
  ];
  assert.equal(bytes.toHex(), expected.join(''));
});

const sizes = [0, 1, 1000, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 2 * chunkBytes + 5];

test('an envelope of 0 bytes to 2 MiB + 5 is sealed, parsed and opened to the same payload', async () => {
  for (const size of sizes) {
    const payload = new Uint8Array(size).map((_, i) => i * 31 + (i >> 8));
    const envelope = parsed(await seal(payload));
    assert.equal(envelope.chunks.length, Math.max(1, Math.ceil(size / chunkBytes)));
    const { nonce, plaintextBytes, ...rest } = envelope.header;
    assert.equal(nonce.length, 16);
    assert.equal(plaintextBytes, size);
    assert.deepEqual(rest, header);
    const aead = await roundKey.open(envelope.enc, envelope.headerBytes);
    const opened = openChunks(aead!, envelope);
    assert.equal(Buffer.compare(opened!, payload), 0, `${size} bytes`);
  }
});

test('two envelopes of one payload share nothing that is secret: nonce, encapsulation and ciphertext differ', async () => {
  const [a, b] = [parsed(await seal(new Uint8Array(64))), parsed(await seal(new Uint8Array(64)))];
  assert.notDeepEqual(a.header.nonce, b.header.nonce);
  assert.notDeepEqual(a.enc, b.enc);
  assert.notDeepEqual(a.chunks[0], b.chunks[0]);
});

test('openChunk() refuses chunks that are swapped, dropped, or cut where another chunk ends', async () => {
  const envelope = parsed(await seal(new Uint8Array(2 * chunkBytes)));
  const aead = (await roundKey.open(envelope.enc, envelope.headerBytes))!;
  const [first, second] = envelope.chunks as [Uint8Array, Uint8Array];
  assert.equal(openChunks(aead, { chunks: [second, first] }), undefined);
  assert.equal(openChunks(aead, { chunks: [first] }), undefined);
  assert.equal(openChunks(aead, { chunks: [first, second, second] }), undefined);
});

test('sealChunks() gives the nonce of the STREAM construction: 7 zeros, the index, and 1 for the last', () => {
  const nonces: string[] = [];
  const aead = {
    seal: () => assert.fail('chunks are sealed in place'),
    sealInto: (nonce: Uint8Array) => void nonces.push(nonce.toHex()),
    open: () => undefined,
  };
  sealChunks(aead, new Uint8Array(2 * chunkBytes + 1));
  assert.deepEqual(nonces, ['000000000000000000000000', '000000000000000000000100', '000000000000000000000201']);
});

test('parseEnvelope() refuses every truncation, an extension and a wrong magic, version, kind and suite', async () => {
  const bytes = await seal(new Uint8Array(10));
  for (let length = 0; length < bytes.length; length += length < 200 ? 1 : 97) {
    const outcome = parseEnvelope(bytes.subarray(0, length));
    assert.equal(outcome.ok, false, `${length} bytes`);
  }
  assert.equal(parseEnvelope(Buffer.concat([bytes, Buffer.of(0)])).ok, false);
  const withByte = (index: number, value: number) => {
    const copy = Uint8Array.from(bytes);
    copy[index] = value;
    const outcome = parseEnvelope(copy);
    return outcome.ok ? 'ok' : outcome.code;
  };
  assert.equal(withByte(0, 0x50), 'malformed');
  assert.equal(withByte(4, 0), 'wrong-version');
  assert.equal(withByte(4, 9), 'wrong-version');
  assert.equal(withByte(5, 3), 'malformed');
  assert.equal(withByte(6, 9), 'wrong-suite');
  assert.equal(withByte(6, 0), 'wrong-suite');
});

test('parseHead() needs the head only, and says where each chunk lies', async () => {
  const bytes = await seal(new Uint8Array(2 * chunkBytes + 5).fill(9));
  const whole = parsed(bytes);
  const head = parseHead(bytes.subarray(0, whole.headBytes));
  assert.ok(head.ok);
  assert.equal(head.value.bytes, bytes.length);
  assert.ok(head.value.headBytes <= headBytesMax(2 * chunkBytes + 5));
  const chunks = head.value.chunkHashes.map((_, i) => {
    const { start, end } = chunkRange(head.value, i);
    return bytes.subarray(start, end);
  });
  assert.deepEqual(chunks, whole.chunks);
  assert.equal(chunkRange(head.value, 2).end, bytes.length);
  assert.equal(parseHead(bytes.subarray(0, whole.headBytes - 1)).ok, false);
});

test('parseEnvelope() does not allocate for a giant length that the header claims', async () => {
  const bytes = encodeHeader({ ...header, nonce: new Uint8Array(16), plaintextBytes: 0xffffffff });
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) assert.equal(parseEnvelope(bytes).ok, false);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

test('a header with a QKD key has the suite that says so, and survives the round trip; any other pairing is refused', async () => {
  const fields = { ...header, nonce: new Uint8Array(16), plaintextBytes: 3 };
  const qkd = { epoch: 3, keyId: 'k-1' };
  const psk = { key: new Uint8Array(32).fill(7), id: Uint8Array.of(1) };
  const bytes = await sealEnvelope(
    { ...header, suite: 2, qkd },
    Uint8Array.of(1, 2, 3),
    { round: roundKey.publicKey, device, psk },
    crypto,
  );
  assert.deepEqual(parsed(bytes).header.qkd, qkd);
  assert.throws(() => encodeHeader({ ...fields, suite: 1, qkd }), /current value is suite 1 with one/);
  assert.throws(() => encodeHeader({ ...fields, suite: 2 }), /current value is suite 2 without one/);
});
