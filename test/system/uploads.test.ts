import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMemoryRoundKeys } from '../../src/adapters/round-keys-memory.ts';
import { openSession } from '../../src/client/session.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { chunkBytes, chunkRange, parseHead } from '../../src/core/protocol/envelope.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import type { Reply, Transport } from '../../src/ports/transport.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld, tlsIdentity } from './https-world.ts';
import { createMemoryDisk, createSite, crypto, deflate, type Site, smallPlan } from './world.ts';
import { until } from './virtual-clock.ts';

/** Values of a model whose update takes three chunks: 600,000 of float32. */
const [inputs, classes] = [299_999, 2];
const d = (inputs + 1) * classes;
const plan = smallPlan({
  model: { kind: 'softmax-regression', inputs, classes },
  cohort: { expected: 3, quorum: 2, absenceGraceSeconds: 3000, deadlineSeconds: 3000 },
  aggregation: { pipeline: [{ rule: 'mean' }], codec: 'float32' },
});
const disk = { ...createMemoryDisk(), roundKeys: createMemoryRoundKeys() };
const base = '/v1/orgs/org/runs/run';

type Client = Awaited<ReturnType<HttpsWorld['enrolSite']>> & { readonly site: Site };

let world: HttpsWorld;
let clients: Client[];

async function open(): Promise<void> {
  for (const { site } of clients) site.listen(world.coordinator);
  await until(() => clients.every(({ site }) => site.heard.at(-1)?.state === 'work'), 'the round is announced');
}

before(async () => {
  world = await createHttpsWorld({ plan, disk });
  clients = [];
  for (let i = 0; i < 3; i++) {
    const enrolled = await world.enrolSite();
    const key = crypto.importSigningKey(Uint8Array.fromBase64(enrolled.identity.signingSeed));
    const device = world.coordinator.snapshot().devices.get(enrolled.identity.deviceId)!;
    clients.push({ ...enrolled, site: createSite(device, key) });
  }
  await open();
});
after(() => world.close());

function sessionOf({ identity }: Client, transport: Transport): Promise<string> {
  const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
  return openSession(transport, { deviceId: identity.deviceId, key, pin: tlsIdentity.pin });
}

function seal({ site }: Client): Promise<Uint8Array> {
  const { baseModel, layout, round, roundKey } = site.heard.at(-1)!;
  const payload = encodePayload({ claimedExamples: 1 }, codecs.float32.encode(new Float32Array(d).fill(0.5), deflate));
  const header = {
    kind: 'update',
    suite: 1,
    codec: codecs.float32.wireId,
    orgId: 'org',
    runId: 'run',
    deviceId: site.device.deviceId,
    round,
    baseModel: Uint8Array.fromHex(baseModel),
    layout: Uint8Array.fromHex(layout),
  } as const;
  return sealEnvelope(header, payload, { round: Uint8Array.fromBase64(roundKey), device: site.key }, crypto);
}

const nameOf = (envelope: Uint8Array) => crypto.sha256(envelope).toHex();

function headOf(envelope: Uint8Array) {
  const head = parseHead(envelope);
  assert.ok(head.ok);
  return { ...head.value, sent: envelope.subarray(0, head.value.headBytes) };
}

async function call(
  client: Client,
  method: 'PUT' | 'PATCH' | 'GET',
  name: string,
  bytes?: Uint8Array,
  offset?: number,
) {
  const reply = await client.transport.request({
    method,
    path: `${base}/contributions/${name}`,
    session: await client.session(),
    ...(bytes === undefined ? {} : { bytes }),
    ...(offset === undefined ? {} : { headers: { 'upload-offset': String(offset) } }),
  });
  return { status: reply.status, ...(bodyOf(reply as Reply) as { error?: string; offset?: number; bytes?: number }) };
}

test('an upload goes on from any cut, after a restart of the coordinator too, and counts once', async () => {
  const [client] = clients as [Client];
  const envelope = await seal(client);
  const name = nameOf(envelope);
  const head = headOf(envelope);
  assert.equal(head.chunkHashes.length, 3);
  assert.equal((await call(client, 'GET', name)).status, 404);
  assert.deepEqual(await call(client, 'PUT', name, head.sent), {
    status: 200,
    offset: head.headBytes,
    bytes: envelope.length,
  });
  // One chunk and a half: the half is dropped.
  const first = chunkRange(head, 0).end;
  const part = envelope.subarray(head.headBytes, first + chunkBytes / 2);
  assert.equal((await call(client, 'PATCH', name, part, head.headBytes)).offset, first);
  assert.equal((await call(client, 'PATCH', name, part, head.headBytes)).error, 'upload-elsewhere');
  assert.equal((await call(client, 'GET', name)).offset, first);

  await world.close();
  world = await createHttpsWorld({ plan, disk });
  clients = clients.map((one) => {
    const transport = world.transport();
    return { ...one, transport, session: () => sessionOf(one, transport) };
  });
  await open();
  const [again] = clients as [Client];
  assert.equal((await call(again, 'PATCH', name, envelope.subarray(first), first)).error, 'upload-elsewhere');
  assert.equal((await call(again, 'PUT', name, head.sent)).offset, first);
  const done = await call(again, 'PATCH', name, envelope.subarray(first), first);
  assert.equal(done.status, 201);
  // The answer was lost: all ways to ask again give the same receipt.
  for (const retry of [
    await call(again, 'PUT', name, head.sent),
    await call(again, 'PATCH', name, envelope.subarray(first), first),
  ]) {
    assert.deepEqual(retry, done);
  }
  assert.deepEqual(Object.keys(world.coordinator.snapshot().run.round!.accepted), [again.site.device.clientId]);
  assert.equal(Buffer.compare((await disk.blobs.get(name))!, envelope), 0);
  assert.deepEqual(await disk.blobs.arriving.names(), []);
});

