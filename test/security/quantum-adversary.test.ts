import assert from 'node:assert/strict';
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { test } from 'node:test';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { parseEnvelope } from '../../src/core/protocol/envelope.ts';
import { createPayloadReader } from '../../src/core/protocol/payload.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { decodeRoundSecret } from '../../src/coordinator/round-secret.ts';
import { createMemoryDisk, createWorld, crypto, finish, smallPlan } from '../system/world.ts';

/*
 * The quantum adversary, *simulated*: nobody here has a quantum computer, so the test gives away what one would compute,
 * every X25519, Ed25519 and EC private key. What it works on is recorded: the envelopes of a finished run. TLS is not
 * even counted: the adversary stands behind it.
 */

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const privateX25519 = (secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(secret), format: 'raw-private', asymmetricKeyType: 'x25519' });
const publicX25519 = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(raw), format: 'raw-public', asymmetricKeyType: 'x25519' });

/** X-Wing written out (draft-connolly-cfrg-xwing-kem): what an attacker computes from the halves it holds. */
function halvesOf(seed: Uint8Array) {
  const expanded = shake256(seed, { dkLen: 96 });
  const kem = ml_kem768.keygen(expanded.slice(0, 64));
  return { kemSecret: kem.secretKey, xSecret: expanded.slice(64) };
}

const label = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

function sharedSecret(
  enc: Uint8Array,
  { xSecret, kemSecret, kemGuess }: { xSecret: Uint8Array; kemSecret?: Uint8Array; kemGuess?: Uint8Array },
): Uint8Array {
  const [kemCiphertext, xCiphertext] = [enc.slice(0, 1088), enc.slice(1088)];
  const kem = kemSecret === undefined ? kemGuess! : ml_kem768.decapsulate(kemCiphertext, kemSecret);
  const privateKey = privateX25519(xSecret);
  const x = diffieHellman({ privateKey, publicKey: publicX25519(xCiphertext) });
  const xPublic = createPublicKey(privateKey).export({ format: 'raw-public' });
  return sha3_256(bytes(kem, x, xCiphertext, xPublic, label));
}

/** The key schedule of HPKE in base mode, as RFC 9180 has it, down to QFLARE's bulk key. */
function bulkKey(secret: Uint8Array, info: Uint8Array): Uint8Array {
  const suiteId = bytes(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 2));
  const labeledExtract = (salt: Uint8Array, name: string, ikm: Uint8Array) =>
    extract(sha256, bytes(utf8('HPKE-v1'), suiteId, utf8(name), ikm), salt);
  const labeledExpand = (prk: Uint8Array, name: string, context: Uint8Array, length: number) =>
    expand(
      sha256,
      prk,
      bytes(Uint8Array.of(length >> 8, length & 255), utf8('HPKE-v1'), suiteId, utf8(name), context),
      length,
    );
  const empty = new Uint8Array();
  const context = bytes(
    Uint8Array.of(0),
    labeledExtract(empty, 'psk_id_hash', empty),
    labeledExtract(empty, 'info_hash', info),
  );
  const exporter = labeledExpand(labeledExtract(secret, 'secret', empty), 'exp', context, 32);
  return labeledExpand(exporter, 'sec', utf8('qflare/bulk/v1'), 32);
}

function openFirstChunk(key: Uint8Array, chunk: Uint8Array): Uint8Array | undefined {
  const nonce = new Uint8Array(12);
  nonce[11] = 1;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(chunk.subarray(chunk.length - 16));
  const plaintext = decipher.update(chunk.subarray(0, chunk.length - 16));
  try {
    decipher.final();
    return plaintext;
  } catch {
    return undefined;
  }
}

/** A run of which everything sealed was recorded, with the secrets of its rounds, which the run itself destroys. */
async function recordRun() {
  const disk = createMemoryDisk();
  const envelopes: Uint8Array[] = [];
  const seeds = new Map<number, Uint8Array>();
  const { put } = disk.blobs;
  const putKey = disk.roundKeys.put;
  const recording = {
    ...disk,
    blobs: {
      ...disk.blobs,
      async put(content: Uint8Array | AsyncIterable<Uint8Array>) {
        if (content instanceof Uint8Array && parseEnvelope(content).ok) envelopes.push(content.slice());
        return put(content);
      },
    },
    roundKeys: {
      ...disk.roundKeys,
      async put(round: number, secret: Uint8Array) {
        seeds.set(round, decodeRoundSecret(secret.slice()).roundKey.slice(0, 32));
        return putKey(round, secret);
      },
    },
  };
  const world = await createWorld({ plan: smallPlan({ rounds: { count: 2 } }), disk: recording });
  for (const site of world.sites) site.attend(world.coordinator);
  await finish(world);
  return { envelopes, seeds, world, disk };
}

