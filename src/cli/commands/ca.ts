import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import type { CertificateAuthority, CertificateRecord, Generation, RevocationReason } from '../../ports/authority.ts';
import { isServed, lockFolder, type Paths, pathsOf, readSettings, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { anchorCommand, rootCommand, verifyCommand } from './ca-root.ts';
import type { OwnerClient } from '../owner-client.ts';
import { revocationReasons } from '../../core/protocol/revocation-reasons.ts';

const folder = "the coordinator's folder; the coordinator may run or not";
type Json = { json?: boolean };
type Issued = { readonly certificate: string; readonly record: CertificateRecord };

export function caCommand(): Command {
  const ca = new Command('ca').description(
    "The coordinator's own certificate authority: issue, renew, revoke, rotate, list. Sites get theirs by themselves when they join",
  );
  ca.command('init')
    .description('Make the authority (serve does so by itself where the plan demands client certificates)')
    .argument('<dir>', "the coordinator's folder; the coordinator must not run")
    .option('--algorithm <name>', 'what the authority signs with: ML-DSA-65, ML-DSA-87', 'ML-DSA-65')
    .option('--dual-ec', 'also answer requests with an EC key (P-384), for clients that cannot do ML-DSA')
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: Json & { algorithm: string; dualEc?: boolean }) => {
      const made = await init(pathsOf(resolve(dir)), options);
      print(
        options,
        made,
        `The authority of ${dir} is made: ${made.certificate.split('\n').length} lines of PEM in "ca list --json"\n`,
      );
    });
  for (const [verb, does] of [
    ['issue', 'Issue a certificate for a request (PKCS #10, PEM) that came another way'],
    ['renew', 'Issue a certificate for a new request and revoke the one that it takes the place of'],
  ] as const) {
    const command = ca
      .command(verb)
      .description(does)
      .argument('<dir>', folder)
      .requiredOption('--request <file>', 'the request')
      .option('--device <id>', 'the device that it is for')
      .option('--out <file>', 'write the certificate here (default: print it)')
      .option('--json', 'print one JSON document');
    if (verb === 'renew') command.requiredOption('--replaces <serial>', 'the certificate that ends with this');
    command.action(async (dir: string, options: Json & IssueOptions) => {
      const issued = await issue(pathsOf(resolve(dir)), options);
      if (options.out !== undefined) await writeWhole(options.out, issued.certificate);
      print(
        options,
        issued,
        options.out === undefined ? issued.certificate : `${issued.record.serial} is in ${options.out}\n`,
      );
    });
  }
  ca.command('revoke')
    .description('Revoke a certificate: it opens no connection from now on')
    .argument('<dir>', folder)
    .argument('<serial>', 'the certificate, as "ca list" names it')
    .addOption(new Option('--reason <why>', 'why').choices(revocationReasons).default('keyCompromise'))
    .option('--json', 'print one JSON document')
    .action(async (dir: string, serial: string, options: Json & { reason: RevocationReason }) => {
      const revoked = await work(pathsOf(resolve(dir)), {
        served: (client) =>
          client.call<CertificateRecord>({
            method: 'POST',
            path: `/v1/admin/certificates/${encodeURIComponent(serial)}`,
            json: { reason: options.reason },
          }),
        alone: (authority) => authority.revoke(serial, options.reason),
      });
      if (revoked === undefined)
        throw new Failure('plan', `Cannot revoke ${serial} as it must be a certificate of ${dir}: it is none`);
      print(options, revoked, `${serial} of ${revoked.subject} is revoked\n`);
    });
  ca.command('rotate')
    .description(
      "Put a new key and certificate in place of the authority's; what the former has issued holds until it ends",
    )
    .argument('<dir>', folder)
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: Json) => {
      const made = await work(pathsOf(resolve(dir)), {
        served: (client) => client.call<Generation>({ method: 'POST', path: '/v1/admin/authority' }),
        alone: (authority) => authority.rotate(),
      });
      print(
        options,
        made,
        `Authority ${made.number} signs from now on; the one before is trusted until its certificates have ended\n`,
      );
    });
  ca.addCommand(rootCommand());
  ca.addCommand(
    anchorCommand((dir, by) =>
      work<unknown>(pathsOf(resolve(dir)), {
        served: (client) => client.call({ method: 'POST', path: '/v1/admin/authority/root', json: by }),
        alone: (authority) => authority.anchor(by),
      }),
    ),
  );
  ca.addCommand(verifyCommand());
  ca.command('list', { isDefault: true })
    .description('The authority, its certificates and what was revoked. No secret is read')
    .argument('<dir>', folder)
    .option('--json', 'print one JSON document: register, certificates of the authority, signed lists')
    .action(async (dir: string, options: Json) => {
      const { readAuthority } = await import('../../node/folder-authority.ts');
      const state = await readAuthority(pathsOf(resolve(dir)).keys);
      if (state === undefined) throw none(dir);
      const authorities = state.generations.map(
        (one) => `authority ${one.number}  ${state.algorithm}  ${one.state}  until ${day(one.notAfterMs)}\n`,
      );
      const lines = state.certificates.map((row) => {
        const standing =
          row.revokedAtMs === null ? (row.notAfterMs > Date.now() ? 'valid' : 'ended') : `revoked (${row.reason})`;
        return `${row.serial}  ${row.subject}  ${row.algorithm}  ${standing}  until ${day(row.notAfterMs)}\n`;
      });
      print(
        options,
        state,
        [
          ...rootLine(state.anchor),
          ...authorities,
          `list of revoked certificates: number ${state.listNumber}\n`,
          ...lines,
        ].join(''),
      );
    });
  return ca;
}

