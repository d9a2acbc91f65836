// The annotated bytes of docs/reference/wire-format.md: an envelope that is really sealed, signed and parsed. What is
// drawn at random in it (nonce, keys, ciphertext) is shown by its length only.
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { type EnvelopeHeader, encodeHeader, parseEnvelope } from '../../src/core/protocol/envelope.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import { createNodeDeflate } from '../../src/adapters/deflate-node.ts';

const text = (value: string) => new TextEncoder().encode(value);
const header = {
  kind: 'update',
  suite: 1,
  codec: codecs.float32.wireId,
  orgId: 'demo',
  runId: 'mnist-1',
  deviceId: 'd-7',
  round: 3,
  baseModel: new Uint8Array(32).fill(0xaa),
  layout: new Uint8Array(32).fill(0xbb),
} as const satisfies Omit<EnvelopeHeader, 'nonce' | 'plaintextBytes'>;

/** Two code blocks: the payload before it is sealed, and the envelope around it. */
export async function envelopeExample(): Promise<string> {
  const crypto = createNodeCrypto();
  const delta = Float32Array.of(1, -0.5);
  const meta = { claimedExamples: 600 };
  const payload = encodePayload(meta, codecs.float32.encode(delta, createNodeDeflate()));
  const [roundKey, device] = [await crypto.generateRoundKey(), crypto.generateSigningKey()];
  const bytes = await sealEnvelope(header, payload, { round: roundKey.publicKey, device }, crypto);
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) throw new Error(`Cannot show the envelope as it must parse: ${parsed.code}`);
  const { headerBytes, enc, chunkHashes, signature, chunks } = parsed.value;
  const fixed = encodeHeader({ ...header, nonce: new Uint8Array(16).fill(0xcc), plaintextBytes: payload.length });
  if (fixed.length !== headerBytes.length) throw new Error('Cannot show the header as its length must be the same');
  const json = text(JSON.stringify(meta)).length;
  return [
    `The payload of an update of two values, 1 and −0.5, from 600 examples, with the codec \`float32\` (${payload.length} bytes):`,
    block(payload, [
      [4, `length of the description: ${json}`],
      [json, JSON.stringify(meta)],
      [4, 'length of the first and only block: 8'],
      [payload.length - 8 - json, 'float32 1, −0.5, little-endian'],
    ]),
    `The envelope that carries it (${bytes.length} bytes; a nonce of cc… stands for 16 random bytes):`,
    block(fixed, [
      [4, 'magic "QFLE"'],
      [1, 'wire version 1'],
      [1, 'kind 1: update (2: metrics)'],
      [1, 'suite 1'],
      [1, `codec ${header.codec}: float32 (0 for metrics)`],
      [5, `organisation "${header.orgId}", behind its length`],
      [8, `run "${header.runId}"`],
      [4, `device "${header.deviceId}"`],
      [4, `round ${header.round}`],
      [32, 'hash of the base model'],
      [32, 'hash of the layout'],
      [16, 'nonce'],
      [4, `bytes of the payload: ${payload.length}`],
    ]),
    rest(headerBytes.length, [
      [enc.length, 'enc: ML-KEM-768 ciphertext and X25519 share'],
      [32 * chunkHashes.length, `SHA-256 of each sealed chunk (${chunkHashes.length})`],
      [signature.length, 'ML-DSA-65 signature'],
      [
        chunks.reduce((sum, chunk) => sum + chunk.length, 0),
        `${chunks.length} chunk: ${payload.length} sealed bytes and a tag of 16`,
      ],
    ]),
  ].join('\n\n');
}

type Fields = readonly (readonly [length: number, meaning: string])[];

function block(bytes: Uint8Array, fields: Fields): string {
  let offset = 0;
  const lines = fields.flatMap(([length, meaning]) => {
    const part = bytes.subarray(offset, offset + length);
    const rows = Array.from({ length: Math.ceil(length / 16) }, (_, i) => {
      const hex = [...part.subarray(16 * i, 16 * (i + 1))].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      const note = i === 0 ? `  ${meaning}` : '';
      return `${String(offset + 16 * i).padStart(5)}  ${hex.padEnd(47)}${note}`.trimEnd();
    });
    offset += length;
    return rows;
  });
  if (offset !== bytes.length)
    throw new Error(`Cannot annotate as the fields must cover ${bytes.length} bytes: it is ${offset}`);
  return ['```text', 'offset', ...lines, '```'].join('\n');
}

function rest(start: number, fields: Fields): string {
  let offset = start;
  const lines = fields.map(([length, meaning]) => {
    const line = `${String(offset).padStart(5)}  ${`… ${length} bytes`.padEnd(47)}  ${meaning}`;
    offset += length;
    return line;
  });
  return ['```text', 'offset', ...lines, `${String(offset).padStart(5)}  end`, '```'].join('\n');
}
