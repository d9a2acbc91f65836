import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { takePart } from '../../src/client/agent.ts';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { requestCertificate } from '../../src/client/certificate.ts';
import { createTestAuthority } from '../system/memory-authority.ts';
import { parseLink } from '../../src/client/link.ts';
import { enrol } from '../../src/client/enrol.ts';
import { createHttpsWorld, memoryIdentity, tlsIdentity } from '../system/https-world.ts';
import { crypto, deflate, fakeTrainer, smallPlan } from '../system/world.ts';

const x25519MlKem768 = 0x11ec;

/** A tap on the line: passes everything on and keeps both directions of each connection. */
async function tap(port: number) {
  const recorded: { readonly up: Buffer[]; readonly down: Buffer[] }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const record = { up: [] as Buffer[], down: [] as Buffer[] };
    recorded.push(record);
    sockets.add(near).add(far);
    near.on('data', (chunk: Buffer) => {
      record.up.push(chunk);
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      record.down.push(chunk);
      near.write(chunk);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.end());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    recorded: () => recorded.map(({ up, down }) => ({ up: Buffer.concat(up), down: Buffer.concat(down) })),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

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

for (const clientCertificates of ['off', 'required'] as const) {
  test(`on the wire of a whole run there is TLS 1.3 with X25519MLKEM768 and nothing else (client certificates ${clientCertificates})`, async () => {
    const { authority } = await createTestAuthority();
    const world = await createHttpsWorld({
      plan: smallPlan({
        rounds: { count: 2 },
        cohort: { expected: 1, quorum: 1 },
        security: { clientCertificates },
      }),
      parts: { authority },
    });
    const line = await tap(world.port);
    const pin = Uint8Array.fromHex(tlsIdentity.pin);
    const target = { host: '127.0.0.1', port: line.port, pin, group: 'X25519MLKEM768' };
    let own: { cert: string; key: string } | undefined;
    let transport = createHttpsTransport({ ...target, certificate: () => own });
    try {
      const [invited] = await world.coordinator.enrolment.invite(1);
      const link = parseLink(world.linkOf(invited!.token));
      const identity = await enrol({ link, name: 'hospital-of-the-test', store: memoryIdentity(), crypto, transport });
      if (clientCertificates === 'required') {
        const { deviceId } = identity;
        const { key, request } = await createCertificateRequest(deviceId);
        const signer = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
        const asked = { deviceId, key: signer, pin: tlsIdentity.pin, request };
        own = { key, cert: await requestCertificate(transport, asked) };
        transport.close();
        transport = createHttpsTransport({ ...target, certificate: () => own });
      }
      const outcome = await takePart({
        identity,
        saveIdentity: async () => {},
        pin: tlsIdentity.pin,
        transport,
        crypto,
        deflate,
        entropy: createNodeEntropy(),
        trainer: fakeTrainer,
        memory: createVolatileSiteMemory(),
        clock: createSystemClock(),
        patienceMs: 20_000,
        say: () => {},
      });
      assert.deepEqual({ ...outcome }, { ...outcome, reason: 'completed', contributions: 4 });

      const connections = line.recorded();
      assert.ok(connections.length >= 1);
      for (const { up, down } of connections) {
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
      const all = Buffer.concat(connections.flatMap(({ up, down }) => [up, down]));
      assert.ok(all.length > 50_000, `${all.length}`);
      const names = [
        invited!.token,
        identity.deviceId,
        identity.clientId,
        'hospital-of-the-test',
        'qflare',
        'HTTP/1.1',
        'QFLE',
        'examples',
      ];
      for (const name of names) assert.equal(all.includes(name), false, name);
      const model = await world.coordinator.model(world.coordinator.snapshot().models.at(-1)!.hash);
      assert.equal(all.includes(Buffer.from(model!).subarray(-60)), false);
      // The tap sees plaintext where there is some: this is the control.
      assert.ok(Buffer.concat([all, Buffer.from('xHTTP/1.1x')]).includes('HTTP/1.1'));
    } finally {
      transport.close();
      line.close();
      await world.close();
    }
  });
}
