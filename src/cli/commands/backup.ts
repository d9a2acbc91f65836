import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { BackupError } from '../../adapters/backup-age.ts';
import { pathsOf, readSettings, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { readHeads, settleLedger } from '../restored-ledger.ts';

type Options = {
  readonly to?: string;
  readonly recipient?: string;
  readonly newIdentity?: string;
  readonly json?: boolean;
};

export function backupCommand(): Command {
  return new Command('backup')
    .description("Seal a coordinator's folder into one file that only an identity kept elsewhere opens (age format)")
    .argument('[dir]', "the coordinator's folder; the coordinator may run or not")
    .option('--to <file>', 'the file to make')
    .option('--recipient <age1pq1…>', 'who can open it: ML-KEM-768 with X25519')
    .option('--new-identity <file>', 'make an identity in this file and print its recipient: keep the file elsewhere')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nKeys of open rounds are left out: a restored run repeats the round that was open.')
    .action((dir: string | undefined, options: Options) => explained(() => run(dir, options)));
}

async function run(dir: string | undefined, options: Options): Promise<void> {
  const print = (json: object, text: string) =>
    void process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${text}\n`);
  if (options.newIdentity !== undefined) {
    const { generateBackupIdentity } = await import('../../adapters/backup-age.ts');
    refuseExisting(options.newIdentity);
    const { identity, recipient } = await generateBackupIdentity();
    await writeWhole(resolve(options.newIdentity), `${identity}\n`, 0o600);
    return print({ recipient }, recipient);
  }
  const { to, recipient } = options;
  if (dir === undefined || to === undefined || recipient === undefined) {
    throw new Failure('plan', 'Cannot back up as a folder, --to FILE and --recipient age1pq1… must be given');
  }
  const paths = pathsOf(resolve(dir));
  const { ledger } = await readSettings(paths);
  refuseExisting(to);
  if (!existsSync(paths.database)) {
    throw new Failure('plan', `Cannot back up ${dir} as it must have been served: it holds no run yet`);
  }
  const [{ sealFolder }, { findUnlocking }] = await Promise.all([
    import('../../node/backup.ts'),
    import('../../node/unlocking.ts'),
  ]);
  const { sealed, files } = await sealFolder(paths.folder, recipient, await findUnlocking(process.env), ledger);
  await writeWhole(resolve(to), sealed, 0o600);
  print({ file: resolve(to), files, bytes: sealed.length }, `${to}: ${files} files, ${sealed.length} bytes, sealed`);
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Make a new folder of a backup; "serve" then goes on from it and repeats the round that was open')
    .argument('<file>', 'a file that "qflare backup" made')
    .requiredOption('--identity <file>', 'the identity that opens it')
    .requiredOption('--to <dir>', 'the folder to make')
    .option(
      '--accept-rewound-ledger',
      'restore a run with a privacy ledger: what was spent since the backup is forgotten',
    )
    .option(
      '--ledger-heads <file>',
      'restore a run with a privacy ledger where it holds all that "privacy ledger --json" had printed into this file',
    )
    .option('--json', 'print one JSON document')
    .action((file: string, options: RestoreOptions) => explained(() => restore(file, options)));
}

type RestoreOptions = {
  readonly identity: string;
  readonly to: string;
  readonly acceptRewoundLedger?: boolean;
  readonly ledgerHeads?: string;
  readonly json?: boolean;
};

async function restore(file: string, options: RestoreOptions): Promise<void> {
  const target = resolve(options.to);
  refuseExisting(target);
  const [{ openFolder, adoptKeys, writeFolder }, { withoutLedger }, { findUnlocking }, sealed, identity] =
    await Promise.all([
      import('../../node/backup.ts'),
      import('../../node/backup-ledger.ts'),
      import('../../node/unlocking.ts'),
      readFile(resolve(file)),
      readFile(resolve(options.identity), 'utf8'),
    ]);
  const { files: opened, ledger } = withoutLedger(await openFolder(sealed, identity));
  const plan = opened.find(({ name }) => name === 'plan.toml');
  const { parse } = await import('smol-toml');
  const { privacy } = parse(new TextDecoder().decode(plan?.bytes)) as { privacy?: { mode?: string } };
  const heads = options.ledgerHeads === undefined ? undefined : await readHeads(resolve(options.ledgerHeads));
  if (privacy?.mode === 'central' && heads === undefined && options.acceptRewoundLedger !== true) {
    throw new Failure(
      'security',
      'Cannot restore this run as its privacy ledger must not go back: what was spent since the backup would be forgotten (--ledger-heads FILE shows that nothing is; --accept-rewound-ledger takes that on you)',
    );
  }
  await writeFolder(await adoptKeys(opened, await findUnlocking(process.env)), target);
  if (privacy?.mode === 'central') {
    await settleLedger(target, ledger, options.acceptRewoundLedger === true ? undefined : heads).catch(
      async (error: unknown) => {
        await rm(target, { recursive: true, force: true });
        throw error;
      },
    );
  }
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ dir: target, files: opened.length })}\n`
      : `${options.to}: ${opened.length} files; "qflare serve ${options.to}" goes on from the backup\n`,
  );
}

function refuseExisting(path: string): void {
  if (existsSync(resolve(path))) throw new Failure('plan', `Cannot write ${path} as it must be new: it exists`);
}

async function explained(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BackupError) throw new Failure('security', error.message);
    throw error;
  }
}
