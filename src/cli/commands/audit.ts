import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import type { ExportAudit } from '../../core/transparency/verify-export.ts';
import type { Finding } from '../../core/transparency/verify-journal.ts';
import type { Identity } from '../../ports/identity.ts';
import { Failure } from '../failure.ts';

type Options = { readonly key?: string; readonly site?: string; readonly json?: boolean };

export function auditCommand(): Command {
  const audit = new Command('audit').description(
    'Check afterwards, and without the coordinator, what happened in a run',
  );
  audit
    .command('verify')
    .description(
      'Check an export: signatures, every entry of the log, every tree head, the model, its card, every file',
    )
    .argument('<export>', 'a folder that "qflare export" made')
    .option('--key <sha256>', "the SHA-256 of the log's key, from a place that the exporter cannot change")
    .option('--site <folder>', 'take the key that a site was given at enrolment: the state folder of "qflare join"')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 5 when anything is not as it was signed. Nothing is sent anywhere.')
    .action(async (folder: string, options: Options) => {
      const found = await verifyFolder(resolve(folder), await trustedKey(options));
      if (options.json === true) process.stdout.write(`${JSON.stringify(found)}\n`);
      else process.stdout.write(`${auditLines(found).join('\n')}\n`);
      if (!found.isIntact) throw new Failure('security', `Cannot trust ${folder}: ${describe(found.findings[0]!)}`);
    });
  return audit;
}

async function verifyFolder(folder: string, trusted: string | undefined): Promise<ExportAudit> {
  const [{ verifyExport }, { createNodeCrypto }] = await Promise.all([
    import('../../core/transparency/verify-export.ts'),
    import('../../adapters/crypto-node.ts'),
  ]);
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (!(await lstat(join(folder, name))).isFile()) {
      throw new Failure('security', `Cannot trust ${folder} as it must hold files only: ${name} is none`);
    }
    files.set(name, await readFile(join(folder, name)));
  }
  return verifyExport(files, { crypto: createNodeCrypto(), trusted });
}

async function trustedKey({ key, site }: Options): Promise<string | undefined> {
  if (site !== undefined) {
    const { createHash } = await import('node:crypto');
    const { logKey } = JSON.parse(await readFile(join(resolve(site), 'identity.json'), 'utf8')) as Identity;
    return createHash('sha256').update(Uint8Array.fromBase64(logKey)).digest('hex');
  }
  const fingerprint = key?.replace(/^sha256:/, '').toLowerCase();
  if (fingerprint !== undefined && !/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new Failure('plan', `Cannot use the key as --key must be 64 hexadecimal digits: current value is "${key}"`);
  }
  return fingerprint;
}

function auditLines(found: ExportAudit): readonly string[] {
  const trust = found.isKeyTrusted
    ? 'the key you trust'
    : 'NOT checked against a key you trust: give --key or --site, or an export could have been made anew with another key';
  const witnesses = found.witnesses.map(({ name, size }) => `${name} up to entry ${size}`);
  return [
    `log         ${found.origin ?? 'cannot be read'}`,
    `key         ${found.keyFingerprint ?? 'cannot be read'}; ${trust}`,
    `entries     ${found.entries}, with ${found.heads} signed tree heads`,
    `witnesses   ${witnesses.length === 0 ? 'none' : witnesses.join(', ')}`,
    `model       ${found.model ?? 'none'}`,
    `verdict     ${found.isIntact ? 'every file is as it was signed' : `${found.findings.length} findings`}`,
    ...found.findings.map((finding) => `  ${describe(finding)}`),
  ];
}

function describe({ file, entry, problem }: Finding): string {
  return `${file}${entry === null ? '' : `, entry ${entry},`} ${problem}`;
}
