import type { Crypto } from '../ports/crypto.ts';
import type { ProofKeys } from '../ports/proof-keys.ts';
import type { KeyVault } from './key-vault.ts';

/** The keys that prove afterwards what happened, each for one purpose. What is missing is made. */
export async function openProofKeys(
  vault: Pick<KeyVault, 'secret'>,
  { importSigningKey }: Pick<Crypto, 'importSigningKey'>,
): Promise<ProofKeys> {
  return {
    treeHead: importSigningKey(await vault.secret('tree-head')),
    modelCard: importSigningKey(await vault.secret('model-card')),
    exportList: importSigningKey(await vault.secret('export-list')),
    pseudonym: await vault.secret('pseudonym'),
  };
}
