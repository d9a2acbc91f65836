import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AuthorityState,
  type AuthorityStorage,
  createAuthority,
  openAuthority,
} from '../adapters/authority-x509.ts';
import type { CertificateAlgorithm } from '../adapters/authority-x509/certificates.ts';
import type { CertificateAuthority } from '../ports/authority.ts';
import { DamagedError } from '../ports/damage.ts';
import type { KeyVault } from './key-vault.ts';
import { writeSynced } from '../primitives/synced-file.ts';

type RunName = { readonly orgId: string; readonly runId: string };

/** The authority of a coordinator's folder; it is made where there is none yet. */
export async function folderAuthority(
  keys: string,
  vault: KeyVault,
  run: RunName & { readonly algorithm?: CertificateAlgorithm },
): Promise<CertificateAuthority> {
  const found = await openAuthority(storageOf(keys, vault), Date.now);
  return found ?? makeFolderAuthority(keys, vault, run, run);
}

/** Makes the authority of a folder that has none. */
export function makeFolderAuthority(
  keys: string,
  vault: KeyVault,
  { orgId, runId }: RunName,
  options: { readonly algorithm?: CertificateAlgorithm; readonly dual?: boolean },
): Promise<CertificateAuthority> {
  const { algorithm = 'ML-DSA-65', dual = false } = options;
  return createAuthority(storageOf(keys, vault), { name: `QFLARE ${orgId} ${runId}`, algorithm, dual }, Date.now);
}

/** The authority's register as it lies there: no key is opened. Undefined where there is none. */
export async function readAuthority(keys: string): Promise<AuthorityState | undefined> {
  const path = join(keys, 'authority.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as AuthorityState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new DamagedError(`Cannot read ${path} as it must be JSON: ${error.message}`);
  }
}

function storageOf(keys: string, vault: KeyVault): AuthorityStorage {
  const path = join(keys, 'authority.json');
  return {
    load: () => readAuthority(keys),
    save: (state) => writeSynced(path, `${JSON.stringify(state, null, 1)}\n`),
    keepKey: async (pkcs8) => (await vault.replace('certificate-authority', pkcs8)).id,
    key: (id) => vault.secretOf(id),
  };
}
