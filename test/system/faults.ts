import type { Blobs } from '../../src/ports/blobs.ts';
import type { RoundKeys } from '../../src/ports/round-keys.ts';
import type { Store } from '../../src/ports/store.ts';

export type Disk = { readonly store: Store; readonly blobs: Blobs; readonly roundKeys: RoundKeys };

/** What happens at a durable write: nothing, the process dies before or after it, or the disk refuses it. */
export type Fault = 'die-before' | 'die-after' | 'refuse';

export type FaultyDisk = Disk & {
  /** The durable writes so far, by name. */
  readonly writes: readonly string[];
  isDead(): boolean;
  /** The process is gone: nothing it does reaches the disk or comes back any more. */
  kill(): void;
};

const never = new Promise<never>(() => {});

/** The disk as one process sees it. The disk itself outlives the process: give it to the next one. */
export function faultyDisk(
  disk: Disk,
  faultAt: (index: number, name: string) => Fault | undefined = () => undefined,
): FaultyDisk {
  const writes: string[] = [];
  let isDead = false;

  async function write<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (isDead) return never;
    const fault = faultAt(writes.length, name);
    writes.push(name);
    if (fault === 'die-before') {
      isDead = true;
      return never;
    }
    if (fault === 'refuse') throw Object.assign(new Error(`the disk refuses ${name}`), { code: 'ENOSPC' });
    const result = await work();
    if (fault === 'die-after') isDead = true;
    return isDead ? never : result;
  }

  async function read<T>(work: () => Promise<T>): Promise<T> {
    if (isDead) return never;
    const result = await work();
    return isDead ? never : result;
  }

  const { store, blobs, roundKeys } = disk;
  return {
    writes,
    isDead: () => isDead,
    kill() {
      isDead = true;
    },
    store: {
      commit: (changes, rows) =>
        write(`commit ${rows.map(({ entry }) => entry.kind).join('+')}`, () => store.commit(changes, rows)),
      invitation: (hash) => read(() => store.invitation(hash)),
      invitations: () => read(() => store.invitations()),
      devices: () => read(() => store.devices()),
      models: () => read(() => store.models()),
      accepted: (round, phaseId) => read(() => store.accepted(round, phaseId)),
      journal: (from) => read(() => store.journal(from)),
      ledger: () => read(() => store.ledger()),
      check: () => read(() => store.check()),
      close: () => store.close(),
    },
    blobs: {
      put: (content) => write('blob put', () => blobs.put(content)),
      get: (hash) => read(() => blobs.get(hash)),
      check: (hash) => read(() => blobs.check(hash)),
      size: (hash) => read(() => blobs.size(hash)),
      read: (hash, start, target) => read(() => blobs.read(hash, start, target)),
      remove: (hash) => write('blob remove', () => blobs.remove(hash)),
      // Only what is removed is a write.
      sweep: (isOrphan) =>
        read(() =>
          blobs.sweep(async (hash) => (await isOrphan(hash)) && (await write('blob sweep', async () => true))),
        ),
      arriving: {
        names: () => read(() => blobs.arriving.names()),
        size: (name) => read(() => blobs.arriving.size(name)),
        write: (name, offset, bytes) => write('blob arriving', () => blobs.arriving.write(name, offset, bytes)),
        read: (name, start, target) => read(() => blobs.arriving.read(name, start, target)),
        settle: (name) => write('blob settle', () => blobs.arriving.settle(name)),
        remove: (name) => write('arriving remove', () => blobs.arriving.remove(name)),
      },
    },
    roundKeys: {
      put: (round, secret) => write('key put', () => roundKeys.put(round, Uint8Array.from(secret))),
      get: (round) => read(() => roundKeys.get(round)),
      destroy: (round) => write('key destroy', () => roundKeys.destroy(round)),
    },
  };
}
