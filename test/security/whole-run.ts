import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
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

/** A tap on the line: passes everything on and keeps both directions of each connection. */
export async function tap(port: number) {
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

/**
 * A run from the link to its end, by one site, over real sockets: enrolment, certificate where asked for, session, models,
 * updates, metrics. `through` gives the port that the site connects to. Gives what must not be readable on the way.
 */
export async function wholeRun(
  clientCertificates: 'off' | 'required',
  through: (port: number) => Promise<number>,
): Promise<{ readonly secrets: readonly Uint8Array[] }> {
  const { authority } = await createTestAuthority();
  const world = await createHttpsWorld({
    plan: smallPlan({
      rounds: { count: 2 },
      cohort: { expected: 1, quorum: 1 },
      security: { clientCertificates },
    }),
    parts: { authority },
  });
  const pin = Uint8Array.fromHex(tlsIdentity.pin);
  const target = { host: '127.0.0.1', port: await through(world.port), pin, group: 'X25519MLKEM768' };
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
    const model = await world.coordinator.model(world.coordinator.snapshot().models.at(-1)!.hash);
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
    return { secrets: [...names.map((name) => Buffer.from(name)), Buffer.from(model!).subarray(-60)] };
  } finally {
    transport.close();
    await world.close();
  }
}
