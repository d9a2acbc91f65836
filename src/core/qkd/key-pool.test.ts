import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../random/rng.ts';
import type { KmeHttpRequest, KmeOptions } from './etsi014-rules.ts';
import { answerKmeRequest } from './etsi014-rules.ts';
import type { KeyPoolOptions } from './key-pool.ts';
import { createKeyPool } from './key-pool.ts';

function testEntropy(seed = 1) {
  const rng = createRng(seed);
  const fillBytes = (target: Uint8Array) => void target.set(target.map(() => rng.uint32() & 255));
  return { purpose: 'secret', fillBytes } as const;
}

const counting = (n: number) => Uint8Array.from({ length: n }, (_, i) => i & 255);

function poolWith(bytes: number, change: Partial<KeyPoolOptions> = {}) {
  const pool = createKeyPool({ entropy: testEntropy(), capacityBytes: 10_000, lowWaterBytes: 0, ...change });
  pool.openSession('s');
  pool.store('s', { bytes: counting(bytes), keyMaterial: 'secret' });
  return pool;
}

test('a key goes through its states once: raw, distilled, reserved, delivered, zeroised', () => {
  const pool = createKeyPool({ entropy: testEntropy(), capacityBytes: 1000, lowWaterBytes: 0 });
  pool.openSession('s');
  assert.deepEqual(pool.inventory(), { raw: 1, distilled: 0, reserved: 0, delivered: 0, zeroised: 0 });
  const source = counting(64);
  pool.store('s', { bytes: source, keyMaterial: 'secret' });
  assert.ok(
    source.every((byte) => byte === 0),
    'wiped at the caller',
  );
  assert.deepEqual(pool.inventory(), { raw: 0, distilled: 64, reserved: 0, delivered: 0, zeroised: 0 });
  const [key] = pool.reserve({ count: 1, sizeBytes: 32, master: 'a', slaves: ['b', 'c'] })!;
  assert.deepEqual(key!.bytes, counting(32));
  assert.deepEqual(pool.inventory(), { raw: 0, distilled: 32, reserved: 1, delivered: 0, zeroised: 0 });
  const keyIds = [key!.keyId];
  assert.deepEqual(pool.collect({ keyIds, master: 'a', slave: 'b' })![0]!.bytes, counting(32));
  assert.deepEqual(pool.inventory(), { raw: 0, distilled: 32, reserved: 0, delivered: 1, zeroised: 0 });
  assert.equal(pool.collect({ keyIds, master: 'a', slave: 'b' }), undefined, 'twice');
  assert.ok(pool.collect({ keyIds, master: 'a', slave: 'c' }));
  assert.deepEqual(pool.inventory(), { raw: 0, distilled: 32, reserved: 0, delivered: 0, zeroised: 1 });
  assert.equal(pool.collect({ keyIds, master: 'a', slave: 'c' }), undefined);
});

test('no two keys share a bit, across chunks too', () => {
  const pool = poolWith(10);
  pool.openSession('t');
  pool.store('t', { bytes: counting(20).map((b) => b + 10), keyMaterial: 'secret' });
  const keys = [3, 9, 18].map((sizeBytes) => pool.reserve({ count: 1, sizeBytes, master: 'a', slaves: ['b'] })![0]!);
  assert.deepEqual(Uint8Array.of(...keys.flatMap((key) => [...key.bytes])), counting(30));
  assert.equal(pool.reserve({ count: 1, sizeBytes: 1, master: 'a', slaves: ['b'] }), undefined);
  assert.equal(new Set(keys.map((key) => key.keyId)).size, 3);
});

test('collect() is all or none, and only for the pair', () => {
  const pool = poolWith(100);
  const ids = pool.reserve({ count: 2, sizeBytes: 8, master: 'a', slaves: ['b'] })!.map((key) => key.keyId);
  assert.equal(pool.collect({ keyIds: [ids[0]!, 'no-such-id'], master: 'a', slave: 'b' }), undefined);
  assert.equal(pool.collect({ keyIds: [ids[0]!, ids[0]!], master: 'a', slave: 'b' }), undefined);
  assert.equal(pool.collect({ keyIds: ids, master: 'x', slave: 'b' }), undefined);
  assert.equal(pool.collect({ keyIds: ids, master: 'a', slave: 'x' }), undefined);
  assert.equal(pool.collect({ keyIds: ids, master: 'a', slave: 'b' })!.length, 2);
});

