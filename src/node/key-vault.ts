import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileKms } from '../adapters/kms-file.ts';
import { rekeyToken, type Token, type Unlocking } from '../adapters/kms-file/token.ts';
import { activeKey, keyAt, keyPurposes, type KeyPurpose, type KeyRecord, moveKey } from '../core/keys/lifecycle.ts';
import { openObject, sealedUnder, sealObject } from '../core/keys/sealed.ts';
import { schemeOf, type SignatureScheme } from '../core/protocol/signature-scheme.ts';
import type { AtRest } from '../ports/at-rest.ts';
import type { Crypto } from '../ports/crypto.ts';
import { DamagedError } from '../ports/damage.ts';
import { type Kms, KmsError, type KmsKey } from '../ports/kms.ts';
import { writeSynced } from '../primitives/synced-file.ts';

/** The label of the key-encryption keys in the token. */
const kekLabel = 'qflare-kek';
const attemptsMax = 20;

/** A key of the vault: its record, and its secret sealed under a data key that a key-encryption key wraps. */
type StoredKey = KeyRecord & {
  /** Absent once the key is destroyed. */
  readonly secret?: { readonly kek: number; readonly wrapped: string; readonly sealed: string };
};

/**
 * The keys of a folder, each for one purpose, sealed at rest: `vault.json` holds them, and a token the key-encryption
 * key. Every change is on disk before it is used.
 */
export type KeyVault = {
  /** Where the key-encryption keys are, for people. */
  readonly description: string;
  /** Every key that ever was, the key-encryption keys first, as it was written down. */
  inventory(): Promise<readonly KeyRecord[]>;
  /**
   * The secret in use for a purpose. It is made where there is none yet.
   *
   * Errors: KmsError for one that has expired.
   */
  secret(purpose: StoredPurpose): Promise<Uint8Array>;
  /** The secret of one key, in use or retired. */
  secretOf(id: string): Promise<Uint8Array>;
  /** A new key in place of the one in use, which is destroyed, unless its purpose needs it later. */
  replace(purpose: StoredPurpose, secret?: Uint8Array): Promise<KeyRecord>;
  /** Puts new keys in place of those that have expired. Only whoever has the folder for itself may. */
  replaceExpired(): Promise<readonly KeyRecord[]>;
  /** A new key-encryption key: every secret is wrapped anew, nothing else moves. */
  rotateKek(): Promise<KeyRecord>;
  /**
   * Ends a key that somebody else may know: its secret is gone at once. Where it was in use, a new one is in use from then on.
   *
   * Errors: RangeError for one that nothing may take the place of in this run, or that other commands end.
   */
  revoke(id: string): Promise<{ readonly revoked: KeyRecord; readonly inUse: KeyRecord | null }>;
  /** Ends a key that is not in use. */
  destroy(id: string): Promise<KeyRecord>;
  /** Seals files of this folder under the data key in use. */
  readonly atRest: AtRest;
};

/** Purposes whose retired keys stay: to open what they have sealed, to sign lists of what they have issued. */
const keptPurposes: ReadonlySet<KeyPurpose> = new Set<KeyPurpose>(['data', 'certificate-authority']);

export type StoredPurpose = Exclude<KeyPurpose, 'kek'>;

/** What a folder's inventory says without being unlocked: no secret is read. */
export async function readInventory(folder: string): Promise<readonly KeyRecord[]> {
  const [stored, token] = await Promise.all([readVault(join(folder, 'vault.json')), readKeks(folder)]);
  return [...token, ...(stored ?? []).map(recordOf)];
}

/**
 * Puts the keys of a folder under another passphrase or key file. They stay what they are.
 *
 * Errors: KmsError when `from` does not unlock them.
 */
export async function relockVault(
  folder: string,
  from: Unlocking,
  to: Unlocking,
  crypto: Pick<Crypto, 'aead' | 'randomBytes'>,
): Promise<void> {
  const path = join(folder, 'token.json');
  const token = JSON.parse(await readFile(path, 'utf8')) as Token;
  await writeSynced(path, `${JSON.stringify(await rekeyToken(token, from, to, crypto), null, 1)}\n`);
}

