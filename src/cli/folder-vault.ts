import { existsSync } from 'node:fs';
import process from 'node:process';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { type KeyVault, openKeyVault } from '../node/key-vault.ts';
import { findUnlocking } from '../node/unlocking.ts';
import type { Paths } from './coordinator-folder.ts';
import { Failure } from './failure.ts';

/** Opens the keys of a coordinator's folder; it makes none. */
export async function openFolderVault(paths: Paths): Promise<KeyVault> {
  for (const path of [paths.token, paths.vault]) {
    if (!existsSync(path))
      throw new Failure('storage', `Cannot use ${path} as it must exist: restore keys/ from the backup`);
  }
  return openKeyVault(paths.keys, await findUnlocking(process.env), createNodeCrypto());
}