function rootLine(anchor: { readonly vouched: readonly { readonly generation: number }[] } | undefined): string[] {
  if (anchor === undefined) return [];
  return [
    `root         SLH-DSA-SHA2-128s, offline; has signed ${anchor.vouched.map((one) => one.generation).join(', ')}\n`,
  ];
}

type IssueOptions = { request: string; device?: string; out?: string; replaces?: string };

async function init(paths: Paths, options: { algorithm: string; dualEc?: boolean }): Promise<Generation> {
  const settings = await readSettings(paths);
  const { algorithm } = options;
  if (algorithm !== 'ML-DSA-65' && algorithm !== 'ML-DSA-87') {
    throw new Failure(
      'plan',
      `Cannot make the authority as --algorithm must be ML-DSA-65 or ML-DSA-87: current value is ${algorithm}`,
    );
  }
  return alone(paths, async (vault) => {
    const { makeFolderAuthority, readAuthority } = await import('../../node/folder-authority.ts');
    if ((await readAuthority(paths.keys)) !== undefined) {
      throw new Failure(
        'plan',
        `Cannot make the authority of ${paths.folder} as it must have none: "ca rotate" replaces its key`,
      );
    }
    const made = await makeFolderAuthority(paths.keys, vault, settings, { algorithm, dual: options.dualEc === true });
    return made.generations()[0]!;
  });
}

async function issue(paths: Paths, { request: path, device, replaces }: IssueOptions): Promise<Issued> {
  const request = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Failure('plan', `Cannot read the request ${path}: ${error.message}`);
  });
  const { readAuthority } = await import('../../node/folder-authority.ts');
  const former = (await readAuthority(paths.keys))?.certificates.find(({ serial }) => serial === replaces);
  const subject = former?.subject ?? device;
  if (replaces !== undefined && former === undefined) {
    throw new Failure('plan', `Cannot renew ${replaces} as it must be a certificate of ${paths.folder}: it is none`);
  }
  if (subject === undefined)
    throw new Failure('plan', 'Cannot issue a certificate as --device must name whom it is for');
  const json = { request, subject };
  const issued = await work(paths, {
    served: (client) => client.call<Issued>({ method: 'POST', path: '/v1/admin/certificates', json }),
    alone: (authority) => authority.issue(request, subject),
  });
  if (issued === undefined) {
    throw new Failure(
      'security',
      `Cannot accept ${path} as it must be a request that its own key has signed, with the authority's algorithm`,
    );
  }
  if (replaces !== undefined) {
    await work(paths, {
      served: (client) =>
        client.call({ method: 'POST', path: `/v1/admin/certificates/${replaces}`, json: { reason: 'superseded' } }),
      alone: (authority) => authority.revoke(replaces, 'superseded'),
    });
  }
  return issued;
}

/** Through the coordinator that serves the folder, or on the folder itself. */
async function work<T>(
  paths: Paths,
  ways: { served: (client: OwnerClient) => Promise<T>; alone: (authority: CertificateAuthority) => Promise<T> },
): Promise<T> {
  await readSettings(paths);
  const { readAuthority, folderAuthority } = await import('../../node/folder-authority.ts');
  if ((await readAuthority(paths.keys)) === undefined) throw none(paths.folder);
  if (isServed(paths)) {
    const { asOwner } = await import('../owner-client.ts');
    return asOwner(paths.folder, ways.served);
  }
  const settings = await readSettings(paths);
  return alone(paths, async (vault) => ways.alone(await folderAuthority(paths.keys, vault, settings)));
}

async function alone<T>(paths: Paths, use: (vault: Awaited<ReturnType<typeof openVault>>) => Promise<T>): Promise<T> {
  const unlock = await lockFolder(paths);
  try {
    return await use(await openVault(paths));
  } finally {
    await unlock();
  }
}

async function openVault(paths: Paths) {
  const { openFolderVault } = await import('../folder-vault.ts');
  return openFolderVault(paths);
}

function none(dir: string): Failure {
  return new Failure('plan', `Cannot use the authority of ${dir} as there is none: "qflare ca init ${dir}" makes it`);
}

function print(options: Json, value: unknown, text: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : text);
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