test('the quantum adversary (simulated): with every X25519 key nothing of a recorded run opens; with ML-KEM too, all of it', async () => {
  const { envelopes, seeds, disk } = await recordRun();
  assert.ok(envelopes.length >= 12, `${envelopes.length}`);
  // The run itself has no key left: what follows is what an attacker would have to have.
  assert.equal(disk.keys.size, 0);
  let opened = 0;
  for (const content of envelopes) {
    const parsed = parseEnvelope(content);
    assert.ok(parsed.ok);
    const { header, headerBytes, enc, chunks } = parsed.value;
    const { xSecret, kemSecret } = halvesOf(seeds.get(header.round)!);
    for (const kemGuess of [new Uint8Array(32), crypto.randomBytes(32), enc.slice(0, 32)]) {
      const key = bulkKey(sharedSecret(enc, { xSecret, kemGuess }), headerBytes);
      assert.equal(openFirstChunk(key, chunks[0]!), undefined);
    }
    // The control: the same steps with the ML-KEM half as well are right, and give the payload.
    const plaintext = openFirstChunk(bulkKey(sharedSecret(enc, { xSecret, kemSecret }), headerBytes), chunks[0]!);
    assert.ok(plaintext !== undefined && createPayloadReader().push(plaintext) !== undefined);
    opened += 1;
  }
  assert.equal(opened, envelopes.length);
});

test('the quantum adversary (simulated): with every Ed25519 key no update is forged, and with a classical identity one is', async () => {
  const { envelopes, world } = await recordRun();
  const parsed = parseEnvelope(envelopes[0]!);
  assert.ok(parsed.ok);
  const { headerBytes } = parsed.value;
  const device = world.sites.find((site) => site.device.deviceId === parsed.value.header.deviceId)!;
  const deviceKey = Uint8Array.fromBase64(device.device.publicKey);
  const broken = generateKeyPairSync('ed25519');
  const forged = sign(null, headerBytes, broken.privateKey);
  // Shor's algorithm gives this key; it signs nothing that the coordinator takes, whatever it is padded to.
  for (const signature of [forged, bytes(forged, new Uint8Array(3309 - forged.length))]) {
    assert.equal(await crypto.verify(deviceKey, purposes.envelope, headerBytes, signature), false);
  }
  // The control: where a device is known by its Ed25519 key, the same forgery verifies.
  const recovered = createPrivateKey(broken.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  assert.ok(verify(null, headerBytes, broken.publicKey, sign(null, headerBytes, recovered)));
});

test('the control: sealed with X25519 alone, a recorded envelope opens for whoever has computed the private key', async () => {
  const hpke = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
  const keys = await hpke.GenerateKeyPair(true);
  const info = utf8('header');
  const recorded = await hpke.Seal(
    await hpke.DeserializePublicKey(await hpke.SerializePublicKey(keys.publicKey)),
    utf8('an update'),
    { info },
  );
  const computed = await hpke.DeserializePrivateKey(await hpke.SerializePrivateKey(keys.privateKey), true);
  const plaintext = await hpke.Open(computed, recorded.encapsulatedSecret, recorded.ciphertext, { info });
  assert.equal(new TextDecoder().decode(plaintext), 'an update');
});

test('forward secrecy: with every long-term key a finished round stays closed, as its own key is gone', async () => {
  const { envelopes, disk, world } = await recordRun();
  assert.equal(disk.keys.size, 0);
  const parsed = parseEnvelope(envelopes[0]!);
  assert.ok(parsed.ok);
  // What is left after the run: the signing keys of coordinator and devices. None of them is a key to open with.
  for (const { key } of world.sites) {
    const guess = sha256(key.publicKey);
    assert.equal(openFirstChunk(bulkKey(guess, parsed.value.headerBytes), parsed.value.chunks[0]!), undefined);
  }
  const another = await crypto.generateRoundKey();
  const aead = await another.open(parsed.value.enc, parsed.value.headerBytes);
  assert.equal(aead?.open(new Uint8Array(12).fill(1, 11), parsed.value.chunks[0]!), undefined);
});