/**
 * Opens the vault of a folder, or makes one.
 *
 * Errors: KmsError when the folder is unlocked with something else than it was made with.
 */
export async function openKeyVault(
  folder: string,
  unlocking: Unlocking,
  crypto: Pick<Crypto, 'aead' | 'randomBytes' | 'generateSigningKey'>,
  nowMs: () => number = Date.now,
): Promise<KeyVault> {
  const path = join(folder, 'vault.json');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const opened = await openPair(folder, unlocking, crypto);
  const { kms } = opened;
  let keys = opened.keys;
  let kek = (await kms.find(kekLabel)).at(-1) ?? (await kms.generate(kekLabel, nowMs()));
  const secrets = new Map<string, Uint8Array>();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  }

  async function keep(next: readonly StoredKey[]): Promise<void> {
    await writeSynced(path, `${JSON.stringify({ version: 1, keys: next }, null, 1)}\n`);
    keys = next;
  }

  async function wrapped(id: string, secret: Uint8Array, under: KmsKey): Promise<NonNullable<StoredKey['secret']>> {
    refuseExpired(kekRecords([under])[0]!);
    const dataKey = crypto.randomBytes(32);
    const sealed = sealObject({ version: 1, bytes: dataKey }, `vault/${id}`, secret, crypto);
    const wrapping = await kms.wrap(under, dataKey, Buffer.from(`vault/${id}`));
    dataKey.fill(0);
    return { kek: under.version, wrapped: wrapping.toBase64(), sealed: sealed.toBase64() };
  }

  async function unwrapped({ id, secret }: StoredKey): Promise<Uint8Array> {
    const known = secrets.get(id);
    if (known !== undefined) return known;
    if (secret === undefined) throw new KmsError(`Cannot use key ${id} as it must not be destroyed: it is`);
    const from = (await kms.find(kekLabel)).find(({ version }) => version === secret.kek);
    if (from === undefined)
      throw new KmsError(`Cannot open key ${id} as key-encryption key ${secret.kek} must be there`);
    const dataKey = await kms.unwrap(from, Uint8Array.fromBase64(secret.wrapped), Buffer.from(`vault/${id}`));
    const sealed = Uint8Array.fromBase64(secret.sealed);
    const plain = openObject({ version: 1, bytes: dataKey }, `vault/${id}`, sealed, crypto);
    dataKey.fill(0);
    if (plain === undefined)
      throw new DamagedError(`Cannot open key ${id} of ${path} as it must be whole: it was changed`);
    secrets.set(id, plain);
    return plain;
  }

  /** The key that signs announcements is of the scheme of the root key above it. */
  async function schemeFor(purpose: StoredPurpose): Promise<SignatureScheme | undefined> {
    const root = purpose === 'announcement' ? activeKey(keys, 'root') : undefined;
    return root && schemeOf('seedBytes', (await unwrapped(root)).length);
  }

  async function add(
    purpose: StoredPurpose,
    given: Uint8Array | undefined,
    end: (former: StoredKey, nowMs: number) => StoredKey = ended,
  ): Promise<StoredKey> {
    const secret = given ?? freshSecret(purpose, crypto, await schemeFor(purpose));
    const now = nowMs();
    const version = Math.max(0, ...keys.filter((key) => key.purpose === purpose).map((key) => key.version)) + 1;
    const id = `${purpose}-${version}`;
    const made: KeyRecord = {
      id,
      purpose,
      version,
      state: 'created',
      createdAtMs: now,
      activatedAtMs: null,
      endedAtMs: null,
      rotateDays: keyPurposes[purpose].rotateDays,
    };
    const former = activeKey(keys, purpose);
    const stored: StoredKey = { ...moveKey(made, 'activate', now), secret: await wrapped(id, secret, kek) };
    secrets.set(id, secret);
    await keep([...keys.map((key) => (key === former ? end(key, now) : key)), stored]);
    if (former !== undefined && !keptPurposes.has(purpose)) forget(former.id);
    return stored;
  }

  function refuseExpired(key: KeyRecord): void {
    const { state, endedAtMs } = keyAt(key, nowMs());
    if (key.state !== 'active' || state !== 'expired') return;
    const day = new Date(endedAtMs!).toISOString().slice(0, 10);
    throw new KmsError(
      `Cannot use key ${key.id} as it must not have expired: it has on ${day}; "qflare keys rotate" and "qflare serve" put a new one in its place`,
    );
  }

  function forget(id: string): void {
    secrets.get(id)?.fill(0);
    secrets.delete(id);
  }

  const dataKeyOf = (version: number): Uint8Array => {
    const bytes = secrets.get(`data-${version}`);
    if (bytes === undefined) throw new KmsError(`Cannot open a file as data key ${version} must be there: it is not`);
    return bytes;
  };

  const vault: KeyVault = {
    description: kms.description,
    inventory: async () => [...kekRecords(await kms.find(kekLabel)), ...keys.map(recordOf)],
    secret: (purpose) =>
      inTurn(async () => {
        const key = activeKey(keys, purpose) ?? (await add(purpose, undefined));
        refuseExpired(key);
        return (await unwrapped(key)).slice();
      }),
    secretOf: (id) =>
      inTurn(async () => {
        const key = keys.find((one) => one.id === id);
        if (key === undefined) throw new KmsError(`Cannot use key ${id} as it must be in ${path}: it is not`);
        return (await unwrapped(key)).slice();
      }),
    replace: (purpose, secret) => inTurn(async () => recordOf(await add(purpose, secret))),
    async replaceExpired() {
      const made: KeyRecord[] = [];
      for (const key of await vault.inventory()) {
        if (key.state !== 'active' || keyAt(key, nowMs()).state !== 'expired') continue;
        // The key-encryption key is the first of them: under an expired one nothing is wrapped.
        made.push(await (key.purpose === 'kek' ? vault.rotateKek() : vault.replace(key.purpose)));
      }
      return made;
    },
    rotateKek: () =>
      inTurn(async () => {
        const former = await kms.find(kekLabel);
        const next = await kms.generate(kekLabel, nowMs());
        const anew: StoredKey[] = [];
        for (const key of keys) {
          anew.push(
            key.secret === undefined ? key : { ...key, secret: await wrapped(key.id, await unwrapped(key), next) },
          );
        }
        await keep(anew);
        kek = next;
        // Nothing is wrapped under the former ones any more.
        for (const one of former) await kms.destroy(one);
        return kekRecords([next])[0]!;
      }),
    revoke: (id) =>
      inTurn(async () => {
        const key = keys.find((one) => one.id === id);
        if (key === undefined) throw new RangeError(`Cannot revoke ${id} as there must be such a key: there is none`);
        const problem = revocationProblem(key);
        if (problem !== undefined) throw new RangeError(`Cannot revoke ${id} as ${problem}`);
        const { purpose, state } = key;
        const gone = (one: StoredKey, now: number) => recordOf({ ...one, ...moveKey(one, 'revoke', now) });
        const made = state === 'active' ? recordOf(await add(purpose as StoredPurpose, undefined, gone)) : null;
        if (made === null) await keep(keys.map((one) => (one === key ? gone(one, nowMs()) : one)));
        forget(id);
        return { revoked: recordOf(keys.find((one) => one.id === id)!), inUse: made };
      }),
    destroy: (id) =>
      inTurn(async () => {
        const key = keys.find((one) => one.id === id);
        if (key === undefined) throw new RangeError(`Cannot destroy ${id} as there must be such a key: there is none`);
        if (key.purpose === 'certificate-authority')
          throw new RangeError(`Cannot destroy ${id} as nothing must need it: it signs the list of what it has issued`);
        const gone = recordOf({ ...key, ...moveKey(key, 'destroy', nowMs()) });
        await keep(keys.map((one) => (one === key ? gone : one)));
        forget(id);
        return gone;
      }),
    atRest: {
      seal(place, plaintext) {
        const key = activeKey(keys, 'data')!;
        refuseExpired(key);
        const { version } = key;
        return sealObject({ version, bytes: dataKeyOf(version) }, place, plaintext, crypto);
      },
      open(place, sealed) {
        const version = sealedUnder(sealed);
        const plain =
          version === undefined ? undefined : openObject({ version, bytes: dataKeyOf(version) }, place, sealed, crypto);
        if (plain === undefined)
          throw new DamagedError(`Cannot open ${place} as it must be what was sealed: it was changed`);
        return plain;
      },
    },
  };
  if (activeKey(keys, 'data') === undefined) await vault.secret('data');
  // What is sealed under a former data key opens without waiting.
  for (const key of keys) if (key.purpose === 'data' && key.secret !== undefined) await unwrapped(key);
  return vault;
}

