// HPKE in the schema of RFC 9180's test vectors: a recipient's key, an encapsulation, messages in order, exports. The RFC's
// PSK mode and the two hybrid KEMs, through the KEMs of this project, stand here; files beside the repository are tried too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as hpke from 'hpke';
import { kdfHkdfSha256, kdfHkdfSha384, kemMlkem1024P384, kemMlkem768X25519 } from '../../src/primitives/hybrid-kem.ts';
import { namesLike, readVectors } from './outside.ts';

type Vector = {
  readonly mode: number;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly psk?: string;
  readonly psk_id?: string;
  readonly encryptions: readonly { readonly aad: string; readonly ct: string; readonly pt: string }[];
  readonly exports: readonly {
    readonly exporter_context: string;
    readonly L: number;
    readonly exported_value: string;
  }[];
};

/** Those of this project in place of the package's, where it has its own. */
const kems = {
  0x0010: hpke.KEM_DHKEM_P256_HKDF_SHA256,
  0x0011: hpke.KEM_DHKEM_P384_HKDF_SHA384,
  0x0012: hpke.KEM_DHKEM_P521_HKDF_SHA512,
  0x0020: hpke.KEM_DHKEM_X25519_HKDF_SHA256,
  0x0021: hpke.KEM_DHKEM_X448_HKDF_SHA512,
  0x0040: hpke.KEM_ML_KEM_512,
  0x0041: hpke.KEM_ML_KEM_768,
  0x0042: hpke.KEM_ML_KEM_1024,
  0x0050: hpke.KEM_MLKEM768_P256,
  0x0051: kemMlkem1024P384,
  0x647a: kemMlkem768X25519,
} as const;
const kdfs = {
  1: kdfHkdfSha256,
  2: kdfHkdfSha384,
  3: hpke.KDF_HKDF_SHA512,
  16: hpke.KDF_SHAKE128,
  17: hpke.KDF_SHAKE256,
  18: hpke.KDF_TurboSHAKE128,
  19: hpke.KDF_TurboSHAKE256,
} as const;
const aeads = { 1: hpke.AEAD_AES_128_GCM, 2: hpke.AEAD_AES_256_GCM, 3: hpke.AEAD_ChaCha20Poly1305 } as const;
const exportOnly = 0xffff;
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

/** Why a vector is not tried here: a mode or a primitive that nothing of this project has. */
function strange({ mode, kem_id, kdf_id, aead_id }: Vector): string | undefined {
  if (mode !== 0 && mode !== 1) return `mode ${mode}`;
  if (!(kem_id in kems)) return `KEM ${kem_id}`;
  if (!(kdf_id in kdfs)) return `KDF ${kdf_id}`;
  return aead_id in aeads || aead_id === exportOnly ? undefined : `AEAD ${aead_id}`;
}

async function check(vector: Vector): Promise<void> {
  const { kem_id: kem, kdf_id: kdf, aead_id: aead } = vector;
  const at = `KEM ${kem.toString(16)}, KDF ${kdf}, AEAD ${aead}, mode ${vector.mode}`;
  const suite = new hpke.CipherSuite(
    kems[kem as 0x20] as hpke.KEMFactory,
    kdfs[kdf as 1],
    aead === exportOnly ? hpke.AEAD_EXPORT_ONLY : aeads[aead as 1],
  );
  const pair = {
    privateKey: await suite.DeserializePrivateKey(bytes(vector.skRm), true),
    publicKey: await suite.DeserializePublicKey(bytes(vector.pkRm)),
  };
  const psk = vector.mode === 1 ? { psk: bytes(vector.psk!), pskId: bytes(vector.psk_id!) } : {};
  const recipient = await suite.SetupRecipient(pair, bytes(vector.enc), { info: bytes(vector.info), ...psk });
  for (const { exporter_context: context, L, exported_value: value } of vector.exports)
    assert.equal(hex(await recipient.Export(bytes(context), L)), value, at);
  if (aead === exportOnly) return;
  // RFC 9180 lists some messages of a long sequence only: those that follow each other from the first one are opened.
  for (const { aad, ct, pt } of vector.encryptions.slice(0, 4))
    assert.equal(hex(await recipient.Open(bytes(ct), bytes(aad))), pt, at);
}

/** RFC 9180, A.1.2: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, mode_psk. */
const rfcPsk: Vector = {
  mode: 1,
  kem_id: 0x20,
  kdf_id: 1,
  aead_id: 1,
  info: '4f6465206f6e2061204772656369616e2055726e',
  skRm: 'c5eb01eb457fe6c6f57577c5413b931550a162c71a03ac8d196babbd4e5ce0fd',
  pkRm: '9fed7e8c17387560e92cc6462a68049657246a09bfa8ade7aefe589672016366',
  enc: '0ad0950d9fb9588e59690b74f1237ecdf1d775cd60be2eca57af5a4b0471c91b',
  psk: '0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82',
  psk_id: '456e6e796e20447572696e206172616e204d6f726961',
  encryptions: [
    {
      aad: '436f756e742d30',
      ct: 'e52c6fed7f758d0cf7145689f21bc1be6ec9ea097fef4e959440012f4feb73fb611b946199e681f4cfc34db8ea',
      pt: '4265617574792069732074727574682c20747275746820626561757479',
    },
    {
      aad: '436f756e742d31',
      ct: '49f3b19b28a9ea9f43e8c71204c00d4a490ee7f61387b6719db765e948123b45b61633ef059ba22cd62437c8ba',
      pt: '4265617574792069732074727574682c20747275746820626561757479',
    },
  ],
  exports: [
    {
      exporter_context: '',
      L: 32,
      exported_value: 'dff17af354c8b41673567db6259fd6029967b4e1aad13023c2ae5df8f4f43bf6',
    },
  ],
};

test('HPKE: RFC 9180, appendix A.1.2 (mode_psk), and not under another key, identity or mode', async () => {
  await check(rfcPsk);
  const other = `${rfcPsk.psk!.slice(0, -2)}83`;
  for (const wrong of [{ psk: other }, { psk_id: `${rfcPsk.psk_id}00` }, { mode: 0 }, { info: '' }])
    await assert.rejects(check({ ...rfcPsk, ...wrong }), JSON.stringify(wrong));
});

test('HPKE: the published vectors of MLKEM768-X25519 and MLKEM1024-P384 through the KEMs that seal updates here', async () => {
  const { vectors } = JSON.parse(readFileSync(join(import.meta.dirname, 'hpke-pq.json'), 'utf8')) as {
    vectors: readonly Vector[];
  };
  assert.deepEqual(
    vectors.map(({ kem_id: kem }) => kem),
    [0x647a, 0x51],
  );
  for (const vector of vectors) {
    await check(vector);
    const forged = `${vector.enc.slice(0, 10)}${vector.enc[10] === '0' ? '1' : '0'}${vector.enc.slice(11)}`;
    await assert.rejects(check({ ...vector, enc: forged }), 'implicit rejection gives another secret');
  }
});

const names = namesLike('hpke');
test('HPKE: files of vectors beside the repository', {
  skip: names.length === 0 && 'none is there',
}, async () => {
  for (const name of names) {
    const file: unknown = readVectors(name, 'whole');
    const vectors = (Array.isArray(file) ? file : (file as { vectors: Vector[] }).vectors) as readonly Vector[];
    const known = vectors.filter((vector) => strange(vector) === undefined);
    assert.ok(known.length > 0, `${name} has no vector that is known here`);
    for (const vector of known) await check(vector);
  }
});
