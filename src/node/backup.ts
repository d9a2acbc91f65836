import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { openBackup, sealBackup } from '../adapters/backup-age.ts';
import { type ArchiveFile, decodeArchive, encodeArchive } from '../core/archive/ustar.ts';

/** What a backup leaves out: the keys of open rounds, which must not outlive them, and what belongs to a process. */
const leftOut = /^(round-keys|qkd-epochs|logs|sites)\/|^state\/(serve\.|run\.db)|\.part$/;
const folders = ['keys', 'state'];
const files = ['plan.toml', 'coordinator.json'];

/**
 * A coordinator's folder as one sealed archive, also while it serves: the database is copied as of one moment, before the
 * blobs that it names.
 */
export async function sealFolder(folder: string, recipient: string): Promise<{ sealed: Uint8Array; files: number }> {
  const copy = join(folder, 'state', `run.db.${process.pid}.part`);
  const database = new DatabaseSync(join(folder, 'state', 'run.db'), { readOnly: true });
  let all: ArchiveFile[];
  try {
    await backup(database, copy);
    all = [{ name: 'state/run.db', bytes: await readFile(copy) }];
  } finally {
    database.close();
    await rm(copy, { force: true });
  }
  for (const name of await namesIn(folder)) {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // A blob may be removed meanwhile: nothing that the copied database needs is.
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined) all.push({ name, bytes });
  }
  return { sealed: await sealBackup(encodeArchive(all), recipient), files: all.length };
}

/** Opens a sealed folder. Nothing is written. */
export async function openFolder(sealed: Uint8Array, identity: string): Promise<readonly ArchiveFile[]> {
  return decodeArchive(await openBackup(sealed, identity));
}

/** Writes the files of an opened backup into a new folder, synced. */
export async function writeFolder(opened: readonly ArchiveFile[], target: string): Promise<void> {
  for (const { name, bytes } of opened) {
    const path = join(target, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [...files];
  for (const root of folders) {
    for (const entry of await readdir(join(folder, root), { recursive: true })) {
      const name = `${root}/${entry.replaceAll('\\', '/')}`;
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found?.isFile() === true) names.push(name);
    }
  }
  return names.filter((name) => !leftOut.test(name)).toSorted();
}
