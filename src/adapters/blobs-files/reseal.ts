import { randomBytes } from '../../primitives/index.ts';
import { syncFolder, writeAside } from '../../primitives/synced-file.ts';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sealedUnder } from '../../core/keys/sealed.ts';
import type { AtRest } from '../../ports/at-rest.ts';
import { createSealedFiles, headBytesMax, type OpenedFile, sealedBlobUnder } from './sealed-file.ts';

const partBytes = 1 << 20;

/**
 * What became of a blob. `nested`: what is in it is sealed once more, under the same key, and named by its hash: it must stay
 * as it is. `other`: it lies there as it came, or under another version.
 */
export type Resealed = 'resealed' | 'nested' | 'other';

/**
 * Seals a blob that lies under another version of the data key anew, under a key of its own and the version in use. Killed
 * at any moment the file is the old one or the new one.
 *
 * Needs: nobody else writes in the folder.
 */
export async function resealBlob(path: string, name: string, inUse: number, atRest: AtRest): Promise<Resealed> {
  const sealedFiles = createSealedFiles(atRest);
  const file = await open(path, 'r');
  try {
    const head = (await file.read(new Uint8Array(headBytesMax), 0, headBytesMax, 0)).buffer;
    const under = sealedBlobUnder(head);
    if (under === undefined || under === inUse) return 'other';
    const content = (await sealedFiles.open(file, name))!;
    if (await isNested(content)) return 'nested';
    // Where and as the store of blobs writes its own, which sweeps what a crash has left.
    const aside = join(dirname(dirname(path)), `aside.${randomBytes(8).toString('hex')}`);
    await writeAside({ aside, path, mode: 0o600 }, (file) => sealedFiles.write(file, partsOf(content), () => name));
    await syncFolder(dirname(path));
    return 'resealed';
  } finally {
    await file.close();
  }
}

async function isNested(content: OpenedFile): Promise<boolean> {
  const beginning = new Uint8Array(Math.min(content.size, headBytesMax));
  await content.read(0, beginning);
  return sealedUnder(beginning) !== undefined;
}

async function* partsOf(content: OpenedFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(content.size, partBytes));
  for (let at = 0; at < content.size; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, content.size - at));
    await content.read(at, part);
    yield part;
  }
}