test('the pool warns at low water, keeps its capacity, and refuses seeded bits outside the laboratory', () => {
  const alarms: number[] = [];
  const pool = poolWith(100, { lowWaterBytes: 50, onLowWater: (left) => alarms.push(left), capacityBytes: 64 });
  assert.equal(pool.distilledBytes(), 64);
  pool.reserve({ count: 1, sizeBytes: 10, master: 'a', slaves: ['b'] });
  assert.deepEqual(alarms, []);
  pool.reserve({ count: 1, sizeBytes: 10, master: 'a', slaves: ['b'] });
  assert.deepEqual(alarms, [44]);
  pool.openSession('t');
  assert.throws(() => pool.store('t', { bytes: counting(8), keyMaterial: 'seeded' }), /must be secret/);
  assert.throws(() => pool.store('never-opened', { bytes: counting(8), keyMaterial: 'secret' }), /must be open/);
  pool.openSession('u');
  pool.abortSession('u');
  assert.throws(() => pool.store('u', { bytes: counting(8), keyMaterial: 'secret' }), /must be open/);
});

function kme(bytes = 4096): KmeOptions {
  return {
    pool: poolWith(bytes),
    kmeId: 'kme-a',
    peerKmeId: 'kme-b',
    saeIds: ['alice', 'bob', 'carol'],
    keySizeBits: 256,
    keySizeBitsMin: 64,
    keySizeBitsMax: 1024,
    keysPerRequestMax: 4,
    keyCountMax: 100,
    additionalSaesMax: 1,
    extensions: ['known-extension'],
  };
}

const ask = (options: KmeOptions, request: Partial<KmeHttpRequest>) =>
  answerKmeRequest(options, { method: 'GET', target: '/api/v1/keys/bob/status', body: '', saeId: 'alice', ...request });

test('status has the eleven fields of the standard and says simulated', () => {
  const { status, body } = ask(kme(), {});
  assert.equal(status, 200);
  assert.deepEqual(body, {
    source_KME_ID: 'kme-a',
    target_KME_ID: 'kme-b',
    master_SAE_ID: 'alice',
    slave_SAE_ID: 'bob',
    key_size: 256,
    stored_key_count: 100,
    max_key_count: 100,
    max_key_per_request: 4,
    max_key_size: 1024,
    min_key_size: 64,
    max_SAE_ID_count: 1,
    status_extension: { source: 'simulated' },
  });
});

test('enc_keys and dec_keys give both sides the same keys, once', () => {
  const options = kme();
  const enc = ask(options, { method: 'POST', target: '/api/v1/keys/bob/enc_keys', body: '{"number":2,"size":128}' });
  assert.equal(enc.status, 200);
  const { keys } = enc.body as { keys: { key_ID: string; key: string }[] };
  assert.equal(keys.length, 2);
  assert.equal(Uint8Array.fromBase64(keys[0]!.key).length, 16);
  const dec = {
    method: 'POST',
    target: '/api/v1/keys/alice/dec_keys',
    saeId: 'bob',
    body: JSON.stringify({ key_IDs: keys.map(({ key_ID }) => ({ key_ID })) }),
  };
  assert.deepEqual(ask(options, dec), { status: 200, body: { keys } });
  assert.equal(ask(options, dec).status, 400);
  const byGet = ask(options, { target: '/api/v1/keys/bob/enc_keys' });
  const { key_ID } = (byGet.body as typeof enc.body & { keys: { key_ID: string }[] }).keys[0]!;
  const got = ask(options, { target: `/api/v1/keys/alice/dec_keys?key_ID=${key_ID.toUpperCase()}`, saeId: 'bob' });
  assert.deepEqual(got, byGet);
});

