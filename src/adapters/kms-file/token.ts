import { argon2, hkdfSync } from '../../primitives/index.ts';
import type { Crypto } from '../../ports/crypto.ts';
import { KmsError, type KmsKey } from '../../ports/kms.ts';

/** What opens a token: something a person knows, or something a file holds. */
export type Unlocking =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file'; readonly bytes: Uint8Array };

export type TokenKey = KmsKey & { readonly wrapped: string; readonly wraps: number };

/** A token as its file has it: keys wrapped under a login key. */
export type Token = {
  readonly version: 1;
  readonly unlocking: Unlocking['kind'];
  readonly salt: string;
  /** A known text under the login key: tells a wrong passphrase from a damaged file. */
  readonly check: string;
  readonly keys: readonly TokenKey[];
};

type Primitives = Pick<Crypto, 'aead' | 'randomBytes'>;

const nonceBytes = 12;
const keyFileBytesMin = 32;
/** Argon2id with 64 MiB and three passes, one lane: RFC 9106, section 4, the second choice, with one lane instead of four. */
const argon2Options = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 } as const;
const checkText = new TextEncoder().encode('qflare/token/v1');

export function sealUnder(key: Uint8Array, secret: Uint8Array, aad: Uint8Array, crypto: Primitives): Uint8Array {
  const nonce = crypto.randomBytes(nonceBytes);
  return Buffer.concat([nonce, crypto.aead(key).seal(nonce, secret, aad)]);
}

export function openUnder(
  key: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  crypto: Pick<Crypto, 'aead'>,
): Uint8Array | undefined {
  return crypto.aead(key).open(sealed.subarray(0, nonceBytes), sealed.subarray(nonceBytes), aad);
}

/** What a token's key is sealed with beside its bytes: its name. */
export function tokenKeyAad({ label, version }: Pick<KmsKey, 'label' | 'version'>): Uint8Array {
  return new TextEncoder().encode(`qflare/token-key/v1/${label}/${version}`);
}

/** A token without a key in it, and its login key. */
export async function makeToken(
  unlocking: Unlocking,
  crypto: Primitives,
): Promise<{ token: Token; login: Uint8Array }> {
  const salt = crypto.randomBytes(16);
  const login = await loginKey(unlocking, salt);
  const check = sealUnder(login, new Uint8Array(), checkText, crypto).toBase64();
  return { token: { version: 1, unlocking: unlocking.kind, salt: salt.toBase64(), check, keys: [] }, login };
}

/**
 * The login key of a token.
 *
 * Errors: KmsError when it was made with another kind of unlocking, or with another passphrase or key file.
 */
export async function logIn(token: Token, unlocking: Unlocking, crypto: Pick<Crypto, 'aead'>): Promise<Uint8Array> {
  if (token.unlocking !== unlocking.kind) {
    throw new KmsError(
      `Cannot unlock the keys as a ${token.unlocking} must be given (QFLARE_PASSPHRASE_FILE or QFLARE_KEY_FILE names it): a ${unlocking.kind} is`,
    );
  }
  const login = await loginKey(unlocking, Uint8Array.fromBase64(token.salt));
  if (openUnder(login, Uint8Array.fromBase64(token.check), checkText, crypto) === undefined) {
    throw new KmsError(
      `Cannot unlock the keys as the ${unlocking.kind} must be the one they were made with: it is another`,
    );
  }
  return login;
}

/** The same keys under another login key. What they have wrapped is opened as before. */
export async function rekeyToken(token: Token, from: Unlocking, to: Unlocking, crypto: Primitives): Promise<Token> {
  const login = await logIn(token, from, crypto);
  const next = await makeToken(to, crypto);
  const keys = token.keys.map((key) => {
    const secret = openUnder(login, Uint8Array.fromBase64(key.wrapped), tokenKeyAad(key), crypto);
    if (secret === undefined)
      throw new KmsError(`Cannot open key ${key.label}/${key.version} as it must be whole: it was changed`);
    const wrapped = sealUnder(next.login, secret, tokenKeyAad(key), crypto).toBase64();
    secret.fill(0);
    return { ...key, wrapped };
  });
  return { ...next.token, keys };
}

async function loginKey(unlocking: Unlocking, salt: Uint8Array): Promise<Uint8Array> {
  if (unlocking.kind === 'key-file') {
    if (unlocking.bytes.length < keyFileBytesMin) {
      throw new KmsError(
        `Cannot use the key file as it must hold at least ${keyFileBytesMin} random bytes: current value is ${unlocking.bytes.length}`,
      );
    }
    return new Uint8Array(hkdfSync('sha256', unlocking.bytes, salt, 'qflare/login/v1', 32));
  }
  const message = Buffer.from(unlocking.passphrase.normalize('NFC'), 'utf8');
  if (message.length === 0) throw new KmsError('Cannot use the passphrase as it must not be empty: it is');
  return new Promise((resolve, reject) => {
    argon2('argon2id', { ...argon2Options, message, nonce: salt }, (error, key) => {
      message.fill(0);
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