test('nothing is stored of a head that is not signed, cut, too large, or of another device', async () => {
  const [, client, other] = clients as [Client, Client, Client];
  const envelope = await seal(client);
  const { sent } = headOf(envelope);
  const name = nameOf(envelope);
  const forged = sent.slice();
  forged[sent.length - 1]! ^= 1;
  assert.equal((await call(client, 'PUT', name, forged)).error, 'bad-signature');
  assert.equal((await call(client, 'PUT', name, sent.subarray(0, sent.length - 1))).error, 'malformed');
  assert.equal((await call(client, 'PUT', name, envelope.subarray(0, sent.length + 1))).error, 'malformed');
  assert.equal((await call(other, 'PUT', name, sent)).error, 'wrong-device');
  const large = new Uint8Array(world.coordinator.headBytesMax + 1);
  assert.equal((await call(client, 'PUT', name, large)).status, 413);
  for (const bad of ['x', '../../secret', name.toUpperCase(), `${name}0`]) {
    assert.ok([400, 404].includes((await call(client, 'PUT', encodeURIComponent(bad), sent)).status), bad);
  }
  assert.deepEqual(await disk.blobs.arriving.names(), []);
});

test('a chunk that is not the signed one ends the upload', async () => {
  const [, client] = clients as [Client, Client];
  const envelope = await seal(client);
  const head = headOf(envelope);
  const name = nameOf(envelope);
  const rest = envelope.subarray(head.headBytes);
  const changed = rest.slice();
  changed[chunkBytes + 100]! ^= 1;
  assert.equal((await call(client, 'PUT', name, head.sent)).status, 200);
  assert.equal((await call(client, 'PATCH', name, changed, head.headBytes)).error, 'bad-ciphertext');
  assert.equal((await call(client, 'GET', name)).status, 404);
  assert.deepEqual(await disk.blobs.arriving.names(), []);
});

test('a new head ends the upload before it, and an envelope under another name than its hash is refused', async () => {
  const client = clients[2]!;
  const envelope = await seal(client);
  const head = headOf(envelope);
  const rest = envelope.subarray(head.headBytes);
  const name = 'ab'.repeat(32);
  assert.equal((await call(client, 'PUT', name, head.sent)).status, 200);
  // A device has one upload: the next head ends the one before.
  const other = headOf(await seal(client));
  assert.equal((await call(client, 'PUT', 'cd'.repeat(32), other.sent)).status, 200);
  assert.deepEqual(await disk.blobs.arriving.names(), ['cd'.repeat(32)]);
  assert.equal((await call(client, 'PUT', name, head.sent)).status, 200);
  assert.equal((await call(client, 'PATCH', name, rest, head.headBytes)).error, 'malformed');
  assert.equal(await disk.blobs.get(name), undefined);
  assert.deepEqual(await disk.blobs.arriving.names(), []);
});

test('a model is given from any byte on, and whole where the range makes no sense or is of another content', async () => {
  const [client] = clients as [Client];
  const { hash } = world.coordinator.snapshot().models[0]!;
  const whole = (await world.coordinator.model(hash))!;
  const session = await client.session();
  const get = async (headers: Record<string, string>) => {
    const parts: Uint8Array[] = [];
    const reply = await client.transport.fetch(
      { method: 'GET', path: `${base}/models/${hash}`, session, headers },
      (part) => parts.push(part.slice()),
    );
    return { status: reply.status, headers: reply.headers!, body: Buffer.concat(parts) };
  };
  const all = await get({});
  assert.equal(all.status, 200);
  assert.equal(all.headers['etag'], `"${hash}"`);
  assert.equal(all.headers['accept-ranges'], 'bytes');
  assert.equal(Buffer.compare(all.body, whole), 0);
  for (const range of ['bytes=0-', 'bytes=0-10', 'bytes=-5', 'bytes=5-2', 'lines=5-', 'bytes=1-,3-', 'bytes=x-']) {
    assert.equal((await get({ range })).body.length, whole.length, range);
  }
  for (const start of [1, 1000, whole.length - 1]) {
    const part = await get({ range: `bytes=${start}-`, 'if-range': `"${hash}"` });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], `bytes ${start}-${whole.length - 1}/${whole.length}`);
    assert.equal(Buffer.compare(part.body, whole.subarray(start)), 0);
  }
  assert.equal((await get({ range: 'bytes=5-', 'if-range': '"other"' })).body.length, whole.length);
  assert.equal((await get({ range: `bytes=${whole.length}-` })).status, 416);
});
