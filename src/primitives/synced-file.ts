import { open, rename } from 'node:fs/promises';
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
  // The new name is there after a power cut only when its folder was synced too.
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
