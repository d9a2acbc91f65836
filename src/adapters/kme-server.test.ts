import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { answerKmeRequest } from '../core/qkd/etsi014-rules.ts';
import { createKeyPool } from '../core/qkd/key-pool.ts';
import { createNodeEntropy } from './entropy-node.ts';
import { createKmeAuthority } from './kme-authority.ts';
import { createKmeServer } from './kme-server.ts';

/*
 * ETSI GS QKD 014 V1.1.1 as a client of another vendor would see it: bytes of HTTPS, none of our own client's code. The
 * sentences are those of sections 5 and 6, the messages in quotes are the text's own.
 */

const authority = await createKmeAuthority('post-quantum', Date.now());
const identities = new Map(
  await Promise.all(
    ['alice', 'bob', 'carol', 'mallory'].map(async (name) => [name, await authority.issue(name)] as const),
  ),
);
const keySizeBits = 256;
const keysStored = 40;
let server: ReturnType<typeof createKmeServer>;
let port = 0;

before(async () => {
  const pool = createKeyPool({ entropy: createNodeEntropy(), capacityBytes: 1 << 12, lowWaterBytes: 0 });
  pool.openSession('s');
  pool.store('s', { bytes: randomBytes((keysStored * keySizeBits) / 8), keyMaterial: 'secret' });
  const kme = {
    pool,
    kmeId: 'kme-a',
    peerKmeId: 'kme-b',
    saeIds: ['alice', 'bob', 'carol'],
    keySizeBits,
    keySizeBitsMin: 64,
    keySizeBitsMax: 1024,
    keysPerRequestMax: 8,
    keyCountMax: 100,
    additionalSaesMax: 1,
    extensions: [],
  };
  server = createKmeServer({
    tls: { ...(await authority.issue('kme-a')), ca: authority.ca },
    saeRule: 'common-name',
    answer: (asked) => answerKmeRequest(kme, asked),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

type Container = { keys: { key_ID: string; key: string }[] };
type Answer = { status: number; type: string; body: Container & { message?: string; details?: object[] } };

function ask(sae: string, method: string, target: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length };
    const identity = identities.get(sae)!;
    const path = `/api/v1/keys/${target}`;
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        ...identity,
        ca: authority.ca,
        servername: 'localhost',
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const type = response.headers['content-type'] ?? '';
          resolve({ status: response.statusCode!, type, body: JSON.parse(Buffer.concat(parts).toString()) as never });
        });
      },
    );
    outgoing.on('error', reject).end(text);
  });
}

async function isRefused(asked: Promise<Answer>, status: number, message: string, details?: object[]): Promise<void> {
  const answer = await asked;
  assert.deepEqual([answer.status, answer.type], [status, 'application/json']);
  assert.equal(answer.body.message, message);
  assert.deepEqual(answer.body.details, details);
}

test('ETSI 014, status: every member of table 9, about the caller and the SAE that it names', async () => {
  const { status, body } = await ask('alice', 'GET', 'bob/status');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    source_KME_ID: 'kme-a',
    target_KME_ID: 'kme-b',
    master_SAE_ID: 'alice',
    slave_SAE_ID: 'bob',
    key_size: 256,
    stored_key_count: keysStored,
    max_key_count: 100,
    max_key_per_request: 8,
    max_key_size: 1024,
    min_key_size: 64,
    max_SAE_ID_count: 1,
    status_extension: { source: 'simulated' },
  });
});

test('ETSI 014, get key: one key of the usual size by default, by GET and by POST; ids are UUIDs, keys base64', async () => {
  for (const asked of [
    ask('alice', 'GET', 'bob/enc_keys'),
    ask('alice', 'POST', 'bob/enc_keys', {}),
    ask('alice', 'POST', 'bob/enc_keys', ''),
    ask('alice', 'GET', 'bob/enc_keys?number=1&size=256'),
  ]) {
    const { status, body } = await asked;
    assert.equal(status, 200);
    assert.equal(body.keys.length, 1);
    assert.match(body.keys[0]!.key_ID, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Uint8Array.fromBase64(body.keys[0]!.key).length, 32);
  }
  const { body } = await ask('alice', 'GET', 'bob/enc_keys?number=3&size=64');
  assert.deepEqual(
    body.keys.map(({ key }) => Uint8Array.fromBase64(key).length),
    [8, 8, 8],
  );
});

