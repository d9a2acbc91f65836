import { Buffer } from 'node:buffer';
import { knownAnswers } from './known-answers.ts';
import type { HpkeKem, Primitives } from './node-primitives.ts';

/** A primitive does not give its known answer: nothing may be signed, sealed or opened with this machine. */
export class SelfTestError extends Error {
  override readonly name = 'SelfTestError';

  constructor(primitive: string, cause?: unknown) {
    super(
      `Cannot use the cryptography of this machine as ${primitive} must give its known answer: it gives another. Use an official Node 26 with OpenSSL 3.5 or later`,
      { cause },
    );
  }
}

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const counting = (count: number) => Buffer.from(Uint8Array.from({ length: count }, (_, i) => i));

/** What has given its known answers in this process. */
const sound = new WeakSet<Primitives>();

/** Tests primitives once in a process; those that have failed are tested, and fail, again. */
export function requireSound(primitives: Primitives): void {
  if (sound.has(primitives)) return;
  testPrimitives(primitives);
  sound.add(primitives);
}

/**
 * Known-answer tests of every primitive but HPKE, each with a case that must be refused.
 *
 * Errors: SelfTestError at the first one that fails; the caller has nothing to fall back to.
 * Source: FIPS 140-3 implementation guidance 10.3.A names the kinds of tests; this is no validation under it.
 */
function testPrimitives(primitives: Primitives): void {
  for (const [name, holds] of Object.entries(tests)) {
    let isSound: boolean;
    try {
      isSound = holds(primitives);
    } catch (error) {
      throw new SelfTestError(name, error);
    }
    if (!isSound) throw new SelfTestError(name);
  }
}

/** The known answers of HPKE with each KEM, which is asynchronous. */
export async function testHpke(primitives: Primitives): Promise<void> {
  await testHpkeWith('MLKEM768-X25519', knownAnswers.hpke, primitives);
  await testHpkeWith('MLKEM1024-P384', knownAnswers.hpke1024, primitives);
}

async function testHpkeWith(
  kem: HpkeKem,
  known: { readonly enc: string; readonly exported: string },
  { createHpke }: Primitives,
): Promise<void> {
  const { message, context } = knownAnswers;
  const name = `HPKE with ${kem}`;
  try {
    const suite = createHpke(kem);
    const [info, exporter, enc] = [utf8(message), utf8(context), Buffer.from(known.enc, 'base64')];
    const own = await suite.DeserializePrivateKey(counting(32), true);
    const open = async (key: typeof own, sealed: Uint8Array, under: Uint8Array) => {
      const recipient = await suite.SetupRecipient(key, sealed, { info: under });
      return Buffer.from(await recipient.Export(exporter, 32)).toString('hex');
    };
    const fresh = await suite.GenerateKeyPair(true);
    const sender = await suite.SetupSender(fresh.publicKey, { info });
    const sent = Buffer.from(await sender.ctx.Export(exporter, 32)).toString('hex');
    const isSound =
      (await open(own, enc, info)) === known.exported &&
      (await open(own, enc, utf8(`${message}.`))) !== known.exported &&
      (await open(own, flipped(enc), info)) !== known.exported &&
      (await open(fresh.privateKey, sender.encapsulatedSecret, info)) === sent;
    if (!isSound) throw new SelfTestError(name);
  } catch (error) {
    throw error instanceof SelfTestError ? error : new SelfTestError(name, error);
  }
}

