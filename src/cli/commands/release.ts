import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import {
  type ReleaseFile,
  releaseKey,
  type ReleaseSuite,
  releaseSuiteIds,
  signedRelease,
} from '../../core/protocol/release.ts';
import { createHash } from '../../primitives/index.ts';
import { writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';

type Secret = { readonly suite: ReleaseSuite; readonly keys: readonly string[] };
const passphraseFlag = ['--passphrase-file <file>', 'a file with the passphrase of the private key'] as const;

export function releaseCommand(): Command {
  const release = new Command('release').description(
    'Sign the files of a release with keys that lie offline, and verify them anywhere',
  );
  release
    .command('keygen')
    .description('Make NAME.key, which stays offline, and NAME.pub.json for those who verify')
    .argument('<name>', 'where to write both')
    .addOption(
      new Option('--suite <id>', 'slh-dsa: SLH-DSA-SHA2-128s; dual: Ed25519 and ML-DSA-65, both must verify')
        .choices(releaseSuiteIds)
        .default('slh-dsa'),
    )
    .option(...passphraseFlag)
    .action(async (name: string, options: { suite: ReleaseSuite; passphraseFile?: string }) => {
      const { createReleaseKeys } = await import('../../adapters/release-signer.ts');
      if ((await stat(`${name}.key`).catch(() => undefined)) !== undefined)
        throw new Failure('plan', `Cannot write ${name}.key as it must not be there: a key is never written over`);
      const made = createReleaseKeys(options.suite, await passphraseOf(options));
      await writeWhole(`${name}.key`, JSON.stringify({ suite: options.suite, keys: made.secret }), 0o600);
      await writeWhole(`${name}.pub.json`, `${JSON.stringify(made.public)}\n`);
      process.stdout.write(`${name}.key signs, ${name}.pub.json verifies (${options.suite})\n`);
    });
  release
    .command('sign')
    .description('Sign files by their SHA-256; paths are relative to --dir')
    .argument('<files...>', 'what the release is made of')
    .requiredOption('--key <file>', 'the private key of "release keygen"')
    .requiredOption('--out <file>', 'where to write the signed list')
    .option('--dir <folder>', 'the folder of the release', '.')
    .option(...passphraseFlag)
    .action(async (files: string[], options: { key: string; out: string; dir: string; passphraseFile?: string }) => {
      const { signRelease } = await import('../../adapters/release-signer.ts');
      const { suite, keys } = JSON.parse(await readFile(options.key, 'utf8')) as Secret;
      const listed = await Promise.all(
        files.map((path) => describe(options.dir, relative(resolve(options.dir), resolve(path)))),
      );
      const signed = signRelease(suite, keys, listed, await passphraseOf(options));
      await writeWhole(options.out, `${JSON.stringify(signed)}\n`);
      process.stdout.write(`${listed.length} files signed with ${suite} in ${options.out}\n`);
    });
  release
    .command('verify')
    .description('Check the signature of a list, and every file of it')
    .argument('<list>', 'what "release sign" wrote')
    .requiredOption('--key <file>', 'the public key, from a place that you trust')
    .option('--dir <folder>', 'the folder of the release', '.')
    .action(async (list: string, options: { key: string; dir: string }) => {
      const { isReleaseSigned } = await import('../../adapters/release-signer.ts');
      const key = releaseKey.parse(JSON.parse(await readFile(options.key, 'utf8')));
      const parsed = signedRelease.safeParse(JSON.parse(await readFile(list, 'utf8')));
      if (!parsed.success || !isReleaseSigned(key, parsed.data)) {
        throw new Failure(
          'security',
          `Cannot trust ${list} as every part of the suite ${key.suite} must have signed it: it is not so`,
        );
      }
      for (const file of parsed.data.files) {
        const found = await describe(options.dir, file.path).catch(() => undefined);
        if (found?.sha256 !== file.sha256 || found.bytes !== file.bytes) {
          const what = found === undefined ? 'it is not there' : 'it is another';
          throw new Failure('security', `Cannot trust ${file.path} as it must be the file that was signed: ${what}`);
        }
      }
      process.stdout.write(`${parsed.data.files.length} files are as they were signed (${key.suite})\n`);
    });
  return release;
}

async function describe(folder: string, path: string): Promise<ReleaseFile> {
  if (path === '' || path.startsWith('..') || path.startsWith('/')) {
    throw new Failure('plan', `Cannot take ${path} into a release as it must lie under --dir`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, path)) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

async function passphraseOf({ passphraseFile }: { passphraseFile?: string }): Promise<string | undefined> {
  return passphraseFile === undefined ? undefined : (await readFile(passphraseFile, 'utf8')).trimEnd();
}
