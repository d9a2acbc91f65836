import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Crypto } from '../ports/crypto.ts';
import { DamagedError } from '../ports/damage.ts';
import { type Kms, KmsError, type KmsKey } from '../ports/kms.ts';
import {
  logIn,
  makeToken,
  openUnder,
  sealUnder,
  type Token,
  type TokenKey,
  tokenKeyAad,
  type Unlocking,
} from './kms-file/token.ts';
import { writeSynced } from '../primitives/synced-file.ts';

/** Random 96-bit nonces: at most 2³² wraps under one key (SP 800-38D, section 8.3). */
const wrapsMax = 2 ** 32;

/**
 * A token in a file: key-encryption keys, wrapped under a login key that comes of a passphrase (Argon2id) or of a key file
 * (HKDF). It stands in for a hardware token behind the same port.
 *
 * Errors: KmsError on a wrong passphrase or key file, and when a key has wrapped 2³² times.
 */
export async function openFileKms(
  path: string,
  unlocking: Unlocking,
  crypto: Pick<Crypto, 'aead' | 'randomBytes'>,
): Promise<Kms> {
  const known = await readToken(path);
  const opened = known === undefined ? await makeToken(unlocking, crypto) : undefined;
  const login = opened?.login ?? (await logIn(known!, unlocking, crypto));
  let token = opened?.token ?? known!;
  if (opened !== undefined) await writeToken(path, token);
  const secrets = new Map<string, Uint8Array>();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other: each is on disk before the next begins. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  }

  async function keep(keys: readonly TokenKey[]): Promise<void> {
    await writeToken(path, { ...token, keys });
    token = { ...token, keys };
  }

  function entryOf({ label, version }: KmsKey): TokenKey {
    const entry = token.keys.find((one) => one.label === label && one.version === version);
    if (entry === undefined)
      throw new KmsError(`Cannot use key ${label}/${version} as ${path} must hold it: it does not`);
    return entry;
  }

  function secretOf(key: KmsKey): Uint8Array {
    const entry = entryOf(key);
    const name = nameOf(entry);
    const secret =
      secrets.get(name) ?? openUnder(login, Uint8Array.fromBase64(entry.wrapped), tokenKeyAad(entry), crypto);
    if (secret === undefined)
      throw new KmsError(`Cannot use key ${name} of ${path} as it must be whole: it was changed`);
    secrets.set(name, secret);
    return secret;
  }

  return {
    description: `token in a file, unlocked by ${token.unlocking === 'passphrase' ? 'passphrase (Argon2id)' : 'key file'}`,
    find: async (wanted) =>
      token.keys
        .filter(({ label }) => label === wanted)
        .map(({ label, version, createdAtMs }) => ({ label, version, createdAtMs })),
    generate: (label, nowMs) =>
      inTurn(async () => {
        const version = Math.max(0, ...token.keys.filter((key) => key.label === label).map((key) => key.version)) + 1;
        const secret = crypto.randomBytes(32);
        const wrapped = sealUnder(login, secret, tokenKeyAad({ label, version }), crypto).toBase64();
        await keep([...token.keys, { label, version, createdAtMs: nowMs, wrapped, wraps: 0 }]);
        secrets.set(nameOf({ label, version }), secret);
        return { label, version, createdAtMs: nowMs };
      }),
    wrap: (key, secret, aad) =>
      inTurn(async () => {
        const entry = entryOf(key);
        if (entry.wraps >= wrapsMax) {
          throw new KmsError(
            `Cannot wrap under ${nameOf(entry)} as it must have wrapped fewer than 2^32 times: rotate it`,
          );
        }
        const kek = secretOf(key);
        // Counted before it is used: a crash must not rewind the count.
        await keep(token.keys.map((one) => (one === entry ? { ...entry, wraps: entry.wraps + 1 } : one)));
        return sealUnder(kek, secret, aad, crypto);
      }),
    async unwrap(key, wrapped, aad) {
      const secret = openUnder(secretOf(key), wrapped, aad, crypto);
      if (secret === undefined)
        throw new KmsError(`Cannot unwrap under ${nameOf(key)} as key, place and bytes must be the same: they are not`);
      return secret;
    },
    destroy: (key) =>
      inTurn(async () => {
        const entry = entryOf(key);
        await keep(token.keys.filter((one) => one !== entry));
        secrets.get(nameOf(key))?.fill(0);
        secrets.delete(nameOf(key));
      }),
  };
}

function nameOf({ label, version }: Pick<KmsKey, 'label' | 'version'>): string {
  return `${label}/${version}`;
}

async function readToken(path: string): Promise<Token | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError)
      throw new DamagedError(`Cannot read ${path} as it must be JSON: ${error.message}`);
    throw error;
  }
}

async function writeToken(path: string, token: Token): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeSynced(path, `${JSON.stringify(token, null, 1)}\n`);
}
