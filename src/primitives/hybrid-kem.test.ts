import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as hpke from 'hpke';
import { kdfHkdfSha256, kdfHkdfSha384, kemMlkem1024P384, kemMlkem768X25519 } from './hybrid-kem.ts';

const pairs = [
  [
    'MLKEM768-X25519',
    new hpke.CipherSuite(kemMlkem768X25519, kdfHkdfSha256, hpke.AEAD_AES_256_GCM),
    new hpke.CipherSuite(hpke.KEM_MLKEM768_X25519, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_256_GCM),
  ],
  [
    'MLKEM1024-P384',
    new hpke.CipherSuite(kemMlkem1024P384, kdfHkdfSha384, hpke.AEAD_AES_256_GCM),
    new hpke.CipherSuite(hpke.KEM_MLKEM1024_P384, hpke.KDF_HKDF_SHA384, hpke.AEAD_AES_256_GCM),
  ],
] as const;

const info = new TextEncoder().encode('header');
const psk = { psk: new Uint8Array(32).fill(7), pskId: new TextEncoder().encode('key') };

for (const [name, ours, theirs] of pairs) {
  test(`${name}: seals for the package's own implementation and opens what it has sealed, with a pre-shared key too`, async () => {
    for (let i = 0; i < 20; i++) {
      const extra = i % 2 === 0 ? {} : psk;
      const ikm = crypto.getRandomValues(new Uint8Array(32 + i));
      const [mine, other] = [await ours.DeriveKeyPair(ikm, true), await theirs.DeriveKeyPair(ikm, true)];
      const publicKey = await ours.SerializePublicKey(mine.publicKey);
      assert.deepEqual(publicKey, await theirs.SerializePublicKey(other.publicKey));
      const seed = await ours.SerializePrivateKey(mine.privateKey);
      assert.deepEqual(seed, await theirs.SerializePrivateKey(other.privateKey));
      const sent = await ours.SetupSender(await ours.DeserializePublicKey(publicKey), { info, ...extra });
      const got = await theirs.SetupRecipient(other, sent.encapsulatedSecret, { info, ...extra });
      assert.deepEqual(await sent.ctx.Export(info, 100), await got.Export(info, 100));
      const back = await theirs.SetupSender(other.publicKey, { info, ...extra });
      const own = { privateKey: await ours.DeserializePrivateKey(seed, true), publicKey: mine.publicKey };
      const opened = await ours.SetupRecipient(own, back.encapsulatedSecret, { info, ...extra });
      assert.deepEqual(Buffer.from(await opened.Export(info, 32)), Buffer.from(await back.ctx.Export(info, 32)));
      assert.deepEqual(Buffer.from(await opened.Open(await back.ctx.Seal(info))), Buffer.from(info));
    }
  });

  test(`${name}: a changed byte in either half of the encapsulation gives another secret or a refusal`, async () => {
    const pair = await ours.GenerateKeyPair(true);
    const { encapsulatedSecret, ctx } = await ours.SetupSender(pair.publicKey, { info });
    const secret = Buffer.from(await ctx.Export(info, 32));
    for (const at of [0, 700, encapsulatedSecret.length - 5]) {
      const changed = encapsulatedSecret.slice();
      changed[at]! ^= 1;
      const other = await ours.SetupRecipient(pair, changed, { info }).then(
        (context) => context.Export(info, 32),
        () => null,
      );
      assert.ok(other === null || !secret.equals(other));
    }
    await assert.rejects(ours.SetupRecipient(pair, encapsulatedSecret.subarray(1), { info }), hpke.DecapError);
  });
}

test('MLKEM768-X25519: a point of small order is refused, on either side', async () => {
  const [, ours] = pairs[0];
  const pair = await ours.GenerateKeyPair(true);
  const { encapsulatedSecret } = await ours.SetupSender(pair.publicKey, { info });
  const zero = encapsulatedSecret.slice().fill(0, 1088);
  await assert.rejects(ours.SetupRecipient(pair, zero, { info }), hpke.DecapError);
  const publicKey = (await ours.SerializePublicKey(pair.publicKey)).fill(0, 1184);
  await assert.rejects(
    ours.DeserializePublicKey(publicKey).then((key) => ours.SetupSender(key, { info })),
    hpke.EncapError,
  );
});

test('MLKEM1024-P384: a point that is not on the curve is refused', async () => {
  const [, ours] = pairs[1];
  const publicKey = await ours.SerializePublicKey((await ours.GenerateKeyPair(true)).publicKey);
  publicKey[1600]! ^= 1;
  await assert.rejects(ours.DeserializePublicKey(publicKey), hpke.DeserializeError);
});

// RFC 5869, test cases 1 and 2, and the limit of 255 blocks.
test('HKDF-SHA256: the vectors of RFC 5869; more than 255 blocks are refused, and one stage is not there', async () => {
  const kdf = kdfHkdfSha256();
  const counting = (from: number, to: number) => Uint8Array.from({ length: to - from }, (_, i) => from + i);
  const prk = await kdf.Extract(counting(0, 13), new Uint8Array(22).fill(0x0b));
  const okm = await kdf.Expand(prk, counting(0xf0, 0xfa), 42);
  assert.equal(okm.toHex(), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  const long = await kdf.Expand(await kdf.Extract(counting(0x60, 0xb0), counting(0, 0x50)), counting(0xb0, 0x100), 82);
  assert.equal(
    long.toHex(),
    'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  );
  await assert.rejects(kdf.Expand(prk, info, 255 * 32 + 1), RangeError);
  await assert.rejects(kdf.Derive(prk, 32), TypeError);
});
