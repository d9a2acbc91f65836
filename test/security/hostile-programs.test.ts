import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { parseLink } from '../../src/client/link.ts';
import { enrol } from '../../src/client/enrol.ts';
import { openSession } from '../../src/client/session.ts';
import { codecs } from '../../src/core/compression/index.ts';
import type { RefusalCode } from '../../src/core/intake/rejection.ts';
import { parseEnvelope, encodeEnvelope, type EnvelopeHeader } from '../../src/core/protocol/envelope.ts';
import { enrolmentRequest } from '../../src/core/protocol/invitation.ts';
import { type Announcement, sessionProofBytes } from '../../src/core/protocol/messages.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { suiteDefault } from '../../src/core/protocol/suite.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import type { SigningKey } from '../../src/ports/crypto.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { Reply, Transport } from '../../src/ports/transport.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld, memoryIdentity, tlsIdentity } from '../system/https-world.ts';
import { sendRaw } from '../system/raw-socket.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, d, deflate, smallPlan } from '../system/world.ts';

/*
 * Hostile programs over real sockets: each is refused, says why in the journal, and leaves the round as it was. What is
 * tried elsewhere over sockets: TLS groups and versions, sessions, roles, JSON and bodies in test/system/http.test.ts;
 * QKD flags in test/system/qkd.test.ts.
 */

const base = '/v1/orgs/org/runs/run';

type Enrolled = {
  readonly identity: Identity;
  readonly key: SigningKey;
  readonly transport: Transport;
  readonly session: string;
  readonly heard: Announcement[];
};

let world: HttpsWorld;
let honest: Enrolled;
let hostile: Enrolled;

beforeEach(async () => {
  world = await createHttpsWorld({ plan: smallPlan({ cohort: { expected: 2, quorum: 2, deadlineSeconds: 3600 } }) });
  [honest, hostile] = [await arrive(world), await arrive(world)];
  await until(() => [honest, hostile].every(({ heard }) => heard.at(-1)?.state === 'work'), 'round 1 is announced');
});
afterEach(() => world.close());

async function arrive(where: HttpsWorld): Promise<Enrolled> {
  const { identity, transport, session } = await where.enrolSite();
  const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
  const heard: Announcement[] = [];
  const device = where.coordinator.snapshot().devices.get(identity.deviceId)!;
  where.coordinator.connect(device, null, ({ announcement }) => heard.push(announcement));
  return { identity, key, transport, session: await session(), heard };
}

const send = (from: Enrolled, bytes: Uint8Array): Promise<Reply> =>
  from.transport.request({ method: 'POST', path: `${base}/contributions`, session: from.session, bytes });

const update = (vector = new Float32Array(d).fill(0.01)) =>
  encodePayload({ claimedExamples: 5 }, codecs['float16-zstd'].encode(vector, deflate));

function seal(
  from: Enrolled,
  change: Partial<EnvelopeHeader> & {
    readonly payload?: Uint8Array;
    readonly device?: SigningKey;
    readonly roundKey?: string;
  } = {},
): Promise<Uint8Array> {
  const announcement = from.heard.at(-1)!;
  const { payload = update(), device = from.key, roundKey = announcement.roundKey, ...header } = change;
  return sealEnvelope(
    {
      kind: 'update',
      suite: 1,
      codec: codecs['float16-zstd'].wireId,
      orgId: 'org',
      runId: 'run',
      deviceId: from.identity.deviceId,
      round: announcement.round,
      baseModel: Uint8Array.fromHex(announcement.baseModel),
      layout: Uint8Array.fromHex(announcement.layout),
      ...header,
    },
    payload,
    { round: Uint8Array.fromBase64(roundKey), device },
    crypto,
  );
}

const entries = async () => (await world.coordinator.journal(0)).map(({ entry }) => entry);

/** Sends as the hostile device: refused with this code, journaled with it, and nothing of it counts. */
async function isRefused(bytes: Uint8Array, code: RefusalCode): Promise<void> {
  const before = (await entries()).length;
  const accepted = { ...world.coordinator.snapshot().run.round!.accepted };
  const reply = await send(hostile, bytes);
  assert.ok(reply.status === 422 || reply.status === 409, `${reply.status}`);
  // The sender learns the code and one sentence, the journal the detail.
  assert.deepEqual(bodyOf(reply), { error: code, message: 'The contribution was refused' });
  const news = (await entries()).slice(before);
  assert.ok(
    news.some(({ kind, data }) => kind === 'update.refused' && data['code'] === code),
    code,
  );
  assert.deepEqual(world.coordinator.snapshot().run.round!.accepted, accepted);
}

