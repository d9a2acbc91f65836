import type { Aead } from '../../ports/crypto.ts';
import { accepted, type Outcome, rejected } from '../intake/rejection.ts';
import { createReader, createWriter } from './binary.ts';
import { merkleRoot } from './merkle.ts';
import type { QkdMark } from './qkd-schedule.ts';
import { aeadNonceBytes, aeadTagBytes, type SuiteId, suites } from './suite.ts';

const wireVersion = 1;
export const chunkBytes = 1 << 20;
/** An envelope up to this size travels in one request; a larger one is uploaded, which goes on after a cut. */
export const wholeBytesMax = chunkBytes + 65_536;
const magic = Uint8Array.from([0x51, 0x46, 0x4c, 0x45]); // "QFLE"
const hashBytes = 32;
const nonceBytes = 16;
/** Texts of at most 255 bytes and fields of fixed length. */
const headerBytesMax = 1024;

/** What an envelope carries, by its number on the wire. */
export const envelopeKinds = { update: 1, metrics: 2 } as const;
export type EnvelopeKind = keyof typeof envelopeKinds;

/** What an envelope says in clear, under its signature. */
export type EnvelopeHeader = {
  readonly kind: EnvelopeKind;
  readonly suite: SuiteId;
  /** The codec's wire number; 0 for metrics. */
  readonly codec: number;
  readonly orgId: string;
  readonly runId: string;
  readonly deviceId: string;
  readonly round: number;
  /** Hashes, 32 bytes each. */
  readonly baseModel: Uint8Array;
  readonly layout: Uint8Array;
  readonly nonce: Uint8Array;
  /** The QKD key that is mixed in; there if and only if the suite has one. */
  readonly qkd?: QkdMark | undefined;
  readonly plaintextBytes: number;
};

/** Everything of an envelope but its chunks: it names each of them by its hash. Nothing in it has been verified. */
export type EnvelopeHead = {
  readonly header: EnvelopeHeader;
  /** The header's bytes: the HPKE info. */
  readonly headerBytes: Uint8Array;
  readonly enc: Uint8Array;
  readonly chunkHashes: readonly Uint8Array[];
  readonly signature: Uint8Array;
  /** Where the first chunk begins, and where the last ends. */
  readonly headBytes: number;
  readonly bytes: number;
};

/** An envelope taken apart. */
export type Envelope = EnvelopeHead & { readonly chunks: readonly Uint8Array[] };

type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The header's bytes. Everything in them is bound by the key schedule, the signature and every chunk. */
export function encodeHeader(header: EnvelopeHeader): Uint8Array {
  const writer = createWriter();
  writer.bytes(magic);
  writer.uint8(wireVersion);
  writer.uint8(envelopeKinds[header.kind]);
  writer.uint8(header.suite);
  writer.uint8(header.codec);
  writer.text(header.orgId);
  writer.text(header.runId);
  writer.text(header.deviceId);
  writer.uint32(header.round);
  writer.bytes(header.baseModel);
  writer.bytes(header.layout);
  writer.bytes(header.nonce);
  if ((header.qkd !== undefined) !== suites[header.suite].hasQkd) {
    throw new RangeError(
      `Cannot encode a header as its QKD key must go with its suite: current value is suite ${header.suite} ${header.qkd === undefined ? 'without' : 'with'} one`,
    );
  }
  if (header.qkd !== undefined) {
    writer.uint32(header.qkd.epoch);
    writer.text(header.qkd.keyId);
  }
  writer.uint32(header.plaintextBytes);
  return writer.result();
}

/** What is signed: the header, the encapsulated key and the root of the chunk hashes. */
export function signedBytes(
  headerBytes: Uint8Array,
  enc: Uint8Array,
  chunkHashes: readonly Uint8Array[],
  sha256: Sha256,
): Uint8Array {
  const writer = createWriter();
  writer.uint32(headerBytes.length);
  writer.bytes(headerBytes);
  writer.bytes(enc);
  writer.bytes(merkleRoot(chunkHashes, sha256));
  return writer.result();
}

/**
 * Seals a payload into chunks, one behind the other in `target`.
 *
 * Formula: chunk i = AES-256-GCM(key, 0⁷ ‖ i ‖ last, payload[i · 1 MiB …]); a key seals one envelope only.
 * Source:  the STREAM construction, Hoang, Reyhanitabar, Rogaway, Vizár 2015.
 */
export function sealChunks(
  aead: Aead,
  payload: Uint8Array,
  target: Uint8Array = new Uint8Array(sealedBytes(payload.length)),
): Uint8Array[] {
  const count = chunkCount(payload.length);
  return Array.from({ length: count }, (_, i) => {
    const part = payload.subarray(i * chunkBytes, (i + 1) * chunkBytes);
    const start = i * (chunkBytes + aeadTagBytes);
    const chunk = target.subarray(start, start + part.length + aeadTagBytes);
    aead.sealInto(chunkNonce(i, i === count - 1), part, chunk);
    return chunk;
  });
}

/** Opens chunk i of so many, or gives undefined when its tag fails. */
export function openChunk(aead: Aead, i: number, count: number, sealed: Uint8Array): Uint8Array | undefined {
  return aead.open(chunkNonce(i, i === count - 1), sealed);
}

