import type { CoordinatorParts } from '../../coordinator/parts.ts';
import type { Rng } from '../../core/random/rng.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { RoundKeys } from '../../ports/round-keys.ts';
import type { Store } from '../../ports/store.ts';
import { drawMs, type Faults } from './faults.ts';
import { cryptoThrough, type Life } from './mortal.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What outlives a crash of the coordinator: its disk. */
export type Disk = { readonly store: Store; readonly blobs: Blobs; readonly roundKeys: RoundKeys };

/**
 * The ports of one life of the coordinator: a slow disk that it may be killed at, and nothing that goes on after it was
 * killed. Killed after an operation, the operation has happened and the coordinator was not told.
 */
export function coordinatorPorts(
  parts: Omit<CoordinatorParts, 'clock'>,
  world: {
    readonly life: Life;
    readonly time: VirtualTime;
    readonly rng: Rng;
    readonly faults: Faults;
    /** Whether cryptography runs on other threads, so that its results must be put in order. */
    readonly isCryptoReal: boolean;
    /** Asked just before and just after each durable operation. When it says yes, the life is over on return. */
    readonly isKilledHere: () => boolean;
  },
): CoordinatorParts {
  const { life, time, rng, faults, isCryptoReal, isKilledHere } = world;
  const never = <T>() => new Promise<T>(() => {});

  async function read<T>(work: () => Promise<T>): Promise<T> {
    const ms = drawMs(rng, faults.storageMs);
    return life.mortal(ms === 0 ? work() : time.during(ms, work));
  }

  async function write<T>(work: () => Promise<T>): Promise<T> {
    const ms = drawMs(rng, faults.storageMs);
    if (ms > 0) await life.mortal(time.sleep(ms));
    if (life.isOver() || isKilledHere()) return never();
    const result = await life.mortal(work());
    if (isKilledHere()) return never();
    return result;
  }

  const crypto = cryptoThrough(parts.crypto, (work) => {
    const ms = drawMs(rng, faults.cryptoMs);
    return life.mortal(ms > 0 || isCryptoReal ? time.during(ms, work) : work());
  });
  const { store, blobs, roundKeys } = parts;
  return {
    ...parts,
    crypto,
    clock: { ...time, sleep: (ms) => life.mortal(time.sleep(ms)) },
    store: {
      commit: (changes, rows) => write(() => store.commit(changes, rows)),
      invitation: (tokenHash) => read(() => store.invitation(tokenHash)),
      invitations: () => read(() => store.invitations()),
      devices: () => read(() => store.devices()),
      models: () => read(() => store.models()),
      accepted: (round, phaseId) => read(() => store.accepted(round, phaseId)),
      journal: (from) => read(() => store.journal(from)),
      ledger: () => read(() => store.ledger()),
      check: () => read(() => store.check()),
      close: () => read(() => store.close()),
    },
    blobs: {
      put: (content) => write(() => blobs.put(content)),
      get: (hash) => read(() => blobs.get(hash)),
      check: (hash) => read(() => blobs.check(hash)),
      size: (hash) => read(() => blobs.size(hash)),
      read: (hash, start, target) => read(() => blobs.read(hash, start, target)),
      remove: (hash) => write(() => blobs.remove(hash)),
      sweep: (isOrphan) => write(() => blobs.sweep(isOrphan)),
      arriving: {
        names: () => read(() => blobs.arriving.names()),
        size: (name) => read(() => blobs.arriving.size(name)),
        write: (name, offset, bytes) => write(() => blobs.arriving.write(name, offset, bytes)),
        read: (name, start, target) => read(() => blobs.arriving.read(name, start, target)),
        settle: (name) => write(() => blobs.arriving.settle(name)),
        remove: (name) => write(() => blobs.arriving.remove(name)),
      },
    },
    roundKeys: {
      put: (round, secret) => {
        const copy = Uint8Array.from(secret);
        return write(() => roundKeys.put(round, copy));
      },
      get: (round) => read(() => roundKeys.get(round)),
      destroy: (round) => write(() => roundKeys.destroy(round)),
    },
  };
}
