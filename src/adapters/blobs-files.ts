import { createHash, randomBytes } from '../primitives/index.ts';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs } from '../ports/blobs.ts';
import { DamagedError } from '../ports/damage.ts';
import { ifThere } from '../primitives/if-there.ts';

const hashBytesAtOnce = 1 << 20;
const asidePrefix = 'aside.';

/** Blobs as files: `ab/cdef…` below a folder; written aside, synced, renamed, and the folder synced. */
export function createFileBlobs(folder: string): Blobs {
  const arrivals = join(folder, 'arriving');

  function checkName(hash: string): void {
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new RangeError(`Cannot find a blob as its name must be 64 hexadecimal digits: current value is "${hash}"`);
    }
  }

  function pathOf(hash: string): string {
    checkName(hash);
    return join(folder, hash.slice(0, 2), hash.slice(2));
  }

  function arrivingPath(hash: string): string {
    checkName(hash);
    return join(arrivals, hash);
  }

  /** Gives a synced file its place. */
  async function place(from: string, path: string): Promise<void> {
    // A new folder is there after a power cut only when its parent was synced too.
    const made = await mkdir(dirname(path), { recursive: true });
    if (made !== undefined) await syncFolder(dirname(made));
    if (made !== undefined && made !== dirname(path)) await syncFolder(folder);
    await rename(from, path);
    await syncFolder(dirname(path));
  }

  /** Writes a file and gives its hash, which is made of what is written unless it is known. */
  async function writeAside(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    aside: string,
    known: string | undefined,
  ): Promise<string> {
    const hash = createHash('sha256');
    const file = await open(aside, 'wx', 0o600);
    try {
      for await (const part of content instanceof Uint8Array ? [content] : content) {
        if (known === undefined) hash.update(part);
        await file.writeFile(part);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return known ?? hash.digest('hex');
  }

  return {
    async put(content, given) {
      const isWhole = content instanceof Uint8Array;
      const known = given ?? (isWhole ? createHash('sha256').update(content).digest('hex') : undefined);
      if (isWhole && (await holds(pathOf(known!), content))) return known!;
      await mkdir(folder, { recursive: true });
      const aside = join(folder, `${asidePrefix}${randomBytes(8).toString('hex')}`);
      try {
        const hash = await writeAside(content, aside, known);
        await place(aside, pathOf(hash));
        return hash;
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
    async get(hash) {
      const bytes = await ifThere(readFile(pathOf(hash)));
      if (bytes === undefined) return undefined;
      const actual = createHash('sha256').update(bytes).digest('hex');
      if (actual !== hash) throw damaged(pathOf(hash), actual);
      // Not a Buffer: its `slice` is a view.
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    },
    async check(hash) {
      const actual = await hashOfFile(pathOf(hash));
      if (actual !== hash) throw damaged(pathOf(hash), actual);
    },
    size: async (hash) => (await ifThere(stat(pathOf(hash))))?.size,
    read: async (hash, start, target) => readRange(pathOf(hash), start, target),
    async remove(hash) {
      await rm(pathOf(hash), { force: true });
    },
    async sweep(isOrphan) {
      let count = 0;
      for (const entry of (await ifThere(readdir(folder))) ?? []) {
        if (entry.startsWith(asidePrefix)) {
          await rm(join(folder, entry), { force: true });
          count++;
        }
        if (!/^[0-9a-f]{2}$/.test(entry)) continue;
        for (const rest of await readdir(join(folder, entry))) {
          if (!/^[0-9a-f]{62}$/.test(rest) || !(await isOrphan(entry + rest))) continue;
          await rm(join(folder, entry, rest), { force: true });
          count++;
        }
      }
      return count;
    },
    arriving: {
      names: async () => (await ifThere(readdir(arrivals))) ?? [],
      size: async (name) => (await ifThere(stat(arrivingPath(name))))?.size ?? 0,
      async write(name, offset, bytes) {
        const path = arrivingPath(name);
        await mkdir(arrivals, { recursive: true, mode: 0o700 });
        const file = (await ifThere(open(path, 'r+'))) ?? (await open(path, 'w+', 0o600));
        try {
          if ((await file.stat()).size !== offset) await file.truncate(offset);
          await writeFully(file, offset, bytes);
        } finally {
          await file.close();
        }
      },
      read: async (name, start, target) => readRange(arrivingPath(name), start, target),
      async settle(name) {
        const path = arrivingPath(name);
        if ((await ifThere(hashOfFile(path))) !== name) {
          await rm(path, { force: true });
          return false;
        }
        await place(path, pathOf(name));
        return true;
      },
      async remove(name) {
        await rm(arrivingPath(name), { force: true });
      },
    },
  };
}

function damaged(path: string, actual: string): DamagedError {
  return new DamagedError(`Cannot read ${path} as its hash must be its name: current value is ${actual}`);
}

/** Syncs a file and gives its hash, with one part of it in memory. */
async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(hashBytesAtOnce);
  const file = await open(path, 'r');
  try {
    await file.sync();
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function readRange(path: string, start: number, target: Uint8Array): Promise<void> {
  const file = await open(path, 'r');
  try {
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await file.read(target, done, target.length - done, start + done);
      if (bytesRead === 0) throw new Error(`Cannot read ${path} as it must have byte ${start + done}: it is shorter`);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function writeFully(file: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}

/** Whether the file is there and whole: one that was damaged is written anew. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await readFile(path), bytes) === 0;
  } catch {
    return false;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
