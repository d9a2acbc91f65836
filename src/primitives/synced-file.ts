import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file of mode 0600 as a whole: after a power cut at any moment it has its old content or its new one, and the
 * new one once this has resolved.
 *
 * Needs: one writer, as under the folder's lock: it writes aside under one name, where a part that a crash left is
 *        written over.
 */
export async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}.part`;
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await syncFolder(dirname(path));
}

/** Writes a file under a name of its own, syncs it and puts it in the place of another; nothing is left aside on an error. */
export async function writeAside(
  { aside, path, mode }: { readonly aside: string; readonly path: string; readonly mode: number },
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** A new name is there after a power cut only when its folder was synced too. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
