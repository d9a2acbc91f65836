import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { KeySource, KeySourceTlsProfile } from '../ports/key-source.ts';
import { Failure } from './failure.ts';

export type KmeFlags = {
  readonly kme?: string;
  readonly kmeSaeId?: string;
  readonly kmeCert?: string;
  readonly kmeKey?: string;
  readonly kmeCa?: string;
  readonly kmeProfile?: KeySourceTlsProfile;
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

async function read(flag: string, path: string | undefined): Promise<string> {
  if (path === undefined) throw missing(flag);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('plan', `Cannot read ${path} (${flag}) as it must be a PEM file: ${error.code}`);
  });
}

function missing(flag: string): Failure {
  return new Failure('plan', `Cannot use the key management entity as ${flag} must be given with --kme: it is not`);
}