/** Where sealed chunk i lies in the envelope. */
export function chunkRange({ header, headBytes }: EnvelopeHead, i: number): { start: number; end: number } {
  const start = headBytes + i * (chunkBytes + aeadTagBytes);
  return { start, end: start + Math.min(chunkBytes, header.plaintextBytes - i * chunkBytes) + aeadTagBytes };
}

/**
 * Room for an envelope whose chunks are sealed in place: its head, once it is known, goes before them.
 *
 * Cost: one allocation of the envelope's size; nothing of the payload is copied again.
 */
export function envelopeRoom(
  headerBytes: Uint8Array,
  suite: SuiteId,
  plaintextBytes: number,
  room: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): { readonly bytes: Uint8Array; readonly chunks: Uint8Array; readonly head: Uint8Array } {
  const { encBytes, signatureBytes } = suites[suite];
  const headBytes = headerBytes.length + encBytes + chunkCount(plaintextBytes) * hashBytes + signatureBytes;
  const bytes = room(headBytes + sealedBytes(plaintextBytes));
  return { bytes, head: bytes.subarray(0, headBytes), chunks: bytes.subarray(headBytes) };
}

/** Puts a sealed and signed envelope together: header, enc, chunk hashes, signature, chunks. */
export function encodeEnvelope(envelope: Omit<Envelope, 'header' | 'headBytes' | 'bytes'>): Uint8Array {
  const writer = createWriter();
  writer.bytes(envelope.headerBytes);
  writer.bytes(envelope.enc);
  for (const hash of envelope.chunkHashes) writer.bytes(hash);
  writer.bytes(envelope.signature);
  for (const chunk of envelope.chunks) writer.bytes(chunk);
  return writer.result();
}

/**
 * Takes the head off the bytes of an envelope; chunks may follow or not. Every length is checked before it is used;
 * nothing is verified.
 *
 * Promises: never throws; allocates views only.
 */
/** Whether bytes begin as an envelope does, of whatever version. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return isSame(bytes.subarray(0, magic.length), magic);
}

export function parseHead(bytes: Uint8Array): Outcome<EnvelopeHead> {
  const reader = createReader(bytes);
  if (!isSame(reader.bytes(magic.length), magic)) return rejected('malformed', 'magic');
  const version = reader.uint8();
  if (version !== wireVersion)
    return rejected('wrong-version', `wire version ${version} where ${wireVersion} is spoken`);
  const kindNumber = reader.uint8();
  const kind = (Object.keys(envelopeKinds) as EnvelopeKind[]).find((name) => envelopeKinds[name] === kindNumber);
  const suiteNumber = reader.uint8();
  if (kind === undefined) return rejected('malformed', `kind ${kindNumber}`);
  if (!(suiteNumber in suites)) return rejected('wrong-suite', `suite ${suiteNumber}`);
  const suite = suiteNumber as SuiteId;
  const header: EnvelopeHeader = {
    kind,
    suite,
    codec: reader.uint8(),
    orgId: reader.text(),
    runId: reader.text(),
    deviceId: reader.text(),
    round: reader.uint32(),
    baseModel: reader.bytes(hashBytes),
    layout: reader.bytes(hashBytes),
    nonce: reader.bytes(nonceBytes),
    ...(suites[suite].hasQkd ? { qkd: { epoch: reader.uint32(), keyId: reader.text() } } : {}),
    plaintextBytes: reader.uint32(),
  };
  const headerBytes = bytes.subarray(0, reader.offset());
  const enc = reader.bytes(suites[suite].encBytes);
  const count = chunkCount(header.plaintextBytes);
  const headBytes = reader.offset() + count * hashBytes + suites[suite].signatureBytes;
  if (!reader.isIntact() || bytes.length < headBytes) {
    return rejected('malformed', `${bytes.length} bytes where the head has ${headBytes}`);
  }
  const chunkHashes = Array.from({ length: count }, () => reader.bytes(hashBytes));
  const signature = reader.bytes(suites[suite].signatureBytes);
  const size = headBytes + count * aeadTagBytes + header.plaintextBytes;
  return accepted({ header, headerBytes, enc, chunkHashes, signature, headBytes, bytes: size });
}

/** Takes a whole envelope apart; trailing bytes are refused. */
export function parseEnvelope(bytes: Uint8Array): Outcome<Envelope> {
  const head = parseHead(bytes);
  if (!head.ok) return head;
  if (bytes.length !== head.value.bytes) {
    return rejected('malformed', `${bytes.length} bytes where the header says ${head.value.bytes}`);
  }
  const chunks = head.value.chunkHashes.map((_, i) => {
    const { start, end } = chunkRange(head.value, i);
    return bytes.subarray(start, end);
  });
  return accepted({ ...head.value, chunks });
}

/** The largest head of an envelope whose payload has at most so many bytes. */
export function headBytesMax(plaintextBytesMax: number): number {
  const fixed = Object.values(suites).map(({ encBytes, signatureBytes }) => encBytes + signatureBytes);
  return headerBytesMax + chunkCount(plaintextBytesMax) * hashBytes + Math.max(...fixed);
}

function sealedBytes(plaintextBytes: number): number {
  return plaintextBytes + chunkCount(plaintextBytes) * aeadTagBytes;
}

function chunkCount(plaintextBytes: number): number {
  return Math.max(1, Math.ceil(plaintextBytes / chunkBytes));
}

function chunkNonce(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(aeadNonceBytes);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