test('a KME refuses by the error contract, and a refused request costs no key', () => {
  const options = kme();
  const enc = (body: string): Partial<KmeHttpRequest> => ({
    method: 'POST',
    target: '/api/v1/keys/bob/enc_keys',
    body,
  });
  const get = (query: string): Partial<KmeHttpRequest> => ({ target: `/api/v1/keys/bob/enc_keys?${query}` });
  const id = '11111111-1111-4111-8111-111111111111';
  const refused: readonly (readonly [number, Partial<KmeHttpRequest>, string])[] = [
    [400, enc('{"size":100}'), 'not a multiple of 8'],
    [400, enc('{"size":56}'), 'below the minimum'],
    [400, enc('{"size":2048}'), 'above the maximum'],
    [400, enc('{"number":5}'), 'too many'],
    [400, enc('{"number":0}'), 'none'],
    [400, enc('{"number":"2"}'), 'a string'],
    [400, enc('{"number":1.5}'), 'a fraction'],
    [400, enc('[]'), 'an array'],
    [400, enc('{"size":'), 'no JSON'],
    [400, enc('{"extension_mandatory":[{"unheard-of":1}]}'), 'an unknown mandatory extension'],
    [400, enc('{"extension_mandatory":[{"known-extension":1,"unheard-of":1}]}'), 'one unknown among known'],
    [400, enc('{"additional_slave_SAE_IDs":["carol","dave"]}'), 'too many further SAEs'],
    [400, enc('{"additional_slave_SAE_IDs":["bob"]}'), 'an SAE twice'],
    [401, enc('{"additional_slave_SAE_IDs":["dave"]}'), 'an unknown further SAE'],
    [400, get('size=100'), 'not a multiple of 8 by GET'],
    [400, get('number=1&number=2'), 'a parameter twice'],
    [400, get('number=-1'), 'negative'],
    [400, get('number=1e1'), 'not an integer'],
    [401, { ...get(''), saeId: undefined }, 'no certificate'],
    [401, { ...get(''), saeId: 'mallory' }, 'an unknown SAE'],
    [401, { target: '/api/v1/keys/dave/enc_keys' }, 'an unknown peer'],
    [401, { target: '/api/v1/keys/alice/enc_keys' }, 'itself as peer'],
    [400, { target: '/api/v1/keys/bob/dec_keys' }, 'no key id'],
    [400, { target: `/api/v1/keys/bob/dec_keys?key_ID=${id}` }, 'an unknown key id'],
    [400, { target: '/api/v1/keys/bob/dec_keys?key_ID=1' }, 'no UUID'],
    [400, { target: '/api/v1/keys/%zz/status' }, 'a broken escape'],
    [404, { target: '/api/v2/keys/bob/status' }, 'an unknown path'],
    [405, { method: 'DELETE', target: '/api/v1/keys/bob/enc_keys' }, 'a wrong method'],
    [405, { method: 'POST' }, 'a wrong method for status'],
  ];
  const before = options.pool.distilledBytes();
  for (const [status, request, what] of refused) {
    const response = ask(options, request);
    assert.equal(response.status, status, `${what}: ${JSON.stringify(response)}`);
    assert.equal(typeof (response.body as { message?: unknown }).message, 'string', what);
  }
  assert.equal(options.pool.distilledBytes(), before);
  assert.equal(ask(kme(16), { target: '/api/v1/keys/bob/enc_keys' }).status, 503);
});

test('optional extensions are accepted, known mandatory ones too', () => {
  for (const body of [
    '{"extension_optional":[{"whatever":{"deep":1}}]}',
    '{"extension_mandatory":[{"known-extension":true}]}',
    '{"additional_slave_SAE_IDs":["carol"],"member-of-tomorrow":1}',
    '',
  ]) {
    assert.equal(ask(kme(), { method: 'POST', target: '/api/v1/keys/bob/enc_keys', body }).status, 200, body);
  }
});
