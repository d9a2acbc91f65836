import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { RefusedError } from '../../src/client/ends.ts';
import { enrol } from '../../src/client/enrol.ts';
import { openSession } from '../../src/client/session.ts';
import { contribute } from '../../src/client/work.ts';
import type { Route } from '../../src/coordinator/http/routes.ts';
import { credentialOf } from '../../src/core/protocol/channel-binding.ts';
import { enrolmentRequest } from '../../src/core/protocol/invitation.ts';
import { sessionProofBytes } from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { suiteDefault } from '../../src/core/protocol/suite.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import { type Call, TransportError } from '../../src/ports/transport.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld, memoryIdentity, ownerToken, tlsIdentity } from './https-world.ts';
import { sendRaw } from './raw-socket.ts';
import { settle, until } from './virtual-clock.ts';
import { createSite, crypto, deflate, fakeTrainer, keyOf, smallPlan } from './world.ts';

let world: HttpsWorld;
before(async () => {
  world = await createHttpsWorld();
});
after(() => world.close());

const base = '/v1/orgs/org/runs/run';

function callOf(route: Route, session?: string): Call {
  const path = route.url.replace(':hash', '0'.repeat(64)).replace(':deviceId', 'd-none');
  return {
    method: route.method,
    path,
    ...(route.method === 'POST' ? { json: {} } : {}),
    ...(session === undefined ? {} : { session }),
  };
}

test('the server answers on the routes that it lists, and on no others', () => {
  const paths: string[] = [];
  const tree = world.app.printRoutes({ commonPrefix: false });
  const stack: string[] = [];
  for (const line of tree.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line.trimEnd());
    if (match === null) {
      assert.match(line.trim(), /^$/, line);
      continue;
    }
    stack.length = match[1]!.length / 4;
    stack.push(match[2]!);
    for (const method of match[3]!.split(', ')) if (method !== 'HEAD') paths.push(`${method} ${stack.join('')}`);
  }
  assert.deepEqual(paths.toSorted(), world.routes.map(({ method, url }) => `${method} ${url}`).toSorted());
  for (const { method, url } of world.routes) assert.ok(world.app.hasRoute({ method, url }), url);
});

test('every route has a role and refuses those who do not have it', async () => {
  const { enrolSite, routes } = world;
  const { transport, session } = await enrolSite();
  const device = await session();
  const roles = new Set<string>();
  for (const route of routes) {
    roles.add(route.role);
    const wrong =
      route.role === 'public'
        ? []
        : [undefined, '', 'x', `${ownerToken}x`, route.role === 'owner' ? device : ownerToken];
    for (const token of wrong) {
      const reply = await transport.request(callOf(route, token));
      assert.equal(reply.status, 401, `${route.method} ${route.url} with ${token}`);
      assert.deepEqual(bodyOf(reply), { error: 'not-authenticated', message: 'This route needs a valid session' });
    }
    if (route.role === 'public') assert.notEqual((await transport.request(callOf(route))).status, 401, route.url);
  }
  assert.deepEqual(roles, new Set(['public', 'device', 'owner']));
  assert.deepEqual(
    routes.filter(({ role }) => role === 'public').map(({ url }) => url),
    [
      '/health',
      '/ready',
      '/v1/enrol',
      '/v1/challenges',
      '/v1/sessions',
      '/v1/certificates',
      `${base}/log/checkpoint`,
      `${base}/log/inclusion`,
      `${base}/log/consistency`,
      `${base}/log/cosignatures`,
    ],
  );
  assert.equal(world.coordinator.snapshot().run.status, 'waiting');
});

test('the right token in a wrong shape is refused: another scheme, another place, twice', async () => {
  const status = async (header: (credential: string) => string, query = '') => {
    const answer = await sendRaw(world.port, (channel) => {
      const own = credentialOf(ownerToken, channel);
      return `GET /v1/admin/status${query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${header(own)}\r\n\r\n`;
    });
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };
  assert.equal(await status((own) => `authorization: Bearer ${own}`), 200);
  assert.equal(await status((own) => `authorization: ${own}`), 401);
  assert.equal(await status((own) => `authorization: Basic ${own}`), 401);
  assert.equal(await status((own) => `authorization: Bearer  ${own}`), 401);
  assert.equal(await status((own) => `x-authorization: Bearer ${own}`), 401);
  assert.equal(await status((own) => `cookie: session=${own}`), 401);
  assert.equal(await status(() => 'x-none: 1', `?authorization=${ownerToken}`), 401);
  // The token itself, and a proof of it that was made for another connection.
  assert.equal(await status(() => `authorization: Bearer ${ownerToken}`), 401);
  assert.equal(await status(() => `authorization: Bearer ${credentialOf(ownerToken, '00'.repeat(32))}`), 401);
});

