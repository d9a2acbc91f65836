import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';

export function personalCommand(): Command {
  return new Command('personal')
    .description("Write a site's personal model, which rests sealed, to a file")
    .argument('<state>', 'the state folder of "qflare join"')
    .requiredOption('--out <file>', 'where the model goes, as safetensors; readable by its owner alone')
    .option('--json', 'print one JSON document')
    .action(async (state: string, options: { out: string; json?: boolean }) => {
      const folder = resolve(state);
      const token = join(folder, 'keys', 'token.json');
      if (!existsSync(token)) {
        throw new Failure('plan', `Cannot use ${folder} as it must be the state folder of a site: it has no ${token}`);
      }
      const [{ createNodeCrypto }, { createFileSiteMemory }, { openKeyVault }, { findUnlocking }] = await Promise.all([
        import('../../adapters/crypto-node.ts'),
        import('../../adapters/site-memory-files.ts'),
        import('../../node/key-vault.ts'),
        import('../../node/unlocking.ts'),
      ]);
      const unlocking = await findUnlocking(process.env);
      const { atRest } = await openKeyVault(join(folder, 'keys'), unlocking, createNodeCrypto());
      const model = await createFileSiteMemory(folder, atRest).read('personal');
      if (model === undefined) {
        throw new Failure(
          'plan',
          `Cannot write the personal model of ${folder} as the run must have made one: learning.client "ditto" or "fine-tuning" makes one`,
        );
      }
      await writeWhole(options.out, model, 0o600);
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify({ out: options.out, bytes: model.length })}\n`
          : `Wrote ${options.out} (${model.length} bytes)\n`,
      );
    });
}
