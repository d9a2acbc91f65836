import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type SaeRule, saeIdOf, saeRules } from '../core/qkd/sae-id.ts';
import type { KeySource, KeySourceTlsProfile } from '../ports/key-source.ts';
import { Failure } from './failure.ts';

export type KmeFlags = {
  readonly kme?: string;
  readonly kmeSaeId?: string;
  readonly kmeCert?: string;
  readonly kmeKey?: string;
  readonly kmeCa?: string;
  readonly kmeProfile?: KeySourceTlsProfile;
  readonly kmeSaeRule?: SaeRule | 'entity';
};

/** The flags by which a coordinator and a site name their key management entity (ETSI GS QKD 014). */
export function withKmeFlags(command: Command): Command {
  return command
    .option('--kme <url>', 'key management entity of a QKD link (ETSI GS QKD 014), for plans with security.qkd')
    .option('--kme-sae-id <id>', 'the SAE id here, as the certificate names it')
    .option('--kme-cert <file>', 'certificate for the entity, PEM')
    .option('--kme-key <file>', 'its private key, PEM')
    .option('--kme-ca <file>', "the entity's authority, PEM")
    .addOption(
      new Option('--kme-profile <name>', "TLS towards the entity; vendors' speak classical TLS")
        .choices(['post-quantum', 'classical'])
        .default('post-quantum'),
    )
    .addOption(
      new Option(
        '--kme-sae-rule <name>',
        'where the certificate names its SAE: common-name, san-uri (sae:ID), or entity, which keeps a table of its own',
      )
        .choices([...saeRules, 'entity'])
        .default('common-name'),
    );
}

/** A key source for each peer at the entity that the flags name; undefined where they name none. */
export async function kmeOf(
  flags: KmeFlags,
): Promise<
  { readonly saeId: string; readonly profile: KeySourceTlsProfile; sourceFor(peerSaeId: string): KeySource } | undefined
> {
  const { kme: url, kmeSaeId: saeId, kmeProfile: profile = 'post-quantum' } = flags;
  if (url === undefined) return undefined;
  if (saeId === undefined) throw missing('--kme-sae-id');
  const [cert, key, ca] = await Promise.all([
    read('--kme-cert', flags.kmeCert),
    read('--kme-key', flags.kmeKey),
    read('--kme-ca', flags.kmeCa),
  ]);
  await requireNamed(saeId, cert, flags.kmeSaeRule ?? 'common-name');
  const { createEtsi014KeySource } = await import('../adapters/key-source-etsi014.ts');
  const sources = new Map<string, KeySource>();
  return {
    saeId,
    profile,
    sourceFor(peerSaeId) {
      const known = sources.get(peerSaeId);
      if (known !== undefined) return known;
      const made = createEtsi014KeySource({ url, peerSaeId, profile, tls: { cert, key, ca }, timeoutMs: 3000 });
      sources.set(peerSaeId, made);
      return made;
    },
  };
}

/** The entity speaks for whom the certificate names: another id here would only keep this side out, later and in the dark. */
async function requireNamed(saeId: string, cert: string, rule: SaeRule | 'entity'): Promise<void> {
  if (rule === 'entity') return;
  const { X509Certificate } = await import('../primitives/index.ts');
  let named: string | undefined;
  try {
    named = saeIdOf(rule, new X509Certificate(cert).toLegacyObject());
  } catch (error) {
    throw new Failure('plan', `Cannot read --kme-cert as it must be a certificate: ${(error as Error).message}`);
  }
  if (named === saeId) return;
  throw new Failure(
    'security',
    `Cannot be the SAE ${saeId} as --kme-cert must name it by ${rule} (--kme-sae-rule): current value is ${named ?? 'none'}`,
  );
}

async function read(flag: string, path: string | undefined): Promise<string> {
  if (path === undefined) throw missing(flag);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('plan', `Cannot read ${path} (${flag}) as it must be a PEM file: ${error.code}`);
  });
}

function missing(flag: string): Failure {
  return new Failure('plan', `Cannot use the key management entity as ${flag} must be given with --kme: it is not`);
}
