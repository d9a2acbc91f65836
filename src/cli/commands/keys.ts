import { resolve } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import { expiryMs, keyAt, keyPurposes, type KeyRecord, rotationDueMs } from '../../core/keys/lifecycle.ts';
import type { KeyVault, StoredPurpose } from '../../node/key-vault.ts';
import { isServed, type Paths, pathsOf, readSettings } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { resealCommand } from './keys-reseal.ts';
import { keyRevocationReasons } from '../../core/protocol/revocation-reasons.ts';

const dayMs = 86_400_000;
const loseFlag = ['--lose-files', 'although files rest under it, which nobody can open any more'] as const;
type RelockOptions = { readonly toPassphraseFile?: string; readonly toKeyFile?: string; readonly json?: boolean };

const rotated = Object.entries(keyPurposes).flatMap(([purpose, { rotates }]) => (rotates ? [purpose] : []));

export function keysCommand(): Command {
  const keys = new Command('keys').description("List the keys of a coordinator's folder, replace and destroy them");
  keys
    .command('list', { isDefault: true })
    .description('What keys there are: purpose, algorithm, age, state, next rotation. No secret is read')
    .argument('<dir>', "the coordinator's folder; the coordinator may run or not")
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: { json?: boolean }) => {
      const rows = (await inventoryOf(pathsOf(resolve(dir)))).map((key) => rowOf(key, Date.now()));
      if (options.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
      else process.stdout.write(tableOf(rows));
    });
  keys
    .command('rotate')
    .description('Replace the keys in use for these purposes, one after the other; a run that goes on loses nothing')
    .argument('<dir>', "the coordinator's folder; the coordinator may run or not")
    .argument('<purpose...>', `of ${rotated.join(', ')}`)
    .option('--json', 'print one JSON document')
    .action(async (dir: string, purposes: readonly string[], options: { json?: boolean }) => {
      const made = await rotate(dir, purposes);
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(made.map((key) => rowOf(key, Date.now())))}\n`);
        return;
      }
      for (const { id, purpose } of made) {
        const former = purpose === 'data' ? 'kept to open what it has sealed' : 'destroyed';
        process.stdout.write(`${id} is in use; what was in use before is ${former}\n`);
      }
    });
  keys
    .command('relock')
    .description('Put the keys under another passphrase or key file; they stay what they are')
    .argument('<dir>', "the coordinator's folder; the coordinator must not run")
    .option('--to-passphrase-file <file>', 'a file with the new passphrase')
    .option('--to-key-file <file>', 'a file with at least 32 random bytes')
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: RelockOptions) => {
      const environment = {
        QFLARE_PASSPHRASE_FILE: options.toPassphraseFile,
        QFLARE_KEY_FILE: options.toKeyFile,
      };
      if (Object.values(environment).filter((file) => file !== undefined).length !== 1) {
        throw new Failure('plan', 'Cannot relock as one of --to-passphrase-file and --to-key-file must be given');
      }
      const paths = pathsOf(resolve(dir));
      const [{ findUnlocking }, { relockVault }, { createNodeCrypto }] = await Promise.all([
        import('../../node/unlocking.ts'),
        import('../../node/key-vault.ts'),
        import('../../adapters/crypto-node.ts'),
      ]);
      const to = await findUnlocking(environment);
      const from = await findUnlocking(process.env);
      await inFolder(paths, () => relockVault(paths.keys, from, to, createNodeCrypto()));
      const said = { unlockedBy: to.kind };
      process.stdout.write(
        options.json === true ? `${JSON.stringify(said)}\n` : `${dir} is unlocked by the ${to.kind} now\n`,
      );
    });
  keys
    .command('revoke')
    .description(
      'End a key that somebody else may know: its secret is gone at once, a new one takes its place where it was in use',
    )
    .argument('<dir>', "the coordinator's folder; the coordinator may run or not")
    .argument('<id>', 'the key, as "keys list" names it')
    .addOption(
      new Option('--reason <why>', 'why, for the journal').choices(keyRevocationReasons).default('keyCompromise'),
    )
    .option(...loseFlag)
    .option('--json', 'print one JSON document')
    .action(async (dir: string, id: string, options: { reason: string; loseFiles?: boolean; json?: boolean }) => {
      if (options.loseFiles !== true) await refuseInUse(pathsOf(resolve(dir)), id);
      const { revoked, inUse } = await revoke(dir, id, options.reason);
      const rows = [revoked, ...(inUse === null ? [] : [inUse])].map((key) => rowOf(key, Date.now()));
      const text = `${id} is revoked${inUse === null ? '' : `; ${inUse.id} is in use`}\n`;
      process.stdout.write(options.json === true ? `${JSON.stringify(rows)}\n` : text);
    });
  keys.addCommand(resealCommand());
  keys
    .command('destroy')
    .description('Destroy a retired key: what it has sealed can never be opened again')
    .argument('<dir>', "the coordinator's folder; the coordinator must not run")
    .argument('<id>', 'the key, as "keys list" names it')
    .option(...loseFlag)
    .option('--json', 'print one JSON document')
    .action(async (dir: string, id: string, options: { loseFiles?: boolean; json?: boolean }) => {
      const paths = pathsOf(resolve(dir));
      const gone = await inFolder(paths, async (vault) => {
        if (options.loseFiles !== true) await refuseInUse(paths, id);
        return vault.destroy(id);
      });
      process.stdout.write(
        options.json === true ? `${JSON.stringify(rowOf(gone, Date.now()))}\n` : `${id} is destroyed\n`,
      );
    });
  return keys;
}

/** A data key under which models and the like still rest is ended only by who says so. */
async function refuseInUse(paths: Paths, id: string): Promise<void> {
  const key = (await inventoryOf(paths)).find((one) => one.id === id);
  if (key?.purpose !== 'data' || !['retired', 'expired'].includes(key.state)) return;
  const { filesUnder } = await import('../../node/data-key-use.ts');
  const count = await filesUnder(key.version, [paths.blobs, paths.roundKeys, paths.qkdEpochs]);
  if (count === 0) return;
  throw new Failure(
    'plan',
    `Cannot end ${id} as nothing must rest under it: ${count} files do, models among them ("qflare keys reseal" seals them anew; --lose-files ends it all the same)`,
  );
}

async function rotate(dir: string, purposes: readonly string[]): Promise<readonly KeyRecord[]> {
  const paths = pathsOf(resolve(dir));
  await readSettings(paths);
  for (const purpose of purposes) {
    if (rotated.includes(purpose)) continue;
    const isPinned = Object.hasOwn(keyPurposes, purpose);
    const why = isPinned ? 'others pin this key for the life of the run' : 'there is no such purpose';
    throw new Failure('plan', `Cannot rotate "${purpose}" as it must be one of ${rotated.join(', ')}: ${why}`);
  }
  const made: KeyRecord[] = [];
  if (isServed(paths)) {
    const { asOwner } = await import('../owner-client.ts');
    // Each with a client of its own: the owner token may be one of them.
    for (const purpose of purposes) {
      const call = { method: 'POST', path: `/v1/admin/keys/${purpose}` } as const;
      made.push(await asOwner(paths.folder, (client) => client.call<KeyRecord>(call)));
    }
    return made;
  }
  return inFolder(paths, async (vault) => {
    for (const purpose of purposes) {
      made.push(await (purpose === 'kek' ? vault.rotateKek() : vault.replace(purpose as StoredPurpose)));
    }
    return made;
  });
}

async function revoke(dir: string, id: string, reason: string): ReturnType<KeyVault['revoke']> {
  const paths = pathsOf(resolve(dir));
  await readSettings(paths);
  if (!isServed(paths)) return inFolder(paths, (vault) => vault.revoke(id));
  const { asOwner } = await import('../owner-client.ts');
  const path = `/v1/admin/revocations/${encodeURIComponent(id)}`;
  return asOwner(paths.folder, (client) => client.call({ method: 'POST', path, json: { reason } }));
}

/** Works on the keys of a folder that nobody serves. */
async function inFolder<T>(paths: Paths, work: (vault: KeyVault) => Promise<T>): Promise<T> {
  const { inFolder: within } = await import('../folder-vault.ts');
  return within(paths, work);
}

async function inventoryOf(paths: Paths): Promise<readonly KeyRecord[]> {
  await readSettings(paths);
  const { readInventory } = await import('../../node/key-vault.ts');
  return readInventory(paths.keys);
}

type Row = KeyRecord & {
  readonly algorithm: string;
  readonly ageDays: number;
  readonly nextRotationMs: number | null;
  /** When it stops working although nothing has taken its place; null for one that is not in use or has no end. */
  readonly endsMs: number | null;
  /** It should have been replaced by now. */
  readonly isOverdue: boolean;
};

function rowOf(stored: KeyRecord, nowMs: number): Row {
  const key = keyAt(stored, nowMs);
  const ageDays = Math.max(0, Math.floor((nowMs - key.createdAtMs) / dayMs));
  const nextRotationMs = rotationDueMs(key);
  return {
    ...key,
    algorithm: keyPurposes[key.purpose].algorithm,
    ageDays,
    nextRotationMs,
    endsMs: expiryMs(key),
    isOverdue: nextRotationMs !== null && nextRotationMs < nowMs,
  };
}

const dayOf = (ms: number | null) => (ms === null ? '–' : new Date(ms).toISOString().slice(0, 10));

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.id,
    row.algorithm,
    row.state,
    `${row.ageDays} d`,
    row.isOverdue ? `${dayOf(row.nextRotationMs)}, overdue` : dayOf(row.nextRotationMs),
    dayOf(row.endsMs),
    keyPurposes[row.purpose].is,
  ]);
  const all = [['key', 'algorithm', 'state', 'age', 'next rotation', 'ends', 'what for'], ...cells];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((line) => line[i]!.length)));
  return all
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
