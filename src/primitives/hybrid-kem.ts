import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { concat, type KDF, type KDFFactory, type KEM, type KEMFactory, type Key, LabeledDerive } from 'hpke';

/** A key of a hybrid KEM: its two halves as Node holds them, and their bytes. */
class HybridKey implements Key {
  readonly algorithm: { readonly name: string };
  readonly type: 'private' | 'public';
  readonly extractable: boolean;
  readonly pq: KeyObject;
  readonly t: KeyObject;
  /** Of a private key. */
  readonly seed: Uint8Array | undefined;
  /** Both public halves, as they travel. */
  readonly raw: Uint8Array;

  constructor(
    name: string,
    keys: { readonly pq: KeyObject; readonly t: KeyObject; readonly raw: Uint8Array },
    secret?: { readonly seed: Uint8Array; readonly extractable: boolean },
  ) {
    this.algorithm = { name };
    this.type = secret === undefined ? 'public' : 'private';
    this.extractable = secret?.extractable ?? true;
    this.pq = keys.pq;
    this.t = keys.t;
    this.seed = secret?.seed;
    this.raw = keys.raw;
  }
}

/** One classical half: how its keys are made, and how long they are. */
type Traditional = {
  readonly seedBytes: number;
  readonly publicKeyBytes: number;
  readonly generate: () => KeyObject;
  readonly fromSeed: (seed: Uint8Array) => KeyObject;
  readonly fromRaw: (raw: Uint8Array) => KeyObject;
  readonly toRaw: (publicKey: KeyObject) => Uint8Array;
};

type Parameters = {
  readonly id: number;
  readonly name: string;
  readonly label: Uint8Array;
  readonly pqName: 'ml-kem-768' | 'ml-kem-1024';
  readonly pqPublicKeyBytes: number;
  readonly pqCiphertextBytes: number;
  readonly t: Traditional;
};

const pqSeedBytes = 64;
const seedBytes = 32;

const x25519: Traditional = {
  seedBytes: 32,
  publicKeyBytes: 32,
  generate: () => generateKeyPairSync('x25519').privateKey,
  fromSeed: (seed) => createPrivateKey({ key: Buffer.from(seed), format: 'raw-private', asymmetricKeyType: 'x25519' }),
  fromRaw: (raw) => createPublicKey({ key: Buffer.from(raw), format: 'raw-public', asymmetricKeyType: 'x25519' }),
  toRaw: (key) => key.export({ format: 'raw-public' }),
};

const p384: Traditional = {
  seedBytes: 48,
  publicKeyBytes: 97,
  generate: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  // A seed that is no scalar (chance 2⁻¹⁹⁰) throws: the caller has no second one, as the draft says.
  fromSeed: (seed) =>
    createPrivateKey({
      key: Buffer.from(seed),
      format: 'raw-private',
      asymmetricKeyType: 'ec',
      namedCurve: 'P-384',
    }),
  fromRaw: (raw) =>
    createPublicKey({ key: Buffer.from(raw), format: 'raw-public', asymmetricKeyType: 'ec', namedCurve: 'P-384' }),
  toRaw: (key) => key.export({ format: 'raw-public' }),
};

const utf8 = (text: string) => new TextEncoder().encode(text);

function shake256(bytes: Uint8Array, length: number): Uint8Array {
  return createHash('shake256', { outputLength: length }).update(bytes).digest();
}

/**
 * A hybrid KEM of HPKE over Node's synchronous calls, for the package `hpke`, which keeps the key schedule. Its own ones
 * ask WebCrypto for each step: about thirty jobs on the thread pool for one encapsulation. Same bytes.
 *
 * Source: draft-irtf-cfrg-hybrid-kems-12 (expansion, C2PRI combiner), draft-ietf-hpke-pq-05 (identifiers).
 */
