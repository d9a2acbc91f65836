import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  decapsulate,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { connect } from 'node:net';

/*
 * A TLS 1.3 client that is just good enough to be recorded (RFC 8446, RFC 10024), whose ephemeral keys are known, and what
 * an attacker makes of the recording with some of them. TLS_AES_256_GCM_SHA384 only; chain and signature are not looked
 * at: it is the secrecy that is tried.
 */

const groups = { X25519MLKEM768: 0x11ec, X25519: 0x001d } as const;
export type Group = keyof typeof groups;
/** The two halves of the client's ephemeral key. */
export type Ephemeral = { readonly x25519: KeyObject; readonly mlKem?: KeyObject | undefined };
export type Recording = { readonly group: Group; readonly up: Buffer; readonly down: Buffer };

const hashBytes = 48;
const sha384 = (...parts: readonly Uint8Array[]) => createHash('sha384').update(Buffer.concat(parts)).digest();
const hmac = (key: Uint8Array, message: Uint8Array) => createHmac('sha384', key).update(message).digest();

function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([
    Buffer.of(0, length, name.length),
    name,
    Buffer.of(context.length),
    context,
    Buffer.of(1),
  ]);
  return hmac(secret, info).subarray(0, length);
}

const derive = (secret: Uint8Array, label: string, transcript: Uint8Array) =>
  expandLabel(secret, label, sha384(transcript), hashBytes);

/** The records of one direction from one traffic secret: nonces count from 0. */
function cipherOf(secret: Uint8Array) {
  const key = expandLabel(secret, 'key', Buffer.alloc(0), 32);
  const iv = expandLabel(secret, 'iv', Buffer.alloc(0), 12);
  let count = 0;
  const nonce = () => {
    const bytes = Buffer.from(iv);
    bytes.writeUInt32BE((bytes.readUInt32BE(8) ^ count++) >>> 0, 8);
    return bytes;
  };
  return {
    seal(type: number, content: Uint8Array): Buffer {
      const header = Buffer.of(23, 3, 3, 0, 0);
      header.writeUInt16BE(content.length + 17, 3);
      const cipher = createCipheriv('aes-256-gcm', key, nonce()).setAAD(header);
      const sealed = Buffer.concat([cipher.update(Buffer.concat([content, Buffer.of(type)])), cipher.final()]);
      return Buffer.concat([header, sealed, cipher.getAuthTag()]);
    },
    /** Type and content of a record; throws where the key is another. */
    open(record: Buffer): { readonly type: number; readonly content: Buffer } {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce()).setAAD(record.subarray(0, 5));
      decipher.setAuthTag(record.subarray(record.length - 16));
      const inner = Buffer.concat([decipher.update(record.subarray(5, record.length - 16)), decipher.final()]);
      return { type: inner.at(-1)!, content: inner.subarray(0, -1) };
    },
  };
}

/** Whole records, with their headers. */
function recordsIn(stream: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at + 5 <= stream.length; ) {
    const end = at + 5 + stream.readUInt16BE(at + 3);
    if (end > stream.length) break;
    records.push(stream.subarray(at, end));
    at = end;
  }
  return records;
}

const vector = (lengthBytes: number, ...parts: readonly Uint8Array[]) => {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(body.length, 0, lengthBytes);
  return Buffer.concat([length, body]);
};
const uint16 = (value: number) => Buffer.of(value >> 8, value & 255);
const extension = (type: number, body: Uint8Array) => Buffer.concat([uint16(type), vector(2, body)]);
const rawPublic = (key: KeyObject) => createPublicKey(key).export({ format: 'raw-public' }) as Buffer;

export function freshEphemeral(group: Group): Ephemeral {
  const x25519 = generateKeyPairSync('x25519').privateKey;
  return group === 'X25519' ? { x25519 } : { x25519, mlKem: generateKeyPairSync('ml-kem-768').privateKey };
}

function clientHello(group: Group, { x25519, mlKem }: Ephemeral): Buffer {
  const share = Buffer.concat([...(mlKem === undefined ? [] : [rawPublic(mlKem)]), rawPublic(x25519)]);
  // ML-DSA-65 and ECDSA with P-384: what the servers of the profiles sign with.
  const extensions = [
    extension(43, Buffer.of(2, 3, 4)),
    extension(10, vector(2, uint16(groups[group]))),
    extension(13, vector(2, uint16(0x0905), uint16(0x0503))),
    extension(51, vector(2, uint16(groups[group]), vector(2, share))),
  ];
  const body = [
    uint16(0x0303),
    randomBytes(32),
    Buffer.of(0),
    vector(2, uint16(0x1302)),
    Buffer.of(1, 0),
    vector(2, ...extensions),
  ];
  return Buffer.concat([Buffer.of(1), vector(3, ...body)]);
}

/** The server's key share out of its hello. */
function serverShare(hello: Buffer): Buffer {
  let at = 4 + 2 + 32;
  at += 1 + hello[at]! + 2 + 1 + 2;
  while (hello.readUInt16BE(at) !== 51) at += 4 + hello.readUInt16BE(at + 2);
  return hello.subarray(at + 8, at + 8 + hello.readUInt16BE(at + 6));
}

