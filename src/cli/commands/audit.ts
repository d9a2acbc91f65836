import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import type { ExportAudit } from '../../core/transparency/verify-export.ts';
import type { Finding } from '../../core/transparency/verify-journal.ts';
import { channelProfileIds } from '../../core/protocol/channel-profile.ts';
import { Failure } from '../failure.ts';
import { readLedgerNow } from '../restored-ledger.ts';

type Options = {
  readonly key?: string;
  readonly site?: string;
  readonly ledgerHeads?: string;
  readonly json?: boolean;
};

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
    .option(
      '--site <folder>',
      'take the key that a site was given at enrolment, and the last tree head that it has seen: the state folder of "qflare join"',
    )
    .option(
      '--ledger-heads <file>',
      'hold the privacy ledger against the log: what "privacy ledger --json" prints of it; with --chains each chain',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 5 when anything is not as it was signed. Nothing is sent anywhere.')
    .action(async (folder: string, options: Options) => {
      const found = await verifyFolder(resolve(folder), options);
      if (options.json === true) process.stdout.write(`${JSON.stringify(found)}\n`);
      else process.stdout.write(`${auditLines(found).join('\n')}\n`);
      if (!found.isIntact) throw new Failure('security', `Cannot trust ${folder}: ${describe(found.findings[0]!)}`);
    });
  audit
    .command('witness')
    .description('Be a witness: sign the tree head of a log when it continues the last one that was signed here')
    .argument('<folder>', "the witness's folder, made at the first use: its key, and what it has signed")
    .option('--name <name>', 'what the witness is called in signatures', 'witness')
    .addOption(
      new Option('--algorithm <name>', "what its key is, when it is made: what the plan's suite proves with")
        .choices(['ML-DSA-65', 'ML-DSA-87'])
        .default('ML-DSA-65'),
    )
    .option('--log <url>', 'https://HOST:PORT/v1/orgs/ORG/runs/RUN#pin=sha256:…, and &channel=PROFILE as in the links')
    .option('--log-key <file>', 'the key of the log: log.vkey of an export, or what "status" prints, in a file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nWithout --log it prints the verifier key, for transparency.witnesses of the plan.')
    .action(witness);
  return audit;
}

type WitnessOptions = {
  readonly name: string;
  readonly algorithm: 'ML-DSA-65' | 'ML-DSA-87';
  readonly log?: string;
  readonly logKey?: string;
  readonly json?: boolean;
};

async function witness(folder: string, options: WitnessOptions): Promise<void> {
  const [{ openWitness, SplitViewError }, { parseVerifierKey }] = await Promise.all([
    import('../../node/witness.ts'),
    import('../../core/transparency/signed-note.ts'),
  ]);
  const own = await openWitness(resolve(folder), options.name, options.algorithm);
  const print = (json: object, text: string) =>
    process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${text}\n`);
  if (options.log === undefined) return void print({ verifierKey: own.verifierKey }, own.verifierKey);
  const key = parseVerifierKey(options.logKey === undefined ? '' : await readFile(resolve(options.logKey), 'utf8'));
  const url = URL.parse(options.log);
  const [, pin, channel = 'default'] =
    /^#pin=sha256:([A-Za-z0-9_-]{43})(?:&channel=([a-z-]+))?$/.exec(url?.hash ?? '') ?? [];
  const profile = channelProfileIds.find((id) => id === channel);
  if (url === null || pin === undefined || profile === undefined) {
    throw new Failure(
      'plan',
      `Cannot reach the log as --log must be https://HOST:PORT/v1/orgs/ORG/runs/RUN#pin=sha256:…, and &channel=PROFILE where the plan's is not the default: current value is "${options.log}"`,
    );
  }
  if (key?.type !== 'treeHead')
    throw new Failure('plan', 'Cannot be a witness as --log-key must hold the key of a log');
  try {
    const size = await own.sign({
      host: url.hostname,
      port: Number(url.port),
      pin: Uint8Array.fromBase64(pin, { alphabet: 'base64url' }),
      path: url.pathname,
      profile,
      key,
    });
    print({ witness: options.name, size }, `${options.name} has signed ${key.name} up to entry ${size}`);
  } catch (error) {
    if (error instanceof SplitViewError) throw new Failure('security', error.message);
    throw error;
  }
}

async function verifyFolder(folder: string, options: Options): Promise<ExportAudit> {
  const { trusted, seen } = await trustOf(options);
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
  const { ledgerHeads: path } = options;
  const ledgerNow = path === undefined ? undefined : await readLedgerNow(resolve(path));
  return verifyExport(files, { crypto: createNodeCrypto(), trusted, seen, ledgerNow });
}

async function trustOf({
  key,
  site,
}: Options): Promise<{ readonly trusted?: string | undefined; readonly seen?: string | undefined }> {
  if (site !== undefined) {
    const { createHash } = await import('../../primitives/index.ts');
    const { readSiteTrust } = await import('../site-trust.ts');
    const { logKey, log } = await readSiteTrust(resolve(site));
    return { trusted: createHash('sha256').update(logKey).digest('hex'), seen: log };
  }
  const fingerprint = key?.replace(/^sha256:/, '').toLowerCase();
  if (fingerprint !== undefined && !/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new Failure('plan', `Cannot use the key as --key must be 64 hexadecimal digits: current value is "${key}"`);
  }
  return { trusted: fingerprint };
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
    ...(found.hidden === 0
      ? []
      : [
          `            ${found.hidden} entries are hidden: the log commits to them, and nothing here tells what they say`,
        ]),
    `witnesses   ${witnesses.length === 0 ? 'none' : witnesses.join(', ')}`,
    ...(found.ledger === null
      ? []
      : [`ledger      ${found.ledger.entries} entries of ${found.ledger.subjects} clients sealed`]),
    `model       ${found.model ?? 'none'}`,
    `verdict     ${found.isIntact ? 'every file is as it was signed' : `${found.findings.length} findings`}`,
    ...found.findings.map((finding) => `  ${describe(finding)}`),
  ];
}

function describe({ file, entry, problem }: Finding): string {
  return `${file}${entry === null ? '' : `, entry ${entry},`} ${problem}`;
}
