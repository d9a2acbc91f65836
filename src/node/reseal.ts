import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resealBlob } from '../adapters/blobs-files/reseal.ts';
import { createFileRoundKeys } from '../adapters/round-keys-files.ts';
import { activeKey } from '../core/keys/lifecycle.ts';
import { sealedUnder } from '../core/keys/sealed.ts';
import { ifThere } from '../primitives/if-there.ts';
import type { KeyVault } from './key-vault.ts';

/** What of a folder was sealed anew, and what had to stay under a former key. */
export type Reseal = { readonly resealed: number; readonly left: number; readonly under: string };

/**
 * Seals every file of a folder that lies under a former data key anew under the one in use. Each file is done as a whole:
 * after a kill it goes on with those that are left.
 *
 * Needs: the folder's lock.
 * Errors: DamagedError for a file that does not open; those before it are done.
 */
export async function resealFolder(
  vault: Pick<KeyVault, 'inventory' | 'atRest'>,
  folders: { readonly blobs: string; readonly secrets: readonly string[] },
): Promise<Reseal> {
  const { id, version } = activeKey(await vault.inventory(), 'data')!;
  let [resealed, left] = [0, 0];
  for (const first of await namesIn(folders.blobs, /^[0-9a-f]{2}$/)) {
    for (const rest of await namesIn(join(folders.blobs, first), /^[0-9a-f]{62}$/)) {
      const path = join(folders.blobs, first, rest);
      const done = await resealBlob(path, first + rest, version, vault.atRest);
      if (done === 'resealed') resealed += 1;
      if (done === 'nested') left += 1;
    }
  }
  for (const folder of folders.secrets) {
    const secrets = createFileRoundKeys(folder, vault.atRest);
    for (const name of await namesIn(folder, /^round-\d+\.key$/)) {
      const under = sealedUnder(await readFile(join(folder, name)));
      if (under === undefined || under === version) continue;
      const round = Number(/\d+/.exec(name)![0]);
      await secrets.put(round, (await secrets.get(round))!);
      resealed += 1;
    }
  }
  return { resealed, left, under: id };
}

async function namesIn(folder: string, form: RegExp): Promise<readonly string[]> {
  return ((await ifThere(readdir(folder))) ?? []).filter((name) => form.test(name)).sort();
}