test('what the owner does: status, links that work, devices, unknown device', async () => {
  const transport = world.transport();
  const owner = (call: Call) => transport.request({ ...call, session: ownerToken });
  const links = bodyOf(
    await owner({ method: 'POST', path: '/v1/admin/invitations', json: { count: 2, subject: 'site-x' } }),
  )['links'] as {
    subject: string;
    link: string;
  }[];
  assert.deepEqual(
    links.map(({ subject }) => subject),
    ['site-x', 'site-x'],
  );
  assert.match(links[0]!.link, new RegExp(`^https://127\\.0\\.0\\.1:${world.port}/join#v=1&token=`));
  const unknown = await owner({ method: 'POST', path: '/v1/admin/devices/d-none', json: { status: 'removed' } });
  assert.equal(unknown.status, 404);
  for (const json of [{ count: 0 }, { count: 10_001 }, { count: 1, subject: 'No' }, { count: 1, more: 1 }, [], null]) {
    assert.equal(
      (await owner({ method: 'POST', path: '/v1/admin/invitations', json })).status,
      400,
      JSON.stringify(json),
    );
  }
  const status = bodyOf(await owner({ method: 'GET', path: '/v1/admin/status' }));
  assert.equal(status['runId'], 'run');
});

test('enrolment over HTTPS: a link works once, a refusal says little, an answer that was lost is given again', async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  const link = { host: '127.0.0.1', port: world.port, token: invited!.token, pin: Uint8Array.fromHex(tlsIdentity.pin) };
  const transport = world.transport();
  const first = await enrol({ link, name: 'a', store: memoryIdentity(), crypto, transport });
  const store = memoryIdentity({ signingSeed: first.signingSeed });
  assert.deepEqual(await enrol({ link, name: 'a', store, crypto, transport }), first);
  const other = enrol({ link, name: 'b', store: memoryIdentity(), crypto, transport });
  await assert.rejects(other, (error: Error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.message, 'This link cannot be used: it is wrong, expired or used already');
    return true;
  });
  const guessed = enrol({
    link: { ...link, token: 'g'.repeat(32) },
    name: 'b',
    store: memoryIdentity(),
    crypto,
    transport,
  });
  await assert.rejects(guessed, /This link cannot be used: it is wrong, expired or used already/);
});

test('a proof that was made for another server is refused: it names the pin', async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  const key = keyOf(8);
  const said = { token: invited!.token, suite: suiteDefault, name: '', key };
  const statusFor = async (pin: string) => {
    const jsonOver = (channel: string) => enrolmentRequest({ ...said, pin, channel }, crypto);
    return (await world.transport().request({ method: 'POST', path: '/v1/enrol', jsonOver })).status;
  };
  assert.equal(await statusFor('0'.repeat(64)), 403);
  assert.equal(await statusFor(tlsIdentity.pin), 200);
});

test('sessions: a challenge is used once, by the device that asked, within a minute, for this server', async () => {
  const a = await world.enrolSite();
  const b = await world.enrolSite();
  const ask = async (deviceId: string) => {
    const reply = await a.transport.request({ method: 'POST', path: '/v1/challenges', json: { deviceId } });
    return bodyOf(reply)['challenge'] as string;
  };
  const answer = async (
    site: typeof a,
    challenge: string,
    change: Partial<Parameters<typeof sessionProofBytes>[0]> = {},
  ) => {
    const key = crypto.importSigningKey(Uint8Array.fromBase64(site.identity.signingSeed));
    const { deviceId } = site.identity;
    const jsonOver = (channel: string) => {
      const bytes = sessionProofBytes({ deviceId, challenge, pin: tlsIdentity.pin, channel, ...change });
      return { deviceId, challenge, channel, proof: key.sign(purposes.session, bytes).toBase64() };
    };
    return (await a.transport.request({ method: 'POST', path: '/v1/sessions', jsonOver })).status;
  };
  const challenge = await ask(a.identity.deviceId);
  // 409: ask for another one; nothing is said of the device.
  assert.equal(await answer(b, challenge), 409);
  assert.equal(await answer(a, challenge), 200);
  assert.equal(await answer(a, challenge), 409);
  const second = await ask(a.identity.deviceId);
  assert.equal(await answer(a, second, { challenge: 'another' }), 401);
  // The attempt has used it up.
  assert.equal(await answer(a, second), 409);
  assert.equal(await answer(a, await ask(a.identity.deviceId), { pin: '0'.repeat(64) }), 401);
  assert.equal(await answer(a, await ask(a.identity.deviceId), { deviceId: b.identity.deviceId }), 401);
  const late = await ask(a.identity.deviceId);
  world.clock.advance(60_001);
  assert.equal(await answer(a, late), 409);
  assert.equal(await answer(a, crypto.randomBytes(32).toBase64()), 409);
});