test('replay: envelopes of another device, round, run, organisation, purpose', async () => {
  const theirs = await seal(honest);
  await isRefused(theirs, 'wrong-device');
  await isRefused(await seal(hostile, { round: 2 }), 'wrong-round');
  await isRefused(await seal(hostile, { runId: 'run-2' }), 'wrong-run');
  await isRefused(await seal(hostile, { orgId: 'other' }), 'wrong-run');
  // A signature that the device made to open a session says nothing for an envelope.
  const envelope = parseEnvelope(await seal(hostile));
  assert.ok(envelope.ok);
  const { headerBytes } = envelope.value;
  const signature = hostile.key.sign(purposes.session, headerBytes);
  await isRefused(encodeEnvelope({ ...envelope.value, signature }), 'bad-signature');
});

test("unknown key share: another's ciphertext under one's own header and signature does not open", async () => {
  const theirs = parseEnvelope(await seal(honest));
  const own = parseEnvelope(await seal(hostile));
  assert.ok(theirs.ok && own.ok);
  const { enc, chunks, chunkHashes } = theirs.value;
  const { signedBytes } = await import('../../src/core/protocol/envelope.ts');
  const message = signedBytes(own.value.headerBytes, enc, chunkHashes, crypto.sha256);
  const signature = hostile.key.sign(purposes.envelope, message);
  await isRefused(
    encodeEnvelope({ headerBytes: own.value.headerBytes, enc, chunkHashes, chunks, signature }),
    'bad-ciphertext',
  );
});

test('re-encapsulation: another encapsulation, or one to a stranger, under a valid signature does not open', async () => {
  const stranger = await crypto.generateRoundKey();
  await isRefused(await seal(hostile, { roundKey: stranger.publicKey.toBase64() }), 'bad-ciphertext');
  const own = parseEnvelope(await seal(hostile));
  const again = parseEnvelope(await seal(hostile));
  assert.ok(own.ok && again.ok);
  // The other encapsulation is as valid as the first, and the signature covers the first only.
  await isRefused(encodeEnvelope({ ...own.value, enc: again.value.enc }), 'bad-signature');
});

test('bytes: truncated at every part, trailing, empty, and a header that claims four gigabytes', async () => {
  const good = await seal(hostile);
  for (const length of [0, 1, 7, 100, 1300, good.length - 1]) await isRefused(good.subarray(0, length), 'malformed');
  await isRefused(good.subarray(0, 4), 'wrong-version');
  await isRefused(Buffer.concat([good, Buffer.of(0)]), 'malformed');
  const parsed = parseEnvelope(good);
  assert.ok(parsed.ok);
  const giant = good.slice();
  new DataView(giant.buffer, giant.byteOffset).setUint32(parsed.value.headerBytes.length - 4, 0xffffffff);
  await isRefused(giant, 'malformed');
});

test('downgrade: a suite that the plan does not name, another codec, a QKD key that nobody announced', async () => {
  const unknown = await seal(hostile);
  unknown[6] = 99;
  await isRefused(unknown, 'wrong-suite');
  await isRefused(await seal(hostile, { suite: 2, qkd: { epoch: 0, keyId: 'k' } }), 'wrong-suite');
  await isRefused(await seal(hostile, { codec: codecs.float32.wireId }), 'wrong-codec');
});

test('compression bomb: megabytes of zeros behind a valid signature are refused within the size of the model', async () => {
  const bomb = encodePayload({ claimedExamples: 1 }, deflate.compress(new Uint8Array(256 << 20)));
  assert.ok(bomb.length < 100_000, `${bomb.length}`);
  // Fits in the plan's limit, and is 32 MB once opened.
  const small = encodePayload({ claimedExamples: 1 }, deflate.compress(new Uint8Array(32 << 20)));
  const before = process.memoryUsage().arrayBuffers;
  await isRefused(await seal(hostile, { payload: bomb }), bomb.length > 8192 + 4 * d ? 'too-large' : 'wrong-shape');
  await isRefused(await seal(hostile, { payload: small }), small.length > 8192 + 4 * d ? 'too-large' : 'wrong-shape');
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
});