test('ETSI 014, get key with key IDs: by GET one, by POST many, to each SAE that was named once, to others never', async () => {
  const { body: made } = await ask('alice', 'POST', 'bob/enc_keys', {
    number: 2,
    additional_slave_SAE_IDs: ['carol'],
    extension_optional: [{ colour: 'blue' }],
  });
  const [first, second] = made.keys;
  assert.deepEqual((await ask('bob', 'GET', `alice/dec_keys?key_ID=${first!.key_ID}`)).body.keys, [first]);
  const missing = 'one or more keys specified are not found on KME';
  await isRefused(ask('bob', 'GET', `alice/dec_keys?key_ID=${first!.key_ID}`), 400, missing);
  const ids = { key_IDs: [{ key_ID: second!.key_ID }, { key_ID: first!.key_ID }], key_IDs_extension: {} };
  // All or none: the first is gone for bob, so that the second stays.
  await isRefused(ask('bob', 'POST', 'alice/dec_keys', ids), 400, missing);
  assert.deepEqual((await ask('carol', 'POST', 'alice/dec_keys', ids)).body.keys, [second, first]);
  assert.deepEqual((await ask('bob', 'GET', `alice/dec_keys?key_ID=${second!.key_ID}`)).body.keys, [second]);
  await isRefused(ask('bob', 'GET', `alice/dec_keys?key_ID=${crypto.randomUUID()}`), 400, missing);
  // 401: whoever asks was not named when the key was.
  const { body: other } = await ask('alice', 'GET', 'bob/enc_keys');
  const target = `dec_keys?key_ID=${other.keys[0]!.key_ID}`;
  await isRefused(ask('carol', 'GET', `alice/${target}`), 401, 'SAE is not authorised for these keys');
  await isRefused(ask('alice', 'GET', `bob/${target}`), 401, 'SAE is not authorised for these keys');
  assert.deepEqual((await ask('bob', 'GET', `alice/${target}`)).body.keys, other.keys);
});

test('ETSI 014, refusals: the text’s own words where it has them, a message always, and no key for a request that fails', async () => {
  const before = (await ask('alice', 'GET', 'bob/status')).body as unknown as { stored_key_count: number };
  const post = (body: unknown, sae = 'alice', peer = 'bob') => ask(sae, 'POST', `${peer}/enc_keys`, body);
  await isRefused(post({ size: 100 }), 400, 'size shall be a multiple of 8', [{ size: 100 }]);
  await isRefused(
    post({ extension_mandatory: [{ route: 'direct' }, { age: 5 }] }),
    400,
    'not all extension_mandatory parameters are supported',
    [
      { extension_mandatory_unsupported: 'route is not supported' },
      { extension_mandatory_unsupported: 'age is not supported' },
    ],
  );
  for (const body of [
    '{',
    '[]',
    'null',
    { number: 0 },
    { number: -1 },
    { number: 1.5 },
    { number: '2' },
    { number: 9 },
    { size: 8 },
    { size: 2048 },
    { additional_slave_SAE_IDs: ['bob'] },
    { additional_slave_SAE_IDs: ['carol', 'dave'] },
    { extension_mandatory: 'x' },
  ]) {
    const { status, body: said } = await post(body);
    assert.deepEqual([status, typeof said.message, 'keys' in said], [400, 'string', false], JSON.stringify(body));
  }
  for (const query of [
    'number=0',
    'number=x',
    'size=100',
    'number=1&number=2',
    'extension_mandatory=a',
    'additional_slave_SAE_IDs=carol',
  ]) {
    assert.equal((await ask('alice', 'GET', `bob/enc_keys?${query}`)).status, 400, query);
  }
  for (const asked of [
    ask('bob', 'GET', 'alice/dec_keys'),
    ask('bob', 'GET', 'alice/dec_keys?key_ID=1'),
    ask('bob', 'POST', 'alice/dec_keys', {}),
    ask('bob', 'POST', 'alice/dec_keys', { key_IDs: [] }),
  ]) {
    assert.equal((await asked).status, 400);
  }
  // The certificate says who asks: one that is no SAE here, and one that is not known as a peer.
  await isRefused(post({}, 'mallory'), 401, 'SAE is not authorised');
  await isRefused(post({}, 'alice', 'mallory'), 401, 'SAE is not authorised for this peer');
  await isRefused(post({}, 'alice', 'alice'), 401, 'SAE is not authorised for this peer');
  await isRefused(post({ additional_slave_SAE_IDs: ['mallory'] }), 401, 'SAE is not authorised for this peer');
  const after_ = (await ask('alice', 'GET', 'bob/status')).body as unknown as { stored_key_count: number };
  assert.equal(after_.stored_key_count, before.stored_key_count);
});

test('ETSI 014, 503: what the entity cannot serve for want of keys, and it serves less all the same', async () => {
  for (;;) {
    const { stored_key_count: stored } = (await ask('alice', 'GET', 'bob/status')).body as never as Record<
      string,
      number
    >;
    if (stored! < 8) {
      await isRefused(ask('alice', 'GET', 'bob/enc_keys?number=8'), 503, 'Not enough keys are stored');
      assert.equal((await ask('alice', 'GET', `bob/enc_keys?number=${stored || 1}`)).status, stored === 0 ? 503 : 200);
      return;
    }
    assert.equal((await ask('alice', 'GET', 'bob/enc_keys?number=8')).status, 200);
  }
});