const tests: Readonly<Record<string, (primitives: Primitives) => boolean>> = {
  'SHA-256': ({ createHash }) =>
    createHash('sha256').update('abc').digest('hex') ===
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',

  'SHA-256 in one call': ({ hash }) =>
    hash('sha256', 'abc') === 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',

  // RFC 9106, section 5.3.
  Argon2id: ({ argon2Sync }) =>
    argon2Sync('argon2id', {
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
      parallelism: 4,
      tagLength: 32,
      memory: 32,
      passes: 3,
    }).toString('hex') === '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659',

  // RFC 5869, test case 1.
  HKDF: ({ hkdfSync }) =>
    Buffer.from(
      hkdfSync('sha256', Buffer.alloc(22, 0x0b), counting(13), Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex'), 42),
    ).toString('hex') === '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',

  // McGrew and Viega, The Galois/Counter Mode of Operation, test case 16.
  'AES-256-GCM': ({ createCipheriv, createDecipheriv }) => {
    const key = Buffer.from('feffe9928665731c6d6a8f9467308308'.repeat(2), 'hex');
    const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex');
    const aad = Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex');
    const plaintext = Buffer.from(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
      'hex',
    );
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const tag = cipher.getAuthTag();
    const isKnown =
      ciphertext.toString('hex') ===
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' &&
      tag.toString('hex') === '76fc6ece0f4e1768cddf8853bb2d551b';
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad).setAuthTag(flipped(tag));
    decipher.update(ciphertext);
    return isKnown && refuses(() => decipher.final());
  },

  'ML-KEM-768': ({ createPrivateKey, createPublicKey, createHash, encapsulate, decapsulate }) => {
    const known = knownAnswers.kem;
    const ciphertext = Buffer.from(known.ciphertext, 'base64');
    const key = createPrivateKey({ key: counting(64), format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });
    const publicKey = createPublicKey(key);
    const raw = publicKey.export({ format: 'raw-public' });
    const fresh = encapsulate(publicKey) as { sharedKey: Buffer; ciphertext: Buffer };
    return (
      createHash('sha256').update(raw).digest('hex') === known.publicKeySha256 &&
      decapsulate(key, ciphertext).toString('hex') === known.sharedKey &&
      // Implicit rejection: another key, and no error.
      decapsulate(key, flipped(ciphertext)).toString('hex') !== known.sharedKey &&
      decapsulate(key, fresh.ciphertext).equals(fresh.sharedKey)
    );
  },

  'ML-DSA-65': (primitives) => isSoundMlDsa('ml-dsa-65', knownAnswers.signature, primitives),
  'ML-DSA-87': (primitives) => isSoundMlDsa('ml-dsa-87', knownAnswers.signature87, primitives),

  // Signing takes a third of a second: what is tested is that a known signature verifies, and no other.
  'SLH-DSA-SHA2-128s': ({ createPublicKey, verify }) => {
    const known = knownAnswers.hashSignature;
    const raw = Buffer.from(known.publicKey, 'hex');
    const key = createPublicKey({ key: raw, format: 'raw-public', asymmetricKeyType: 'slh-dsa-sha2-128s' });
    const [message, context] = [utf8(knownAnswers.message), utf8(knownAnswers.context)];
    const signature = Buffer.from(known.signature, 'base64');
    const holds = (of: Uint8Array, under: Uint8Array) => verify(null, message, { key, context: under }, of);
    return holds(signature, context) && !holds(flipped(signature), context) && !holds(signature, utf8('another'));
  },

  // RFC 8032, section 7.1, test 2.
  Ed25519: ({ createPrivateKey, createPublicKey, sign, verify }) => {
    const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
    const key = createPrivateKey({ key: seed, format: 'raw-private', asymmetricKeyType: 'ed25519' });
    const publicKey = createPublicKey(key);
    const signature = sign(null, Buffer.of(0x72), key);
    return (
      signature.toString('hex') ===
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00' &&
      verify(null, Buffer.of(0x72), publicKey, signature) &&
      !verify(null, Buffer.of(0x73), publicKey, signature) &&
      !verify(null, Buffer.of(0x72), publicKey, flipped(signature))
    );
  },

  'the random generator': ({ randomBytes, randomFillSync }) => {
    const [a, b] = [randomBytes(32), randomFillSync(Buffer.alloc(32))];
    return a.length === 32 && !a.equals(b) && [a, b].every((bytes) => bytes.some((byte) => byte !== bytes[0]));
  },

  'constant-time comparison': ({ timingSafeEqual }) =>
    timingSafeEqual(counting(32), counting(32)) && !timingSafeEqual(counting(32), flipped(counting(32))),
};

/** Signatures of a known key, of another, under another context. */
function isSoundMlDsa(
  algorithm: 'ml-dsa-65' | 'ml-dsa-87',
  known: { readonly publicKeySha256: string; readonly signature: string },
  { createPrivateKey, createPublicKey, createHash, sign, verify }: Primitives,
): boolean {
  const [message, context] = [utf8(knownAnswers.message), utf8(knownAnswers.context)];
  const key = createPrivateKey({ key: counting(32), format: 'raw-seed', asymmetricKeyType: algorithm });
  const publicKey = createPublicKey(key);
  const raw = publicKey.export({ format: 'raw-public' });
  const signature = Buffer.from(known.signature, 'base64');
  const holds = (of: Uint8Array, under = context) => verify(null, message, { key: publicKey, context: under }, of);
  return (
    createHash('sha256').update(raw).digest('hex') === known.publicKeySha256 &&
    holds(signature) &&
    holds(sign(null, message, { key, context })) &&
    !holds(flipped(signature)) &&
    !holds(signature, utf8('qflare/self-test/v2'))
  );
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[7]! ^= 1;
  return copy;
}

function refuses(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}
