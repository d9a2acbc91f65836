import { type Announcer, createAnnouncer } from '../coordinator/announcer.ts';
import { activeKey, expiryMs, type KeyRecord } from '../core/keys/lifecycle.ts';
import type { CertifiedRun, CertifiedVersion } from '../core/protocol/key-certificate.ts';
import { signsOnlyAs } from '../core/protocol/purposes.ts';
import { type PlainSuiteId, provesAs, suites } from '../core/protocol/suite.ts';
import type { Crypto } from '../ports/crypto.ts';
import { KmsError } from '../ports/kms.ts';
import type { ProofKeys } from '../ports/proof-keys.ts';
import type { KeyVault } from './key-vault.ts';

/** The purposes of the keys that prove afterwards what happened. */
export const proofPurposes = ['tree-head', 'model-card', 'export-list'] as const;

/** Refuses proof keys of another scheme than the plan's suite says: a folder that was made before, or whose plan was changed. */
export function refuseOtherProofs({ treeHead, modelCard, exportList }: ProofKeys, suite: PlainSuiteId): void {
  for (const [name, { publicKey }] of Object.entries({ treeHead, modelCard, exportList })) {
    if (provesAs(suite, publicKey)) continue;
    throw new KmsError(
      `Cannot use the key ${name} as it must be ${suites[suite].provedBy} under suite ${suite}: it is not; "qflare init NEW --plan plan.toml" makes a folder with keys for it`,
    );
  }
}

/** The keys that prove afterwards what happened, each for one purpose. What is missing is made. */
export async function openProofKeys(
  vault: Pick<KeyVault, 'secret'>,
  { importSigningKey }: Pick<Crypto, 'importSigningKey'>,
): Promise<ProofKeys> {
  return {
    treeHead: signsOnlyAs('tree-head', importSigningKey(await vault.secret('tree-head'))),
    modelCard: signsOnlyAs('model-card', importSigningKey(await vault.secret('model-card'))),
    exportList: signsOnlyAs('export-list', importSigningKey(await vault.secret('export-list'))),
    pseudonym: await vault.secret('pseudonym'),
  };
}

/** What the root key certifies of an announcement key beside the key: its version, and when it ends. */
export function certifiedVersionOf(key: KeyRecord): CertifiedVersion {
  return { version: key.version, endsAtMs: expiryMs(key) ?? Number.MAX_SAFE_INTEGER };
}

/** The key that signs announcements, under the root key that devices know. */
export async function openAnnouncer(
  vault: Pick<KeyVault, 'secret' | 'inventory'>,
  run: CertifiedRun,
  { importSigningKey }: Pick<Crypto, 'importSigningKey'>,
): Promise<Announcer> {
  const [root, key] = [await vault.secret('root'), await vault.secret('announcement')];
  const record = activeKey(await vault.inventory(), 'announcement')!;
  return createAnnouncer(
    signsOnlyAs('root', importSigningKey(root)),
    run,
    signsOnlyAs('announcement', importSigningKey(key)),
    certifiedVersionOf(record),
  );
}
