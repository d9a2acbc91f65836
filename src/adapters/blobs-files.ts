import { createHash, randomBytes } from '../primitives/index.ts';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs } from '../ports/blobs.ts';
import { DamagedError } from '../ports/damage.ts';
import type { AtRest } from '../ports/at-rest.ts';
import { ifThere } from '../primitives/if-there.ts';
import { createSealedFiles, type OpenedFile, writeFully } from './blobs-files/sealed-file.ts';

const hashBytesAtOnce = 1 << 20;
const asidePrefix = 'aside.';

/**
 * Blobs as files: `ab/cdef…` below a folder; written aside, synced, renamed, and the folder synced. With `atRest` all that
 * is put is sealed in its file, unless it is so already; what has arrived stays as it came, and so does what lay there before.
 */
export function createFileBlobs(folder: string, atRest?: AtRest): Blobs {
  const arrivals = join(folder, 'arriving');
  const sealedFiles = atRest && createSealedFiles(atRest);

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
    { known, isSealed }: { readonly known: string | undefined; readonly isSealed: boolean },
  ): Promise<string> {
    const hash = createHash('sha256');
    let name = known;
    const file = await open(aside, 'wx', 0o600);
    try {
      const parts = partsOf(content, (part) => void (known ?? hash.update(part)));
      if (sealedFiles === undefined || isSealed) for await (const part of parts) await file.writeFile(part);
      else await sealedFiles.write(file, parts, () => (name ??= hash.digest('hex')));
      await file.sync();
    } finally {
      await file.close();
    }
    return name ?? hash.digest('hex');
  }

  /** Works on a blob's content, in whichever way it lies there. */
  async function withContent<T>(hash: string, work: (content: OpenedFile) => Promise<T>): Promise<T> {
    const path = pathOf(hash);
    const file = await open(path, 'r');
    try {
      return await work((await sealedFiles?.open(file, hash)) ?? (await plainContent(file, path)));
    } finally {
      await file.close();
    }
  }

  /** The bytes, when they have this hash. */
  async function wholeOf(content: OpenedFile, hash: string): Promise<Uint8Array> {
    const bytes = new Uint8Array(content.size);
    await content.read(0, bytes);
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== hash) throw damaged(pathOf(hash), actual);
    return bytes;
  }

  /** Whether the file is there, whole, and sealed where files are: one that is not is written anew. */
  async function holds(hash: string, isSealed: boolean): Promise<boolean> {
    const mustSeal = sealedFiles !== undefined && !isSealed;
    try {
      return await withContent(hash, async (content) => {
        if (mustSeal && !content.isSealed) return false;
        await wholeOf(content, hash);
        return true;
      });
    } catch {
      return false;
    }
  }

  return {
    async put(content, given, how) {
      const isSealed = how === 'as-it-is';
      const isWhole = content instanceof Uint8Array;
      const known = given ?? (isWhole ? createHash('sha256').update(content).digest('hex') : undefined);
      if (isWhole && (await holds(known!, isSealed))) return known!;
      await mkdir(folder, { recursive: true });
      const aside = join(folder, `${asidePrefix}${randomBytes(8).toString('hex')}`);
      try {
        const hash = await writeAside(content, aside, { known, isSealed });
        await place(aside, pathOf(hash));
        return hash;
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
    get: (hash) => ifThere(withContent(hash, (content) => wholeOf(content, hash))),
    check: (hash) =>
      withContent(hash, async (content) => {
        const actual = await hashOf(content);
        if (actual !== hash) throw damaged(pathOf(hash), actual);
      }),
    size: (hash) => ifThere(withContent(hash, async ({ size }) => size)),
    read: (hash, start, target) => withContent(hash, (content) => content.read(start, target)),
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
      async read(name, start, target) {
        const path = arrivingPath(name);
        const file = await open(path, 'r');
        try {
          await readRange(file, path, start, target);
        } finally {
          await file.close();
        }
      },
      async settle(name) {
        const path = arrivingPath(name);
        if ((await ifThere(syncedHash(path))) !== name) {
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

async function* partsOf(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  onPart: (part: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const part of content instanceof Uint8Array ? [content] : content) {
    onPart(part);
    yield part;
  }
}

async function plainContent(file: FileHandle, path: string): Promise<OpenedFile> {
  return {
    size: (await file.stat()).size,
    isSealed: false,
    read: (start, target) => readRange(file, path, start, target),
  };
}

/** Syncs a file and gives its hash. */
async function syncedHash(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    return await hashOf(await plainContent(file, path));
  } finally {
    await file.close();
  }
}

/** With one part of it in memory. */
async function hashOf({ size, read }: OpenedFile): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(size, hashBytesAtOnce));
  for (let at = 0; at < size; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, size - at));
    await read(at, part);
    hash.update(part);
  }
  return hash.digest('hex');
}

async function readRange(file: FileHandle, path: string, start: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, start + done);
    if (bytesRead === 0) throw new Error(`Cannot read ${path} as it must have byte ${start + done}: it is shorter`);
    done += bytesRead;
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
