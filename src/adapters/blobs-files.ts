import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs } from '../ports/blobs.ts';
import { DamagedError } from '../ports/damage.ts';

/** Blobs as files: `ab/cdef…` below a folder; written aside, synced, renamed, and the folder synced. */
export function createFileBlobs(folder: string): Blobs {
  function pathOf(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new RangeError(`Cannot find a blob as its name must be 64 hexadecimal digits: current value is "${hash}"`);
    }
    return join(folder, hash.slice(0, 2), hash.slice(2));
  }

  return {
    async put(bytes) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      const path = pathOf(hash);
      if (await holds(path, bytes)) return hash;
      // A new folder is there after a power cut only when its parent was synced too.
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) await syncFolder(dirname(made));
      if (made !== undefined && made !== dirname(path)) await syncFolder(folder);
      const aside = `${path}.${randomBytes(6).toString('hex')}`;
      try {
        const file = await open(aside, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(aside, path);
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
      return hash;
    },
    async get(hash) {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(hash));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      const actual = createHash('sha256').update(bytes).digest('hex');
      if (actual !== hash) {
        throw new DamagedError(`Cannot read ${pathOf(hash)} as its hash must be its name: current value is ${actual}`);
      }
      return bytes;
    },
    async remove(hash) {
      await rm(pathOf(hash), { force: true });
    },
  };
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