test('a session ends after 12 hours, and at once when the operator removes the device', async () => {
  const own = await createHttpsWorld();
  try {
    const { enrolSite, clock, coordinator } = own;
    const site = await enrolSite();
    const session = await site.session();
    const hash = coordinator.snapshot().models[0]!.hash;
    const get = () => site.transport.request({ method: 'GET', path: `${base}/models/${hash}`, session });
    const model = await get();
    assert.equal(model.status, 200);
    assert.equal(createHash('sha256').update(model.body).digest('hex'), hash);
    clock.advance(12 * 3_600_000);
    assert.equal((await get()).status, 200);
    clock.advance(1);
    assert.equal((await get()).status, 401);
    const again = await site.session();
    const path = `${base}/models/${hash}`;
    assert.equal((await site.transport.request({ method: 'GET', path, session: again })).status, 200);
    await coordinator.enrolment.setStatus(site.identity.deviceId, 'removed');
    assert.equal((await site.transport.request({ method: 'GET', path, session: again })).status, 401);
    await assert.rejects(site.session(), /The operator has removed this device/);
  } finally {
    await own.close();
  }
});

test('the session of one device cannot send for another, and neither can a device of another run', async () => {
  const own = await createHttpsWorld({ plan: smallPlan({ cohort: { expected: 3, quorum: 1 } }) });
  try {
    // The third does not answer: the phase stays open.
    const [a, b, c] = [await own.enrolSite(), await own.enrolSite(), await own.enrolSite()];
    const { devices } = own.coordinator.snapshot();
    const sites = [a, b, c].map(({ identity }) => {
      const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
      return createSite(devices.get(identity.deviceId)!, key);
    });
    for (const site of sites) site.listen(own.coordinator);
    await until(() => sites.every((site) => site.heard.at(-1)?.state === 'work'), 'round 1 is announced');
    const bytes = await contribute(sites[0]!.heard.at(-1)!, {
      plan: own.parts.plan,
      clientId: a.identity.clientId,
      key: sites[0]!.key,
      crypto,
      deflate,
      trainer: fakeTrainer,
      memory: createVolatileSiteMemory(),
      fetchModel: async (hash) => (await own.coordinator.model(hash))!,
    });
    const send = (session: string, path = `${base}/contributions`) =>
      a.transport.request({ method: 'POST', path, session, bytes });
    const wrong = await send(await b.session());
    assert.equal(wrong.status, 422);
    // A code and no detail: security refusals say little to the sender.
    assert.deepEqual(bodyOf(wrong), { error: 'wrong-device', message: 'The contribution was refused' });
    assert.equal((await send(await a.session(), '/v1/orgs/org/runs/other/contributions')).status, 404);
    const session = await a.session();
    const right = await send(session);
    assert.equal(right.status, 201);
    // What lies in the same store as the models is no model: its hash is known to many, its bytes are for nobody.
    const { models, run } = own.coordinator.snapshot();
    const model = models.at(-1)!.hash;
    const get = async (hash: string) =>
      (await b.transport.request({ method: 'GET', path: `${base}/models/${hash}`, session: await b.session() })).status;
    const stored = [crypto.sha256(bytes).toHex(), run.cards[model]!];
    for (const hash of stored) assert.ok((await own.parts.blobs.size(hash))! > 0);
    assert.deepEqual([await get(model), ...(await Promise.all(stored.map(get)))], [200, 404, 404]);
    assert.deepEqual(bodyOf(right), {
      contentHash: createHash('sha256').update(bytes).digest('hex'),
      round: 1,
      phaseId: 'train',
    });
    assert.deepEqual(bodyOf(await send(session)), bodyOf(right));
    assert.deepEqual(Object.keys(own.coordinator.snapshot().run.round!.accepted), [a.identity.clientId]);
  } finally {
    await own.close();
  }
});

