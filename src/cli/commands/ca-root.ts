import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { pathsOf, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';

const passphraseFlag = ['--passphrase-file <file>', "a file with the passphrase of the root's key"] as const;
const yearsFlag = ['--years <n>', 'how long it holds', parseYears] as const;
type Passphrase = { readonly passphraseFile?: string };

/** `qflare ca root`: for a machine without a network. */
export function rootCommand(): Command {
  const root = new Command('root').description(
    'An offline root under SLH-DSA-SHA2-128s above the authority: for a machine without a network',
  );
  root
    .command('keygen')
    .description('Make NAME.key, which stays offline, and NAME.pem, the certificate that others check against')
    .argument('<name>', 'where to write both')
    .option('--subject <text>', 'what the root is called', 'QFLARE offline root')
    .option(...yearsFlag, 20)
    .option(...passphraseFlag)
    .action(async (name: string, options: Passphrase & { subject: string; years: number }) => {
      if ((await stat(`${name}.key`).catch(() => undefined)) !== undefined)
        throw new Failure('plan', `Cannot write ${name}.key as it must not be there: a key is never written over`);
      const { createOfflineRoot } = await import('../../adapters/authority-x509/offline-root.ts');
      const { subject, years } = options;
      const passphrase = await passphraseOf(options);
      const made = createOfflineRoot({ name: subject, nowMs: Date.now(), years, passphrase });
      await writeWhole(`${name}.key`, made.key, 0o600);
      await writeWhole(`${name}.pem`, made.certificate);
      process.stdout.write(`${name}.key signs authorities, ${name}.pem is the root for those who verify\n`);
    });
  root
    .command('sign')
    .description('Sign the key of an authority: its certificate of "ca anchor --request"')
    .argument('<name>', 'the root, as "ca root keygen" was given it')
    .requiredOption('--authority <file>', "the authority's own certificate")
    .requiredOption('--out <file>', "where to write the root's certificate for it")
    .option(...yearsFlag, 10)
    .option(...passphraseFlag)
    .action(async (name: string, options: Passphrase & { authority: string; out: string; years: number }) => {
      const { signAuthority } = await import('../../adapters/authority-x509/offline-root.ts');
      const [key, certificate, authority] = await Promise.all(
        [`${name}.key`, `${name}.pem`, options.authority].map((path) => readFile(path, 'utf8')),
      );
      const root = { key: key!, certificate: certificate!, passphrase: await passphraseOf(options) };
      const made = signAuthority(root, authority!, { nowMs: Date.now(), years: options.years });
      await writeWhole(options.out, made);
      process.stdout.write(`${options.out} vouches for the authority of ${options.authority}\n`);
    });
  return root;
}

type Anchor = (dir: string, by: { readonly root: string; readonly certificate: string }) => Promise<unknown>;

/** `qflare ca anchor`: puts an authority under its root. */
export function anchorCommand(anchor: Anchor): Command {
  return new Command('anchor')
    .description('Put the authority under an offline root: first --request, then what the root has signed')
    .argument('<dir>', "the coordinator's folder; the coordinator may run or not")
    .option('--request <file>', 'write the authority\'s own certificate here, for "ca root sign"')
    .option('--root <file>', "the root's certificate")
    .option('--certificate <file>', "the root's certificate for the authority")
    .action(async (dir: string, options: { request?: string; root?: string; certificate?: string }) => {
      const { request, root, certificate } = options;
      if (request !== undefined) {
        const { readAuthority } = await import('../../node/folder-authority.ts');
        const own = (await readAuthority(pathsOf(resolve(dir)).keys))?.generations.at(-1);
        if (own === undefined)
          throw new Failure(
            'plan',
            `Cannot use the authority of ${dir} as there is none: "qflare ca init ${dir}" makes it`,
          );
        await writeWhole(request, own.certificate);
        process.stdout.write(`${request} is authority ${own.number}: take it to the root\n`);
        return;
      }
      if (root === undefined || certificate === undefined)
        throw new Failure(
          'plan',
          'Cannot anchor the authority as --request, or --root and --certificate, must be given',
        );
      const by = { root: await readFile(root, 'utf8'), certificate: await readFile(certificate, 'utf8') };
      await anchor(dir, by);
      process.stdout.write(`The authority of ${dir} leads to ${root}: what does not is refused from now on\n`);
    });
}

/** `qflare ca verify`: for anybody who has the root. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Check a certificate up to an offline root, with the list of revoked ones; exit code 5 when it does not hold',
    )
    .argument('<certificate>', 'PEM')
    .requiredOption('--root <file>', "the root's certificate, from a place that nobody else can change")
    .requiredOption(
      '--between <files...>',
      "certificates between: what the root has signed, the authority's own, cross ones",
    )
    .requiredOption('--list <file>', 'the newest list of revoked certificates, of who has issued this one')
    .action(async (path: string, options: { root: string; between: string[]; list: string }) => {
      const { chainProblem, revocationProblem } = await import('../../adapters/authority-x509/offline-root.ts');
      const [certificate, root, list, ...between] = (await Promise.all(
        [path, options.root, options.list, ...options.between].map((file) => readFile(file, 'utf8')),
      )) as [string, string, string, ...string[]];
      const nowMs = Date.now();
      const problem =
        chainProblem(certificate, { root, between, nowMs }) ??
        (await revocationProblem(certificate, { list, between, nowMs }));
      if (problem !== undefined) throw new Failure('security', `Cannot trust ${path}: ${problem}`);
      process.stdout.write(`${path} leads to ${options.root} and is not revoked\n`);
    });
}

function parseYears(text: string): number {
  const years = Number(text);
  if (Number.isInteger(years) && years >= 1 && years <= 50) return years;
  throw new InvalidArgumentError('It must be a whole number from 1 to 50.');
}

async function passphraseOf({ passphraseFile }: Passphrase): Promise<string | undefined> {
  return passphraseFile === undefined ? undefined : (await readFile(passphraseFile, 'utf8')).trimEnd();
}
