import type { Entropy } from '../../ports/entropy.ts';
import { secretBytes } from '../entropy/entropy.ts';

/** A key's life: sifted bits of a running session, amplified bits, cut for a pair, handed to both, wiped. */
export const KEY_STATES = ['raw', 'distilled', 'reserved', 'delivered', 'zeroised'] as const;

export type KeyState = (typeof KEY_STATES)[number];

export type PooledKey = { readonly keyId: string; readonly bytes: Uint8Array };

export type KeyPoolOptions = {
  /** For key ids, which must not be guessable. */
  readonly entropy: Entropy;
  readonly capacityBytes: number;
  /** `onLowWater` is called when a reservation leaves less than this. */
  readonly lowWaterBytes: number;
  readonly onLowWater?: (distilledBytes: number) => void;
  /** Keys whose bits repeat with a seed: for the laboratory only. */
  readonly allowSeeded?: boolean;
};

export type KeyPool = {
  /** A session has begun: its bits are raw until it ends. */
  openSession(sessionId: string): void;
  /** The session ended without a key. */
  abortSession(sessionId: string): void;
  /** The session's key joins the pool and is wiped at the caller. Bytes past the capacity are wiped unused. */
  store(sessionId: string, key: { readonly bytes: Uint8Array; readonly keyMaterial: 'seeded' | 'secret' }): void;
  /** Cuts keys for a pair and hands the master's copies out; undefined when the pool holds too little. */
  reserve(request: KeyReservation): PooledKey[] | undefined;
  /** A slave's copies, all or none: undefined when one of them is not there for this pair (any more). */
  collect(request: {
    readonly keyIds: readonly string[];
    readonly master: string;
    readonly slave: string;
  }): PooledKey[] | undefined;
  /** Whether one of these keys is there and was reserved for others than this slave. */
  isForOthers(keyIds: readonly string[], slave: string): boolean;
  /** Wipes a key that nobody will fetch. */
  zeroise(keyId: string): void;
  readonly distilledBytes: () => number;
  readonly inventory: () => Readonly<Record<KeyState, number>>;
};

type KeyReservation = {
  readonly count: number;
  readonly sizeBytes: number;
  readonly master: string;
  readonly slaves: readonly string[];
};

type Entry = {
  readonly bytes: Uint8Array;
  readonly master: string;
  readonly slaves: readonly string[];
  readonly waiting: Set<string>;
  state: KeyState;
};

/**
 * A pool of distilled key bits, shared by the two ends of a link.
 *
 * Promises: every bit is cut once; every key goes to its master once and to each slave once; a key that all have is
 *          wiped here. Nothing is written to disk: keys that were not fetched die with the process.
 */
export function createKeyPool(options: KeyPoolOptions): KeyPool {
  const rawSessions = new Set<string>();
  const entries = new Map<string, Entry>();
  let chunks: Uint8Array[] = [];
  let distilledBytes = 0;
  let zeroised = 0;

  function wipe(keyId: string, entry: Entry): void {
    entry.bytes.fill(0);
    entries.delete(keyId);
    zeroised++;
  }

  /** Takes bytes off the front and wipes them where they lay. */
  function cut(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const chunk = chunks[0]!;
      const taken = chunk.subarray(0, Math.min(chunk.length, count - at));
      bytes.set(taken, at);
      at += taken.length;
      taken.fill(0);
      chunks = taken.length === chunk.length ? chunks.slice(1) : [chunk.subarray(taken.length), ...chunks.slice(1)];
    }
    distilledBytes -= count;
    return bytes;
  }

  return {
    openSession: (sessionId) => void rawSessions.add(sessionId),
    abortSession: (sessionId) => void rawSessions.delete(sessionId),
    store(sessionId, { bytes, keyMaterial }) {
      if (!rawSessions.delete(sessionId)) {
        throw new Error(`Cannot store a key as its session must be open: current value is ${sessionId}`);
      }
      if (keyMaterial === 'seeded' && options.allowSeeded !== true) {
        bytes.fill(0);
        throw new Error('Cannot store a key as its bits must be secret: current value is seeded');
      }
      const room = Math.min(bytes.length, options.capacityBytes - distilledBytes);
      if (room > 0) chunks.push(bytes.slice(0, room));
      distilledBytes += Math.max(0, room);
      bytes.fill(0);
    },
    reserve({ count, sizeBytes, master, slaves }) {
      if (count * sizeBytes > distilledBytes) return undefined;
      const keys = Array.from({ length: count }, (): PooledKey => {
        const keyId = uuid(secretBytes(options.entropy, 16));
        const bytes = cut(sizeBytes);
        entries.set(keyId, { bytes, master, slaves, waiting: new Set(slaves), state: 'reserved' });
        return { keyId, bytes: bytes.slice() };
      });
      if (distilledBytes < options.lowWaterBytes) options.onLowWater?.(distilledBytes);
      return keys;
    },
    collect({ keyIds, master, slave }) {
      const found = keyIds.map((keyId) => entries.get(keyId));
      const isComplete = found.every((entry) => entry?.master === master && entry.waiting.has(slave));
      if (!isComplete || new Set(keyIds).size !== keyIds.length) return undefined;
      return keyIds.map((keyId) => {
        const entry = entries.get(keyId)!;
        const key = { keyId, bytes: entry.bytes.slice() };
        entry.state = 'delivered';
        entry.waiting.delete(slave);
        if (entry.waiting.size === 0) wipe(keyId, entry);
        return key;
      });
    },
    isForOthers: (keyIds, slave) => keyIds.some((keyId) => entries.get(keyId)?.slaves.includes(slave) === false),
    zeroise(keyId) {
      const entry = entries.get(keyId);
      if (entry !== undefined) wipe(keyId, entry);
    },
    distilledBytes: () => distilledBytes,
    inventory: () => {
      const count = (state: KeyState) => [...entries.values()].filter((entry) => entry.state === state).length;
      return {
        raw: rawSessions.size,
        distilled: distilledBytes,
        reserved: count('reserved'),
        delivered: count('delivered'),
        zeroised,
      };
    },
  };
}

/** A version 4 UUID from 16 random bytes. */
function uuid(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