test('bodies: too large, unannounced, longer and shorter than announced are refused, and journaled', async () => {
  const site = await world.enrolSite();
  const session = await site.session();
  const max = world.coordinator.bodyBytesMax;
  const post = (bytes: Uint8Array) =>
    site.transport.request({ method: 'POST', path: `${base}/contributions`, session, bytes });
  assert.equal((await post(new Uint8Array(max))).status, 409);
  const large = await post(new Uint8Array(max + 1));
  assert.equal(large.status, 413);
  assert.equal(bodyOf(large).error, 'too-large');
  const codes = (await world.coordinator.journal(0)).map(({ entry }) => entry.data['code']);
  assert.ok(codes.includes('too-large'));
  const json = { invitation: 'x'.repeat(70_000), voucher: '', name: '', publicKey: '', channel: '', proof: '' };
  assert.equal((await site.transport.request({ method: 'POST', path: '/v1/enrol', json })).status, 413);

  const head = (rest: string) => (channel: string) =>
    `POST ${base}/contributions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${credentialOf(session, channel)}\r\ncontent-type: application/octet-stream\r\n${rest}`;
  const chunked = await sendRaw(world.port, head('transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'));
  assert.match(chunked, /^HTTP\/1\.1 411 /);
  // The client goes away in the middle of a body: the coordinator is none the worse.
  const warnings: Error[] = [];
  const remember = (warning: Error) => void warnings.push(warning);
  process.on('warning', remember);
  await sendRaw(world.port, head('content-length: 1000\r\n\r\nhello'), { endAfterMs: 50 });
  await settle(20);
  process.off('warning', remember);
  assert.deepEqual(warnings, []);
  assert.match(await sendRaw(world.port, head('content-length: 1e3\r\n\r\nhello')), /^HTTP\/1\.1 400 /);
  assert.match(await sendRaw(world.port, head('content-length: -5\r\n\r\nhello')), /^HTTP\/1\.1 400 /);
  assert.equal((await site.transport.request({ method: 'GET', path: '/health' })).status, 200);
});