/** Token and vault as of one moment: while a coordinator runs it may rotate between the reading of both. */
async function openPair(
  folder: string,
  unlocking: Unlocking,
  crypto: Pick<Crypto, 'aead' | 'randomBytes'>,
): Promise<{ readonly kms: Kms; readonly keys: readonly StoredKey[] }> {
  for (let attempt = 1; ; attempt++) {
    const kms = await openFileKms(join(folder, 'token.json'), unlocking, crypto);
    const keys = (await readVault(join(folder, 'vault.json'))) ?? [];
    const held = new Set((await kms.find(kekLabel)).map(({ version }) => version));
    // What stays apart is said at the use of the key.
    if (attempt === attemptsMax || keys.every(({ secret }) => secret === undefined || held.has(secret.kek))) {
      return { kms, keys };
    }
  }
}

/** Why a key is not revoked here, and what is done instead; undefined for one that is. */
function revocationProblem({ purpose, state }: KeyRecord): string | undefined {
  if (purpose === 'certificate-authority') return 'certificates are revoked and authorities rotated with "qflare ca"';
  if (state === 'revoked' || state === 'destroyed') return `it must not have ended: current value is ${state}`;
  if (state === 'active' && purpose === 'data')
    return 'it must not be in use: "keys rotate data" first, and revoke it once nothing rests under it';
  return state === 'active' && !keyPurposes[purpose].rotates
    ? 'others pin this key for the life of the run: stop the run, and begin another in a new folder'
    : undefined;
}