test('stolen token: who comes second is refused, the operator sees the thief, and removing it ends its session', async () => {
  const own = await createHttpsWorld();
  try {
    const [invited] = await own.coordinator.enrolment.invite(1);
    const link = parseLink(own.linkOf(invited!.token));
    const thief = await enrol({ link, name: 'thief', store: memoryIdentity(), crypto, transport: own.transport() });
    const owner = enrol({ link, name: 'hospital', store: memoryIdentity(), crypto, transport: own.transport() });
    await assert.rejects(owner, /This link cannot be used: it is wrong, expired or used already/);
    const rows = (await own.coordinator.journal(0)).map(({ entry }) => entry);
    assert.ok(rows.some(({ kind, data }) => kind === 'enrolment.refused' && data['code'] === 'spent-token'));
    const key = crypto.importSigningKey(Uint8Array.fromBase64(thief.signingSeed));
    const transport = own.transport();
    const open = () => openSession(transport, { deviceId: thief.deviceId, key, pin: tlsIdentity.pin });
    const session = await open();
    const model = () =>
      transport.request({
        method: 'GET',
        path: `${base}/models/${own.coordinator.snapshot().models[0]!.hash}`,
        session,
      });
    assert.equal((await model()).status, 200);
    await own.coordinator.enrolment.setStatus(thief.deviceId, 'removed');
    assert.equal((await model()).status, 401);
    await assert.rejects(open(), /The operator has removed this device/);
  } finally {
    await own.close();
  }
});

test('enrolment race over sockets: of six programs with one link one is enrolled', async () => {
  const own = await createHttpsWorld();
  try {
    const [invited] = await own.coordinator.enrolment.invite(1);
    const link = parseLink(own.linkOf(invited!.token));
    const tries = Array.from({ length: 6 }, () =>
      enrol({ link, name: 'racer', store: memoryIdentity(), crypto, transport: own.transport() }),
    );
    const settled = await Promise.allSettled(tries);
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(own.coordinator.snapshot().devices.size, 1);
    const rows = (await own.coordinator.journal(0)).map(({ entry }) => entry);
    assert.equal(rows.filter(({ data }) => data['code'] === 'spent-token').length, 5);
  } finally {
    await own.close();
  }
});

test("somebody else's public key cannot be enrolled: whoever enrols proves that it holds the key", async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  const { publicKey } = honest.key;
  const said = { token: invited!.token, suite: suiteDefault, name: '', pin: tlsIdentity.pin };
  // It says the other's key and signs with its own.
  const key = { publicKey, sign: hostile.key.sign };
  const jsonOver = (channel: string) => enrolmentRequest({ ...said, key, channel }, crypto);
  const reply = await world.transport().request({ method: 'POST', path: '/v1/enrol', jsonOver });
  assert.equal(reply.status, 403);
  assert.ok((await entries()).some(({ data }) => data['code'] === 'bad-proof'));
});

