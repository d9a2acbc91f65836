import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { tlsIdentity } from '../system/https-world.ts';
import { assertHybrid, type Recorded } from './tls-records.ts';
import { tap, wholeRun } from './whole-run.ts';

for (const clientCertificates of ['off', 'required'] as const) {
  test(`on the wire of a whole run there is TLS 1.3 with X25519MLKEM768 and nothing else (client certificates ${clientCertificates})`, async () => {
    let line: Awaited<ReturnType<typeof tap>>;
    const { secrets } = await wholeRun(clientCertificates, async (port) => (line = await tap(port)).port);
    const connections = line!.recorded();
    line!.close();
    assert.ok(connections.length >= 1);
    connections.forEach(assertHybrid);
    const all = Buffer.concat(connections.flatMap(({ up, down }) => [up, down]));
    assert.ok(all.length > 50_000, `${all.length}`);
    for (const secret of secrets) assert.equal(all.includes(secret), false, Buffer.from(secret).toString('latin1'));
  });
}

/** What a tap records between one client and a server that answers on `port`. */
async function recordedOn(port: number, speak: (port: number) => Promise<void>): Promise<Recorded> {
  const line = await tap(port);
  await speak(line.port);
  const [recorded] = line.recorded();
  line.close();
  return recorded!;
}

function tlsTalk(port: number, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

test('the control: X25519, TLS 1.2, a second group on offer and plain HTTP are seen for what they are', async () => {
  const server = createServer({ ...tlsIdentity, ecdhCurve: 'X25519MLKEM768:X25519' }, (socket) => socket.write('.'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const recorded = (options: object) => recordedOn(port, (through) => tlsTalk(through, options));
  assertHybrid(await recorded({ minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }));
  for (const options of [
    { minVersion: 'TLSv1.3', ecdhCurve: 'X25519' },
    { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519' },
    { minVersion: 'TLSv1.2', ecdhCurve: 'X25519MLKEM768' },
  ]) {
    const seen = await recorded(options);
    assert.throws(() => assertHybrid(seen), assert.AssertionError, JSON.stringify(options));
  }
  server.close();

  const plain = createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const seen = await recordedOn((plain.address() as AddressInfo).port, async (through) => {
    const socket = connectTcp(through, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  });
  plain.close();
  assert.throws(() => assertHybrid(seen), /record type/);
  assert.ok(seen.up.includes('HTTP/1.1') && seen.down.includes('HTTP/1.1'));
});
