import {
  dueForRotation,
  expiryMs,
  keyAt,
  type KeyPurpose,
  keyPurposes,
  type KeyRecord,
} from '../core/keys/lifecycle.ts';
import { signsOnlyAs } from '../core/protocol/purposes.ts';
import type { Announcer } from '../coordinator/announcer.ts';
import type { Crypto } from '../ports/crypto.ts';
import { certifiedVersionOf } from './coordinator-keys.ts';
import type { KeyVault } from './key-vault.ts';

const checkMs = 60_000;
const dayMs = 86_400_000;

/** Replaces keys while a coordinator works: on demand, and by itself when their time has come. */
export type KeyRotation = {
  /** The new key; undefined for a purpose whose key may not be replaced. */
  rotate(purpose: string): Promise<KeyRecord | undefined>;
  /** Ends a key that somebody else may know; a new one takes the place of one in use. */
  revoke(id: string, reason: string): ReturnType<KeyVault['revoke']>;
  /** The owner token in use; undefined once it has expired and no other can be made. */
  ownerToken(): string | undefined;
  /** Replaces what is due, now and from now on. After the coordinator has started, which hears of it. */
  watch(): Promise<void>;
  stop(): void;
};

/** Rotation of the keys of a vault. `tell` hears of each key that has taken the place of another. */
export async function createKeyRotation(options: {
  readonly vault: KeyVault;
  readonly announcer: Announcer;
  readonly crypto: Pick<Crypto, 'importSigningKey'>;
  readonly nowMs: () => number;
  readonly tell: (
    kind: 'key.rotated' | 'key.revoked' | 'key.rotation-failed' | 'key.expired',
    data: Readonly<Record<string, string>>,
  ) => void;
}): Promise<KeyRotation> {
  const { vault, announcer, crypto, nowMs, tell } = options;
  const readToken = async () => new TextDecoder().decode(await vault.secret('owner-token'));
  let token: string | undefined = await readToken();

  async function rotate(purpose: string): Promise<KeyRecord | undefined> {
    if (!isRotated(purpose)) return undefined;
    const made = purpose === 'kek' ? await vault.rotateKek() : await vault.replace(purpose);
    await adopt(made);
    tell('key.rotated', { purpose, id: made.id });
    return made;
  }

  /** What has a key at hand takes the new one. */
  async function adopt(made: KeyRecord): Promise<void> {
    const { purpose } = made;
    if (purpose === 'owner-token') token = await readToken();
    if (purpose === 'announcement') {
      const key = crypto.importSigningKey(await vault.secret('announcement'));
      announcer.replace(signsOnlyAs('announcement', key), certifiedVersionOf(made));
    }
  }

  async function rotateDue(): Promise<void> {
    for (const key of dueForRotation(await vault.inventory(), nowMs())) {
      const { purpose, id } = key;
      await rotate(purpose).catch((error: Error) => {
        const today = Math.floor(nowMs() / dayMs);
        if (failedOn.get(id) !== today)
          tell('key.rotation-failed', { purpose, id, reason: error.message, ...endOf(key) });
        failedOn.set(id, today);
        if (keyAt(key, nowMs()).state !== 'expired') return;
        if (!expired.has(id)) tell('key.expired', { purpose, id });
        expired.add(id);
        // An expired one opens nothing, also where no other can be made.
        if (purpose === 'owner-token') token = undefined;
      });
    }
  }

  /** Each failure is told once a day, and that a key has ended once. */
  const failedOn = new Map<string, number>();
  const expired = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  return {
    rotate,
    async revoke(id, reason) {
      const done = await vault.revoke(id);
      if (done.inUse !== null) await adopt(done.inUse);
      tell('key.revoked', { purpose: done.revoked.purpose, id, reason });
      if (done.inUse !== null) tell('key.rotated', { purpose: done.inUse.purpose, id: done.inUse.id });
      return done;
    },
    ownerToken: () => token,
    async watch() {
      await rotateDue();
      timer = setInterval(() => void rotateDue(), checkMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** When a key that could not be replaced stops working, for people. */
function endOf(key: KeyRecord): Readonly<Record<string, string>> {
  const endsMs = expiryMs(key);
  return endsMs === null ? {} : { endsAt: new Date(endsMs).toISOString() };
}

/** Whether a name is a purpose whose key may be replaced while a run lasts. */
function isRotated(purpose: string): purpose is KeyPurpose {
  return Object.hasOwn(keyPurposes, purpose) && keyPurposes[purpose as KeyPurpose].rotates;
}
