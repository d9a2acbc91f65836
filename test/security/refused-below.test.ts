import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { JournalEntry } from '../../src/ports/store.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld } from '../system/https-world.ts';
import { sendRaw } from '../system/raw-socket.ts';
import { settle, until } from '../system/virtual-clock.ts';

/*
 * Hostile programs that nobody has authenticated: what they send is refused, and the journal says so, twenty times an hour
 * for each code and no more.
 */

let world: HttpsWorld;
let entries: JournalEntry[];
const base = '/v1/orgs/org/runs/run';

before(async () => {
  world = await createHttpsWorld();
  entries = [];
  world.coordinator.onCommit((rows) => entries.push(...rows.map(({ entry }) => entry)));
});
after(() => world.close());

const refused = (code: string) =>
  entries.filter(({ kind, data }) => kind === 'request.refused' && data['code'] === code).map(({ data }) => data);

/** The journal says it once more than before. */
async function isJournaled(code: string, attack: () => Promise<unknown>): Promise<void> {
  const before = refused(code).length;
  await attack();
  await until(() => refused(code).length > before, `"${code}" is journaled`);
}

const post = (body: string) =>
  sendRaw(
    world.port,
    `POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

function handshake(options: object): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: world.port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      resolve('connected');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('downgrade: X25519 alone, P-256 and TLS 1.2 are refused in the handshake, and journaled', async () => {
  for (const options of [{ ecdhCurve: 'X25519' }, { ecdhCurve: 'P-256' }, { maxVersion: 'TLSv1.2' }]) {
    await isJournaled('handshake', async () => assert.match(await handshake(options), /^(ERR_SSL|ECONNRESET)/));
  }
  // The control: the one group connects and leaves no line.
  const before = refused('handshake').length;
  assert.equal(await handshake({ ecdhCurve: 'X25519MLKEM768' }), 'connected');
  await settle();
  assert.equal(refused('handshake').length, before);
});

test('JSON: thirty thousand levels deep, prototypes and constructors are refused and journaled, and nothing is polluted', async () => {
  const fields = '"invitation":"","voucher":"","name":"","publicKey":"","channel":"","proof":""';
  const deep = 30_000;
  const bodies = [
    `${'['.repeat(deep)}${']'.repeat(deep)}`,
    `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`,
    `{${fields},"name":${'['.repeat(deep)}${']'.repeat(deep)}}`,
    `{${fields},"__proto__":{"polluted":true}}`,
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
  ];
  for (const body of bodies) {
    await isJournaled('malformed', async () => assert.match(await post(body), /^HTTP\/1\.1 400 /, body.slice(0, 80)));
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('paths out of the routes and out of the folder are refused and journaled', async () => {
  for (const path of ['/..%2f..%2fetc/passwd', `${base}/models/..%2f..%2f..%2fetc%2fpasswd`, '//v1/admin/status']) {
    const code = path.includes('/models/') ? 'not-authenticated' : 'no-such-route';
    const request = `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    await isJournaled(code, async () => assert.match(await sendRaw(world.port, request), /^HTTP\/1\.1 40[14] /, path));
  }
  const { transport, session } = await world.enrolSite();
  const path = `${base}/models/${'..%2f'.repeat(6)}etc%2fpasswd`;
  await isJournaled('no-such-model', async () => {
    const reply = await transport.request({ method: 'GET', path, session: await session() });
    assert.deepEqual([reply.status, bodyOf(reply).error], [404, 'no-such-model']);
  });
});

test('headers that are too large, too slow or no HTTP are refused and journaled', async () => {
  const large = `GET /health HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(20_000)}\r\n\r\n`;
  await isJournaled('headers-too-large', async () =>
    assert.match(await sendRaw(world.port, large), /^HTTP\/1\.1 431 /),
  );
  for (const bytes of [
    '\u0000\u0001\u0002 not a request',
    'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabc',
  ]) {
    await isJournaled('no-http', async () => assert.match(await sendRaw(world.port, bytes), /^HTTP\/1\.1 400 /));
  }
  world.app.server.headersTimeout = 200;
  await isJournaled('too-slow', () => sendRaw(world.port, 'GET /health HTTP/1.1\r\nhost: x\r\nx-slow: '));
});

test('a flood of refused requests is journaled twenty times within an hour, the last saying that there may be more', async () => {
  const own = await createHttpsWorld();
  try {
    const transport = own.transport();
    const rows = async () => (await own.coordinator.journal(0)).filter(({ entry }) => entry.kind === 'request.refused');
    const flood = async () => {
      for (let i = 0; i < 30; i++) await transport.request({ method: 'GET', path: `/nothing/${i}` });
      await settle();
    };
    await flood();
    assert.equal((await rows()).length, 20);
    assert.equal((await rows()).filter(({ entry }) => entry.data['more'] !== undefined).length, 1);
    own.clock.advance(3_600_000);
    await flood();
    assert.equal((await rows()).length, 40);
  } finally {
    await own.close();
  }
});
