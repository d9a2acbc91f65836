import { randomBytes } from '../primitives/index.ts';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Unlocking } from '../adapters/kms-file/token.ts';
import { ifThere } from '../primitives/if-there.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the key file of this user is unless another one is named: outside of every data folder. */
function userKeyFile(environment: Environment): string {
  const base = environment['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state');
  return join(base, 'qflare', 'unlock.key');
}

/**
 * What unlocks the keys of this user's folders: the file that QFLARE_PASSPHRASE_FILE or QFLARE_KEY_FILE names, else the
 * user's own key file, which is made at the first use.
 */
export async function findUnlocking(environment: Environment): Promise<Unlocking> {
  const passphraseFile = environment['QFLARE_PASSPHRASE_FILE'];
  if (passphraseFile !== undefined) {
    return { kind: 'passphrase', passphrase: (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '') };
  }
  const named = environment['QFLARE_KEY_FILE'];
  if (named !== undefined) return { kind: 'key-file', bytes: await readFile(named) };
  return { kind: 'key-file', bytes: await readOrMake(userKeyFile(environment)) };
}

/** Many processes may begin at once: the first one's file is everybody's. */
async function readOrMake(path: string): Promise<Uint8Array> {
  const known = await ifThere(readFile(path));
  if (known !== undefined) return known;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${randomBytes(8).toString('hex')}.part`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(32));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // Fails where the name is taken, as renaming would not.
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
  return readFile(path);
}
