import { createHash } from '../primitives/index.ts';
import type { Blobs } from '../ports/blobs.ts';

/** Blobs in memory, for simulated worlds. */
export function createMemoryBlobs(): Blobs & { readonly held: () => readonly Uint8Array[] } {
  const blobs = new Map<string, Uint8Array>();
  const arriving = new Map<string, Uint8Array>();
  return {
    async put(content) {
      const bytes = content instanceof Uint8Array ? Uint8Array.from(content) : await gathered(content);
      const hash = hashOf(bytes);
      if (!blobs.has(hash)) blobs.set(hash, bytes);
      return hash;
    },
    get: async (hash) => blobs.get(hash)?.slice(),
    async check(hash) {
      if (!blobs.has(hash)) throw new Error(`Cannot read blob ${hash} as there must be one: there is none`);
    },
    size: async (hash) => blobs.get(hash)?.length,
    read: async (hash, start, target) => readRange(blobs.get(hash), start, target),
    remove: async (hash) => {
      blobs.delete(hash);
    },
    async sweep(isOrphan) {
      let count = 0;
      for (const hash of blobs.keys()) if ((await isOrphan(hash)) && blobs.delete(hash)) count++;
      return count;
    },
    held: () => [...blobs.values(), ...arriving.values()],
    arriving: {
      names: async () => [...arriving.keys()],
      size: async (name) => arriving.get(name)?.length ?? 0,
      async write(name, offset, bytes) {
        arriving.set(name, joined([(arriving.get(name) ?? new Uint8Array()).subarray(0, offset), bytes]));
      },
      read: async (name, start, target) => readRange(arriving.get(name), start, target),
      async settle(name) {
        const bytes = arriving.get(name) ?? new Uint8Array();
        arriving.delete(name);
        if (hashOf(bytes) !== name) return false;
        blobs.set(name, bytes);
        return true;
      },
      remove: async (name) => {
        arriving.delete(name);
      },
    },
  };
}

function readRange(bytes: Uint8Array | undefined, start: number, target: Uint8Array): void {
  if (bytes === undefined || start + target.length > bytes.length) {
    throw new Error(`Cannot read a blob as it must have ${start + target.length} bytes: it has ${bytes?.length ?? 0}`);
  }
  target.set(bytes.subarray(start, start + target.length));
}

async function gathered(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(Uint8Array.from(part));
  return joined(all);
}

/** Not a Buffer: its `slice` is a view, and readers would hold the blob itself. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