test('a certificate of another authority: the site speaks to nobody but the key that its link names', async () => {
  const impostor = await createServerIdentity(['127.0.0.1'], Date.now());
  const { createServer } = await import('node:https');
  let requests = 0;
  const server = createServer({ ...impostor, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }, (_, response) => {
    requests += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { createHttpsTransport } = await import('../../src/adapters/transport-https.ts');
  const { port } = server.address() as { port: number };
  const pin = Uint8Array.fromHex(tlsIdentity.pin);
  const transport = createHttpsTransport({ host: '127.0.0.1', port, pin, group: 'X25519MLKEM768' });
  const call = transport.request({ method: 'POST', path: '/v1/enrol', json: { invitation: 'secret' } });
  await assert.rejects(call, /does not hold the key that the link names/);
  assert.equal(requests, 0);
  transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('clocks: a device whose clock is years off takes part; a challenge ages by the clock of the coordinator', async () => {
  const { deviceId } = hostile.identity;
  const ask = async () => {
    const asked = await hostile.transport.request({ method: 'POST', path: '/v1/challenges', json: { deviceId } });
    return bodyOf(asked)['challenge'] as string;
  };
  let challenge = await ask();
  const jsonOver = (channel: string) => {
    const bytes = sessionProofBytes({ deviceId, challenge, pin: tlsIdentity.pin, channel });
    return { deviceId, challenge, channel, proof: hostile.key.sign(purposes.session, bytes).toBase64() };
  };
  const answer = (headers: Record<string, string> = {}) =>
    hostile.transport.request({ method: 'POST', path: '/v1/sessions', jsonOver, headers });
  // A Date header is a claim that nothing reads.
  const early = await answer({ date: 'Thu, 01 Jan 1970 00:00:00 GMT' });
  assert.equal(early.status, 200);
  const late = async () =>
    (await entries()).filter(({ kind, data }) => kind === 'request.refused' && data['code'] === 'challenge-expired');
  assert.deepEqual(await late(), []);
  // The same answer again; an answer after its minute, by the coordinator's clock, whatever the device's says.
  assert.equal((await answer()).status, 409);
  challenge = await ask();
  world.clock.advance(60_001);
  assert.equal((await answer({ date: new Date(0).toUTCString() })).status, 409);
  assert.deepEqual(
    (await late()).map(({ data }) => data['route']),
    ['/v1/sessions', '/v1/sessions'],
  );
});

test('paths: nothing leads out of the routes, to files or to the models of others', async () => {
  const paths = [
    `${base}/models/${'..%2f'.repeat(6)}etc%2fpasswd`,
    `${base}/models/../../../../admin/status`,
    `${base}/models/%00`,
    `${base}/models/${'A'.repeat(64)}`,
    `/v1/orgs/org/runs/..%2frun/models/${'0'.repeat(64)}`,
    '//v1/admin/status',
    '/v1/admin/journal/..;/status',
  ];
  for (const path of paths) {
    const reply = await hostile.transport.request({ method: 'GET', path, session: hostile.session });
    assert.ok([400, 401, 404].includes(reply.status), `${path}: ${reply.status}`);
    assert.ok(!new TextDecoder().decode(reply.body).includes('root:'), path);
  }
});

test('headers: sixteen kilobytes and no more; one too many ends the connection with 431', async () => {
  const answer = await sendRaw(world.port, `GET /health HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(20_000)}\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 431 /);
  const many = Array.from({ length: 3000 }, (_, i) => `x-${i}: 1\r\n`).join('');
  assert.match(await sendRaw(world.port, `GET /health HTTP/1.1\r\nhost: x\r\n${many}\r\n`), /^HTTP\/1\.1 (431|400) /);
  assert.equal((await hostile.transport.request({ method: 'GET', path: '/health' })).status, 200);
});

test('requests that two servers could read differently are refused: two lengths, length with chunks, bare line feeds', async () => {
  for (const head of [
    'content-length: 3\r\ncontent-length: 5',
    'content-length: 3\r\ntransfer-encoding: chunked',
    'transfer-encoding: chunked, identity',
    'content-length: 3\nx: y',
  ]) {
    const answer = await sendRaw(
      world.port,
      `POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${head}\r\n\r\nabc`,
    );
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, head);
  }
});

test('a flood before authentication: refused with 429, journaled once, and a site that is enrolled goes on', async () => {
  const own = await createHttpsWorld({ rateLimit: { burst: 40, perSecond: 1 } });
  try {
    const site = await own.enrolSite();
    const session = await site.session();
    const flood = own.transport();
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) {
      const json = { deviceId: `d-${i}` };
      statuses.push((await flood.request({ method: 'POST', path: '/v1/challenges', json })).status);
    }
    assert.ok(statuses.filter((status) => status === 429).length >= 20, statuses.join());
    // Guessed sessions come out of the same bucket.
    const guess = await flood.request({ method: 'GET', path: `${base}/models/${'0'.repeat(64)}`, session: 'guess' });
    assert.equal(guess.status, 429);
    const hash = own.coordinator.snapshot().models[0]!.hash;
    const model = await site.transport.request({ method: 'GET', path: `${base}/models/${hash}`, session });
    assert.equal(model.status, 200);
    const rows = (await own.coordinator.journal(0)).map(({ entry }) => entry);
    assert.deepEqual(
      rows.filter(({ kind }) => kind === 'requests.flood').map(({ data }) => data),
      [{ path: '/v1/challenges' }],
    );
  } finally {
    await own.close();
  }
});

test('after refusals the round is as it was: both devices contribute and are counted once', async () => {
  await isRefused(await seal(honest), 'wrong-device');
  await isRefused(await seal(hostile, { round: 7 }), 'wrong-round');
  // The hostile device first: who was refused and sends nothing good is not waited for.
  assert.equal((await send(hostile, await seal(hostile))).status, 201);
  assert.equal((await send(honest, await seal(honest))).status, 201);
  await until(() => honest.heard.at(-1)?.collects === 'metrics', 'the update is aggregated');
  assert.equal(world.coordinator.snapshot().run.facts?.published?.version, 1);
  assert.equal(world.coordinator.snapshot().run.facts?.accepted.length, 2);
});