/** The shared secret by the keys that are held; `mlKem` missing is guessed as zeros. */
function sharedSecret(group: Group, share: Buffer, { x25519, mlKem }: Ephemeral): Buffer {
  const ciphertext = share.subarray(0, -32);
  const key = { key: share.subarray(-32), format: 'raw-public', asymmetricKeyType: 'x25519' } as const;
  const classical = diffieHellman({ privateKey: x25519, publicKey: createPublicKey(key) });
  if (group === 'X25519') return classical;
  const hidden = mlKem === undefined ? Buffer.alloc(32) : (decapsulate(mlKem, ciphertext) as Buffer);
  return Buffer.concat([hidden, classical]);
}

/** The key schedule from a shared secret and both hellos on. */
function schedule(shared: Uint8Array, hellos: Buffer) {
  const zeros = Buffer.alloc(hashBytes);
  const none = Buffer.alloc(0);
  const handshake = hmac(derive(hmac(zeros, zeros), 'derived', none), shared);
  const master = hmac(derive(handshake, 'derived', none), zeros);
  return {
    handshakeOf: (side: 'c' | 's') => derive(handshake, `${side} hs traffic`, hellos),
    applicationOf: (side: 'c' | 's', transcript: Buffer) => derive(master, `${side} ap traffic`, transcript),
  };
}

/** Opens the server's handshake flight: its messages, and how many records it took. Undefined until it is all there. */
function openFlight(records: readonly Buffer[], secret: Uint8Array): { flight: Buffer; used: number } | undefined {
  const cipher = cipherOf(secret);
  let flight = Buffer.alloc(0);
  for (const [i, record] of records.entries()) {
    flight = Buffer.concat([flight, cipher.open(record).content]);
    let at = 0;
    while (at + 4 <= flight.length) {
      const [type, end] = [flight[at], at + 4 + flight.readUIntBE(at + 1, 3)];
      if (end > flight.length) break;
      if (type === 20) return { flight: flight.subarray(0, end), used: i + 1 };
      at = end;
    }
  }
  return undefined;
}

const isEncrypted = (record: Buffer) => record[0] === 23;
const withoutHeader = (record: Buffer) => record.subarray(5);

/** Talks to a server under ephemeral keys that the caller keeps, and gives what a tap on the line would have. */
export function recordTalk(port: number, group: Group, keys: Ephemeral, request: string): Promise<Recording> {
  return new Promise((resolve, reject) => {
    const hello = clientHello(group, keys);
    const sent: Buffer[] = [];
    let down = Buffer.alloc(0);
    let isFinished = false;
    const socket = connect(port, '127.0.0.1');
    const send = (bytes: Buffer) => {
      sent.push(bytes);
      socket.write(bytes);
    };
    socket.once('connect', () => send(Buffer.concat([Buffer.of(22, 3, 1), vector(2, hello)])));
    socket.on('data', (chunk: Buffer) => {
      down = Buffer.concat([down, chunk]);
      const records = recordsIn(down);
      if (isFinished || records.length === 0) return;
      const serverHello = withoutHeader(records[0]!);
      const hellos = Buffer.concat([hello, serverHello]);
      const { handshakeOf, applicationOf } = schedule(sharedSecret(group, serverShare(serverHello), keys), hellos);
      const opened = openFlight(records.filter(isEncrypted), handshakeOf('s'));
      if (opened === undefined) return;
      isFinished = true;
      const transcript = Buffer.concat([hellos, opened.flight]);
      const finishedKey = expandLabel(handshakeOf('c'), 'finished', Buffer.alloc(0), hashBytes);
      const finished = Buffer.concat([Buffer.of(20), vector(3, hmac(finishedKey, sha384(transcript)))]);
      send(cipherOf(handshakeOf('c')).seal(22, finished));
      send(cipherOf(applicationOf('c', transcript)).seal(23, Buffer.from(request)));
    });
    socket.once('error', reject);
    socket.once('close', () => resolve({ group, up: Buffer.concat(sent), down }));
  });
}

/** What both ends said, for whoever holds these of the client's ephemeral keys; undefined where nothing opens. */
export function openRecording(
  { group, up, down }: Recording,
  keys: Ephemeral,
): { up: string; down: string } | undefined {
  const [clientRecords, serverRecords] = [recordsIn(up), recordsIn(down)];
  const serverHello = withoutHeader(serverRecords[0]!);
  const hellos = Buffer.concat([withoutHeader(clientRecords[0]!), serverHello]);
  const { handshakeOf, applicationOf } = schedule(sharedSecret(group, serverShare(serverHello), keys), hellos);
  const read = (records: readonly Buffer[], secret: Uint8Array) => {
    const cipher = cipherOf(secret);
    const opened = records.map((record) => cipher.open(record));
    return Buffer.concat(opened.filter(({ type }) => type === 23).map(({ content }) => content)).toString('latin1');
  };
  try {
    const sealed = serverRecords.filter(isEncrypted);
    const { flight, used } = openFlight(sealed, handshakeOf('s'))!;
    const transcript = Buffer.concat([hellos, flight]);
    return {
      // The first encrypted record of the client is its Finished.
      up: read(clientRecords.filter(isEncrypted).slice(1), applicationOf('c', transcript)),
      down: read(sealed.slice(used), applicationOf('s', transcript)),
    };
  } catch {
    return undefined;
  }
}