function hybridKem(of: Parameters): KEMFactory<HybridKey> {
  const { id, name, t } = of;
  const publicKeyBytes = of.pqPublicKeyBytes + t.publicKeyBytes;
  const suiteId = concat(utf8('KEM'), Uint8Array.of(id >> 8, id & 0xff));
  const derive: Pick<KDF, 'Derive'> = { Derive: async (bytes, length) => shake256(bytes, length) };

  const pqFromRaw = (raw: Uint8Array) =>
    createPublicKey({ key: Buffer.from(raw), format: 'raw-public', asymmetricKeyType: of.pqName });

  function publicKeyOf(raw: Uint8Array): HybridKey {
    const [pq, point] = [raw.subarray(0, of.pqPublicKeyBytes), raw.subarray(of.pqPublicKeyBytes)];
    return new HybridKey(name, { pq: pqFromRaw(pq), t: t.fromRaw(point), raw: Uint8Array.from(raw) });
  }

  function privateKeyOf(given: Uint8Array, extractable: boolean): HybridKey {
    const seed = Uint8Array.from(given);
    const full = shake256(seed, pqSeedBytes + t.seedBytes);
    const pq = createPrivateKey({
      key: Buffer.from(full.subarray(0, pqSeedBytes)),
      format: 'raw-seed',
      asymmetricKeyType: of.pqName,
    });
    const own = t.fromSeed(full.subarray(pqSeedBytes));
    full.fill(0);
    const raw = concat(createPublicKey(pq).export({ format: 'raw-public' }), t.toRaw(createPublicKey(own)));
    return new HybridKey(name, { pq, t: own, raw }, { seed, extractable });
  }

  const pairOf = (seed: Uint8Array, extractable: boolean) => {
    const privateKey = privateKeyOf(seed, extractable);
    return { privateKey, publicKey: publicKeyOf(privateKey.raw) };
  };

  /** SHA3-256(pq secret ‖ classical secret ‖ classical ciphertext ‖ classical public key ‖ label). */
  const combine = (pq: Uint8Array, secret: Uint8Array, enc: Uint8Array, point: Uint8Array) =>
    createHash('sha3-256').update(pq).update(secret).update(enc).update(point).update(of.label).digest();

  const kem: KEM<HybridKey> = {
    id,
    type: 'KEM',
    name,
    Nsecret: 32,
    Nenc: of.pqCiphertextBytes + t.publicKeyBytes,
    Npk: publicKeyBytes,
    Nsk: seedBytes,
    DeriveKeyPair: async (ikm, extractable) =>
      pairOf(
        await LabeledDerive(derive, suiteId, ikm, utf8('DeriveKeyPair'), new Uint8Array(), seedBytes),
        extractable,
      ),
    GenerateKeyPair: async (extractable) => pairOf(randomBytes(seedBytes), extractable),
    SerializePublicKey: async (key) => Uint8Array.from(key.raw),
    DeserializePublicKey: async (bytes) => publicKeyOf(bytes),
    SerializePrivateKey: async (key) => Uint8Array.from(key.seed!),
    DeserializePrivateKey: async (bytes, extractable) => privateKeyOf(bytes, extractable),
    async Encap(publicKey) {
      const { sharedKey, ciphertext } = encapsulate(publicKey.pq) as { sharedKey: Buffer; ciphertext: Buffer };
      const ephemeral = t.generate();
      const point = t.toRaw(createPublicKey(ephemeral));
      const secret = diffieHellman({ privateKey: ephemeral, publicKey: publicKey.t });
      const shared = combine(sharedKey, secret, point, publicKey.raw.subarray(of.pqPublicKeyBytes));
      return { shared_secret: shared, enc: concat(ciphertext, point) };
    },
    async Decap(enc, privateKey) {
      const [ciphertext, point] = [enc.subarray(0, of.pqCiphertextBytes), enc.subarray(of.pqCiphertextBytes)];
      const secret = diffieHellman({ privateKey: privateKey.t, publicKey: t.fromRaw(point) });
      const pq = decapsulate(privateKey.pq, ciphertext) as Buffer;
      return combine(pq, secret, point, privateKey.raw.subarray(of.pqPublicKeyBytes));
    },
  };
  return () => kem;
}

export const kemMlkem768X25519 = hybridKem({
  id: 0x647a,
  name: 'MLKEM768-X25519',
  label: utf8('\\.//^\\'),
  pqName: 'ml-kem-768',
  pqPublicKeyBytes: 1184,
  pqCiphertextBytes: 1088,
  t: x25519,
});

export const kemMlkem1024P384 = hybridKem({
  id: 0x0051,
  name: 'MLKEM1024-P384',
  label: utf8('MLKEM1024-P384'),
  pqName: 'ml-kem-1024',
  pqPublicKeyBytes: 1568,
  pqCiphertextBytes: 1568,
  t: p384,
});

/** HKDF (RFC 5869) over Node's synchronous HMAC. */
function hkdf(id: number, hash: 'sha256' | 'sha384', size: number): KDFFactory {
  const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]) => {
    const mac = createHmac(hash, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  const kdf: KDF = {
    id,
    type: 'KDF',
    name: `HKDF-${hash.toUpperCase().replace('SHA', 'SHA-')}`,
    Nh: size,
    stages: 2,
    Extract: async (salt, ikm) => hmac(salt, ikm),
    async Expand(prk, info, length) {
      if (length > 255 * size) throw new RangeError(`HKDF gives at most ${255 * size} bytes`);
      const blocks: Uint8Array[] = [];
      let last: Uint8Array = new Uint8Array();
      for (let i = 1; i <= Math.ceil(length / size); i++) {
        last = hmac(prk, last, info, Uint8Array.of(i));
        blocks.push(last);
      }
      return concat(...blocks).subarray(0, length);
    },
    async Derive() {
      throw new TypeError('HKDF has two stages');
    },
  };
  return () => kdf;
}

export const kdfHkdfSha256 = hkdf(0x0001, 'sha256', 32);
export const kdfHkdfSha384 = hkdf(0x0002, 'sha384', 48);
