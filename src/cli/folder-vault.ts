import { existsSync } from 'node:fs';
import process from 'node:process';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { type KeyVault, openKeyVault } from '../node/key-vault.ts';
import { findUnlocking } from '../node/unlocking.ts';
import { lockFolder, type Paths, readSettings } from './coordinator-folder.ts';
import { Failure } from './failure.ts';

/** Opens the keys of a coordinator's folder; it makes none. */
export async function openFolderVault(paths: Paths): Promise<KeyVault> {
  for (const path of [paths.token, paths.vault]) {
    if (!existsSync(path))
      throw new Failure('storage', `Cannot use ${path} as it must exist: restore keys/ from the backup`);
  }
  return openKeyVault(paths.keys, await findUnlocking(process.env), createNodeCrypto());
}

/** Works on the keys of a folder that nobody serves. */
export async function inFolder<T>(paths: Paths, work: (vault: KeyVault) => Promise<T>): Promise<T> {
  await readSettings(paths);
  const unlock = await lockFolder(paths);
  try {
    return await work(await openFolderVault(paths));
  } finally {
    await unlock();
  }
}
