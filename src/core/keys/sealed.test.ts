import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { openObject, sealedUnder, sealObject } from './sealed.ts';

const crypto = createNodeCrypto();
const key = { version: 3, bytes: new Uint8Array(32).fill(7) };

test('what is sealed opens under its key and at its place, whatever it is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plaintext, place) => {
      const sealed = sealObject(key, place, plaintext, crypto);
      assert.equal(sealed.length, plaintext.length + 85);
      assert.equal(sealedUnder(sealed), 3);
      assert.deepEqual(Uint8Array.from(openObject(key, place, sealed, crypto)!), plaintext);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('another key, version or place and any changed, missing or further byte opens nothing', () => {
  const plaintext = new TextEncoder().encode('a key that nobody may read');
  const sealed = sealObject(key, 'round-1', plaintext, crypto);
  assert.equal(Buffer.from(sealed).indexOf(plaintext), -1);
  assert.notDeepEqual(sealObject(key, 'round-1', plaintext, crypto), sealed);
  assert.equal(openObject({ version: 3, bytes: new Uint8Array(32).fill(8) }, 'round-1', sealed, crypto), undefined);
  assert.equal(openObject({ ...key, version: 4 }, 'round-1', sealed, crypto), undefined);
  assert.equal(openObject(key, 'round-2', sealed, crypto), undefined);
  for (let at = 0; at < sealed.length; at++) {
    const bad = sealed.slice();
    bad[at]! ^= 1;
    assert.equal(openObject(key, 'round-1', bad, crypto), undefined, `byte ${at}`);
    assert.equal(openObject(key, 'round-1', sealed.subarray(0, at), crypto), undefined, `${at} bytes`);
  }
  assert.equal(openObject(key, 'round-1', Uint8Array.from([...sealed, 0]), crypto), undefined);
});
