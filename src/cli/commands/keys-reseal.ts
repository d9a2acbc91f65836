import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { pathsOf } from '../coordinator-folder.ts';

/** `qflare keys reseal`: what rests under former data keys comes under the one in use. */
export function resealCommand(): Command {
  return new Command('reseal')
    .description('Seal what rests under former data keys anew, under the one in use; after a kill it goes on')
    .argument('<dir>', "the coordinator's folder; the coordinator must not run")
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: { json?: boolean }) => {
      const paths = pathsOf(resolve(dir));
      const [{ inFolder }, { resealFolder }] = await Promise.all([
        import('../folder-vault.ts'),
        import('../../node/reseal.ts'),
      ]);
      const folders = { blobs: paths.blobs, secrets: [paths.roundKeys, paths.qkdEpochs] };
      const done = await inFolder(paths, (vault) => resealFolder(vault, folders));
      if (options.json === true) return void process.stdout.write(`${JSON.stringify(done)}\n`);
      const rest =
        done.left === 0
          ? ''
          : `; ${done.left} stay, as what is in them is sealed once more: the run writes new ones in their place`;
      process.stdout.write(`${done.resealed} files are sealed anew under ${done.under}${rest}\n`);
    });
}
