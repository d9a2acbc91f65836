import assert from 'node:assert/strict';

const x25519MlKem768 = 0x11ec;

/** The records of one direction. Throws when a byte of it is no TLS record. */
function recordsOf(stream: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const records: { type: number; body: Buffer }[] = [];
  for (let at = 0; at < stream.length; ) {
    const [type, version, length] = [stream[at]!, stream.readUInt16BE(at + 1), stream.readUInt16BE(at + 3)];
    assert.ok(type >= 20 && type <= 23, `record type ${type} at ${at}`);
    assert.ok(version === 0x0303 || version === 0x0301, `record version ${version}`);
    // The tap may have cut the last record.
    records.push({ type, body: stream.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return records;
}

/** The extensions of a ClientHello (1) or ServerHello (2), by number. */
function extensionsOf(hello: Buffer, kind: 1 | 2): Map<number, Buffer> {
  assert.equal(hello[0], kind);
  let at = 4 + 2 + 32;
  at += 1 + hello[at]!;
  at += kind === 1 ? 2 + hello.readUInt16BE(at) : 2;
  at += kind === 1 ? 1 + hello[at]! : 1;
  const end = at + 2 + hello.readUInt16BE(at);
  const extensions = new Map<number, Buffer>();
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) {
    extensions.set(hello.readUInt16BE(at), hello.subarray(at + 4, at + 4 + hello.readUInt16BE(at + 2)));
  }
  return extensions;
}

/** Both directions of one connection, as they were on the wire. */
export type Recorded = { readonly up: Buffer; readonly down: Buffer };

/** Throws unless all of a connection is TLS 1.3 whose one group is X25519MLKEM768. */
export function assertHybrid({ up, down }: Recorded): void {
  const [client, server] = [recordsOf(up), recordsOf(down)];
  const offered = extensionsOf(client[0]!.body, 1);
  const answered = extensionsOf(server[0]!.body, 2);
  // supported_groups: one; supported_versions: TLS 1.3 alone; key_share: one, of the hybrid's 1,216 bytes.
  assert.deepEqual([...offered.get(10)!], [0, 2, 0x11, 0xec]);
  assert.deepEqual([...offered.get(43)!], [2, 3, 4]);
  assert.equal(offered.get(51)!.readUInt16BE(2), x25519MlKem768);
  assert.equal(offered.get(51)!.readUInt16BE(4), 1216);
  assert.deepEqual([...answered.get(43)!], [3, 4]);
  assert.equal(answered.get(51)!.readUInt16BE(0), x25519MlKem768);
  // After the hellos: a change-cipher-spec of one byte for old middleboxes, and ciphertext.
  for (const { type, body } of [...client.slice(1), ...server.slice(1)]) {
    assert.ok(type === 23 || (type === 20 && body.length === 1), `type ${type}, ${body.length} bytes`);
  }
}