/** The record of a key that another has taken the place of. */
function ended(key: StoredKey, nowMs: number): StoredKey {
  const now = keyAt(key, nowMs);
  const left = now.state === 'expired' ? now : moveKey(key, 'retire', nowMs);
  if (keptPurposes.has(key.purpose)) return { ...key, ...left };
  return recordOf({ ...key, ...moveKey(left, 'destroy', nowMs) });
}

function freshSecret(
  purpose: StoredPurpose,
  crypto: Pick<Crypto, 'randomBytes' | 'generateSigningKey'>,
  scheme: SignatureScheme | undefined,
): Uint8Array {
  if (purpose === 'owner-token') {
    return Buffer.from(crypto.randomBytes(32).toBase64({ alphabet: 'base64url', omitPadding: true }));
  }
  if (purpose === 'tls' || purpose === 'certificate-authority') {
    throw new RangeError(`Cannot make a key for ${purpose} as it must come with its certificate`);
  }
  return keyPurposes[purpose].algorithm.startsWith('ML-DSA')
    ? crypto.generateSigningKey(scheme).exportSeed()
    : crypto.randomBytes(32);
}

function recordOf({ secret: _secret, ...record }: StoredKey): KeyRecord {
  return record;
}

function kekRecords(found: readonly Pick<KmsKey, 'version' | 'createdAtMs'>[]): readonly KeyRecord[] {
  return found.map(({ version, createdAtMs }, i) => ({
    id: `kek-${version}`,
    purpose: 'kek',
    version,
    state: i === found.length - 1 ? 'active' : 'retired',
    createdAtMs,
    activatedAtMs: createdAtMs,
    endedAtMs: null,
    rotateDays: keyPurposes.kek.rotateDays,
  }));
}

async function readKeks(folder: string): Promise<readonly KeyRecord[]> {
  const text = await readFile(join(folder, 'token.json'), 'utf8');
  const { keys } = JSON.parse(text) as {
    keys: readonly (Pick<KmsKey, 'version' | 'createdAtMs'> & { label: string })[];
  };
  return kekRecords(keys.filter(({ label }) => label === kekLabel));
}

async function readVault(path: string): Promise<readonly StoredKey[] | undefined> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { keys: readonly StoredKey[] }).keys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError)
      throw new DamagedError(`Cannot read ${path} as it must be JSON: ${error.message}`);
    throw error;
  }
}
