import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { test } from 'node:test';
import { slh_dsa_sha2_128s } from '@noble/post-quantum/slh-dsa.js';
import { releaseBytes, releaseContext, releaseSuiteIds, releaseSuites } from '../core/protocol/release.ts';
import { createReleaseKeys, isReleaseSigned, signRelease } from './release-signer.ts';

const files = [
  { path: 'b.tgz', bytes: 2, sha256: 'b'.repeat(64) },
  { path: 'a.txt', bytes: 1, sha256: 'a'.repeat(64) },
];

for (const suite of releaseSuiteIds) {
  test(`release ${suite}: every part must verify; a stripped, doubled, swapped or changed one is refused`, () => {
    const keys = createReleaseKeys(suite);
    const signed = signRelease(suite, keys.secret, files);
    assert.equal(signed.signatures.length, releaseSuites[suite].length);
    const holds = (signatures: readonly string[], list = files) =>
      isReleaseSigned(keys.public, { version: 1, files: list, signatures: [...signatures] });
    assert.ok(holds(signed.signatures));
    assert.ok(holds(signed.signatures, files.toReversed()));
    assert.ok(!holds([...signed.signatures, signed.signatures[0]!]));
    assert.ok(!holds(signed.signatures, [{ ...files[0]!, bytes: 3 }, files[1]!]));
    assert.ok(!holds(signed.signatures, [files[0]!]));
    assert.ok(!holds(signed.signatures, [...files, files[0]!]));
    for (const [i, text] of signed.signatures.entries()) {
      const flipped = Buffer.from(text, 'base64');
      flipped[20]! ^= 1;
      assert.ok(!holds(signed.signatures.with(i, flipped.toString('base64'))), `part ${i} changed`);
      assert.ok(!holds(signed.signatures.toSpliced(i, 1)), `part ${i} stripped`);
      assert.ok(!holds(signed.signatures.with(i, '')), `part ${i} emptied`);
    }
    if (signed.signatures.length > 1) assert.ok(!holds(signed.signatures.toReversed()));
    // Another key, and a key that says less than the suite demands.
    assert.ok(!isReleaseSigned(createReleaseKeys(suite).public, signed));
    assert.ok(!isReleaseSigned({ ...keys.public, keys: keys.public.keys.slice(1) }, signed));
    assert.ok(!isReleaseSigned({ ...keys.public, keys: keys.public.keys.map(() => 'AAAA') }, signed));
  });
}

test('release: a signature without the purpose of releases verifies nothing, and the passphrase is needed', () => {
  const keys = createReleaseKeys('dual', 'correct horse');
  const bytes = releaseBytes('dual', files);
  const [first, second] = keys.secret.map((key) => createPrivateKey({ key, passphrase: 'correct horse' }));
  const bare = [sign(null, bytes, first!), sign(null, bytes, second!)].map((one) => one.toString('base64'));
  assert.ok(!isReleaseSigned(keys.public, { version: 1, files, signatures: bare }));
  assert.ok(isReleaseSigned(keys.public, signRelease('dual', keys.secret, files, 'correct horse')));
  assert.throws(() => signRelease('dual', keys.secret, files, 'wrong'));
  assert.throws(() => signRelease('dual', keys.secret, files));
});

test('release slh-dsa: noble verifies what OpenSSL has signed, with the context', () => {
  const keys = createReleaseKeys('slh-dsa');
  const { signatures } = signRelease('slh-dsa', keys.secret, files);
  const raw = Buffer.from(keys.public.keys[0]!, 'base64').subarray(-32);
  const signature = Buffer.from(signatures[0]!, 'base64');
  assert.equal(signature.length, 7856);
  const context = Buffer.from(releaseContext);
  assert.ok(slh_dsa_sha2_128s.verify(signature, releaseBytes('slh-dsa', files), raw, { context }));
  assert.ok(!slh_dsa_sha2_128s.verify(signature, releaseBytes('slh-dsa', files), raw));
});
