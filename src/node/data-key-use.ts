import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { headBytesMax, sealedBlobUnder } from '../adapters/blobs-files/sealed-file.ts';
import { sealedUnder } from '../core/keys/sealed.ts';
import { ifThere } from '../primitives/if-there.ts';

/** How many files of these folders are sealed under a version of the data key. Heads alone are read, and no secret. */
export async function filesUnder(version: number, folders: readonly string[]): Promise<number> {
  let count = 0;
  for (const folder of folders) {
    for (const name of (await ifThere(readdir(folder, { recursive: true }))) ?? []) {
      const head = await headOf(join(folder, name));
      if (head !== undefined && (sealedBlobUnder(head) ?? sealedUnder(head)) === version) count++;
    }
  }
  return count;
}

async function headOf(path: string): Promise<Uint8Array | undefined> {
  const file = await ifThere(open(path, 'r'));
  try {
    if (file === undefined || !(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(new Uint8Array(headBytesMax), 0, headBytesMax, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file?.close();
  }
}
