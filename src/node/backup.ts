import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openBackup, sealBackup } from '../adapters/backup-age.ts';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { rekeyToken, type Token, type Unlocking } from '../adapters/kms-file/token.ts';
import { DamagedError } from '../ports/damage.ts';
import { type ArchiveFile, decodeArchive, encodeArchive } from '../core/archive/ustar.ts';
import { copyDatabase, ledgerFile } from './backup-ledger.ts';

/**
 * What a backup leaves out: the keys of open rounds, which must not outlive them, and what belongs to a process. Vault
 * and token are added by themselves.
 */
const leftOut = /^(round-keys|qkd-epochs|logs|sites)\/|^state\/(serve\.|run\.db)|^keys\/(vault|token)\.json$|\.part$/;
const restoreKeyName = 'keys/restore.key';
const folders = ['keys', 'state'];
const files = ['plan.toml', 'coordinator.json'];

/**
 * A coordinator's folder as one sealed archive, also while it serves: the database is copied as of one moment, before the
 * blobs that it names. A privacy ledger in a file of its own goes along.
 */
export async function sealFolder(
  folder: string,
  recipient: string,
  unlocking: Unlocking,
  ledger?: string,
): Promise<{ sealed: Uint8Array; files: number }> {
  const copy = join(folder, 'state', `run.db.${process.pid}.part`);
  const all: ArchiveFile[] = [
    { name: 'state/run.db', bytes: await copyDatabase(join(folder, 'state', 'run.db'), copy) },
  ];
  if (ledger !== undefined) all.push(await ledgerFile(folder, ledger));
  for (const name of await namesIn(folder)) {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // A blob may be removed meanwhile: nothing that the copied database needs is.
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined) all.push({ name, bytes });
  }
  all.push(...(await portableKeys(join(folder, 'keys'), unlocking)));
  return { sealed: await sealBackup(encodeArchive(all), recipient), files: all.length };
}

/** Opens a sealed folder. Nothing is written. */
export async function openFolder(sealed: Uint8Array, identity: string): Promise<readonly ArchiveFile[]> {
  return decodeArchive(await openBackup(sealed, identity));
}

/**
 * The keys of an opened backup, put under what unlocks folders here.
 *
 * Errors: DamagedError when the backup holds no keys.
 */
export async function adoptKeys(opened: readonly ArchiveFile[], unlocking: Unlocking): Promise<readonly ArchiveFile[]> {
  const restoreKey = opened.find(({ name }) => name === restoreKeyName)?.bytes;
  const token = opened.find(({ name }) => name === 'keys/token.json')?.bytes;
  if (restoreKey === undefined || token === undefined) {
    throw new DamagedError('Cannot restore as the backup must hold the keys of the coordinator: it holds none');
  }
  const adopted = await rekeyed(token, { kind: 'key-file', bytes: restoreKey }, unlocking);
  return opened
    .filter(({ name }) => name !== restoreKeyName)
    .map((file) => (file.bytes === token ? { ...file, bytes: adopted } : file));
}

/**
 * Vault and token as of one moment, the token under a key that goes along: the archive is sealed, and opens where the
 * key file or passphrase of this machine is not.
 */
async function portableKeys(keys: string, unlocking: Unlocking): Promise<readonly ArchiveFile[]> {
  const restoreKey = createNodeCrypto().randomBytes(32);
  for (let attempt = 0; ; attempt++) {
    const vault = await readFile(join(keys, 'vault.json'));
    const token = await readFile(join(keys, 'token.json'));
    if (!isPair(vault, token) && attempt < 20) continue;
    return [
      { name: 'keys/vault.json', bytes: vault },
      { name: 'keys/token.json', bytes: await rekeyed(token, unlocking, { kind: 'key-file', bytes: restoreKey }) },
      { name: restoreKeyName, bytes: restoreKey },
    ];
  }
}

/** Whether the token holds every key that the vault is wrapped under: a rotation may have come between reading both. */
function isPair(vault: Uint8Array, token: Uint8Array): boolean {
  const { keys } = JSON.parse(new TextDecoder().decode(vault)) as { keys: { secret?: { kek: number } }[] };
  const held = JSON.parse(new TextDecoder().decode(token)) as { keys: { version: number }[] };
  const versions = new Set(held.keys.map(({ version }) => version));
  return keys.every(({ secret }) => secret === undefined || versions.has(secret.kek));
}

async function rekeyed(token: Uint8Array, from: Unlocking, to: Unlocking): Promise<Uint8Array> {
  const known = JSON.parse(new TextDecoder().decode(token)) as Token;
  const next = await rekeyToken(known, from, to, createNodeCrypto());
  return new TextEncoder().encode(`${JSON.stringify(next, null, 1)}\n`);
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