test('JSON that is malformed, deep, of another type, with unknown or poisonous keys is refused with 4xx and changes nothing', async () => {
  const post = (body: string, type = 'application/json') =>
    sendRaw(
      world.port,
      `POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  const fields = '"invitation":"","voucher":"","name":"","publicKey":"","channel":"","proof":""';
  const bodies = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{}',
    `{${fields}}`,
    `{${fields},"extra":1}`,
    `{${fields},"__proto__":{"polluted":true}}`,
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '['.repeat(30_000),
    '\u0000',
    '{"invitation":1e999}',
  ];
  for (const body of bodies) {
    const answer = await post(body);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, body.slice(0, 60));
    assert.equal(/stack|node_modules|\.ts:/.test(answer), false, answer);
  }
  assert.match(await post('invitation=1', 'application/x-www-form-urlencoded'), /^HTTP\/1\.1 415 /);
  assert.match(await post('<a/>', 'text/xml'), /^HTTP\/1\.1 415 /);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  for (const path of ['/', '/v1', '/v1/enrol/', '/v1/admin', '/..%2f..%2fetc/passwd', `${base}/models/../models/x`]) {
    assert.match(
      await sendRaw(world.port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
      /^HTTP\/1\.1 40[14] /,
      path,
    );
  }
});

test('the journal stream gives each entry once, in order, from where the reader stopped', async () => {
  const transport = world.transport();
  const read = async (count: number, headers: Record<string, string> = {}) => {
    const entries: JournalEntry[] = [];
    const call: Call = { method: 'GET', path: '/v1/admin/journal', session: ownerToken, headers };
    for await (const { id, data } of transport.events(call, new AbortController().signal)) {
      const entry = JSON.parse(data) as JournalEntry;
      assert.equal(id, String(entry.sequence));
      entries.push(entry);
      if (entries.length === 3) void world.coordinator.enrolment.invite(5);
      if (entries.length >= count) break;
    }
    return entries.map(({ sequence }) => sequence);
  };
  const known = (await world.coordinator.journal(0)).length;
  const expected = Array.from({ length: known + 5 }, (_, i) => i);
  assert.deepEqual(await read(known + 5), expected);
  assert.deepEqual(await read(4, { 'last-event-id': '6' }), [7, 8, 9, 10]);
  assert.deepEqual((await read(2, { 'last-event-id': 'nonsense' })).slice(0, 2), [0, 1]);
});

test('TLS: a peer that offers only X25519, P-256 or TLS 1.2 is refused; one that offers more gets X25519MLKEM768', async () => {
  const handshake = (options: object) =>
    new Promise<string>((resolve) => {
      const socket = connect({ port: world.port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        const { name } = socket.getEphemeralKeyInfo() as { name?: string };
        resolve(`${socket.getProtocol()} ${name}`);
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  assert.match(await handshake({ ecdhCurve: 'X25519' }), /^(ERR_SSL|ECONNRESET)/);
  assert.match(await handshake({ ecdhCurve: 'P-256' }), /^(ERR_SSL|ECONNRESET)/);
  assert.match(await handshake({ maxVersion: 'TLSv1.2' }), /^(ERR_SSL|ECONNRESET)/);
  assert.equal(await handshake({ ecdhCurve: 'X25519:X25519MLKEM768' }), 'TLSv1.3 X25519MLKEM768');
  assert.equal(await handshake({ ecdhCurve: 'X25519MLKEM768' }), 'TLSv1.3 X25519MLKEM768');
});

/** A TLS server that remembers what it was sent. */
async function listen(options: object): Promise<{ port: number; received: () => number; close: () => void }> {
  let bytes = 0;
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ key: tlsIdentity.key, cert: tlsIdentity.cert, ...options }, (socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    received: () => bytes,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('the transport refuses a wrong pin, another group and TLS 1.2 before a byte of the request is sent', async () => {
  const right = Uint8Array.fromHex(tlsIdentity.pin);
  const wrong = Uint8Array.from(right);
  wrong[31]! ^= 1;
  const pq = { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' };
  const cases: readonly [object, Uint8Array, RegExp][] = [
    [pq, wrong, /does not hold the key that the link names/],
    [pq, right.subarray(1), /does not hold the key that the link names/],
    [{ ...pq, ecdhCurve: 'X25519' }, right, /refused the secure channel/],
    [
      { maxVersion: 'TLSv1.2', ecdhCurve: 'X25519MLKEM768:X25519' },
      right,
      /refused the secure channel|must be TLS 1\.3/,
    ],
  ];
  for (const [options, pin, message] of cases) {
    const server = await listen(options);
    const transport = createHttpsTransport({ host: '127.0.0.1', port: server.port, pin, group: 'X25519MLKEM768' });
    const request = transport.request({ method: 'POST', path: '/v1/enrol', json: { invitation: 'secret' } });
    await assert.rejects(request, (error: Error) => {
      assert.ok(error instanceof TransportError && error.kind === 'security', String(error));
      assert.match(error.message, message);
      return true;
    });
    await settle(5);
    assert.equal(server.received(), 0);
    transport.close();
    server.close();
  }
});

test('the transport says "network" where nobody listens, and does not wait for ever for a peer that says nothing', async () => {
  const pin = Uint8Array.fromHex(tlsIdentity.pin);
  const silent = createTcpServer((socket) => socket.resume());
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const { port } = silent.address() as AddressInfo;
  const transport = createHttpsTransport({
    host: '127.0.0.1',
    port,
    pin,
    group: 'X25519MLKEM768',
    handshakeMsMax: 100,
  });
  const isNetwork = (error: Error) => error instanceof TransportError && error.kind === 'network';
  await assert.rejects(transport.request({ method: 'GET', path: '/health' }), isNetwork);
  transport.close();
  await new Promise((resolve) => {
    silent.close(resolve);
  });
  const dead = createHttpsTransport({ host: '127.0.0.1', port, pin, group: 'X25519MLKEM768' });
  await assert.rejects(dead.request({ method: 'GET', path: '/health' }), isNetwork);
  dead.close();
});

test('a client that sends its headers too slowly is cut off', async () => {
  assert.equal(world.app.server.headersTimeout, 15_000);
  const own = await createHttpsWorld();
  try {
    own.app.server.headersTimeout = 200;
    const started = performance.now();
    const answer = await sendRaw(own.port, 'GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ');
    assert.match(answer, /^HTTP\/1\.1 408 |^$/);
    assert.ok(performance.now() - started < 10_000);
  } finally {
    await own.close();
  }
});

test('openSession() takes a challenge that was lost with a restart for a cut, and a stranger for a refusal', async () => {
  const site = await world.enrolSite();
  const key = crypto.importSigningKey(Uint8Array.fromBase64(site.identity.signingSeed));
  const { deviceId } = site.identity;
  const forgetful: typeof site.transport = {
    ...site.transport,
    request(call) {
      if (call.path !== '/v1/sessions') return site.transport.request(call);
      const challenge = crypto.randomBytes(32).toBase64();
      const jsonOver = (channel: string) => ({ ...(call.jsonOver!(channel) as object), challenge });
      return site.transport.request({ ...call, jsonOver });
    },
  };
  const cut = openSession(forgetful, { deviceId, key, pin: tlsIdentity.pin });
  await assert.rejects(cut, (error: Error) => error instanceof TransportError && error.kind === 'network');
  const stranger = openSession(site.transport, { deviceId: 'd-none', key, pin: tlsIdentity.pin });
  await assert.rejects(stranger, RefusedError);
});
