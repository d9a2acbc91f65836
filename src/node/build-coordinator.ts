import { access, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createFileBlobs } from '../adapters/blobs-files.ts';
import { createSystemClock } from '../adapters/clock-system.ts';
import { startNodeCrypto } from '../adapters/crypto-node.ts';
import { readDatasetFolder } from '../adapters/dataset-folder.ts';
import { createNodeDeflate } from '../adapters/deflate-node.ts';
import { createNodeEntropy } from '../adapters/entropy-node.ts';
import { createFileRoundKeys } from '../adapters/round-keys-files.ts';
import { createFileSpool } from '../adapters/spool-files.ts';
import { createSqliteStore } from '../adapters/store-sqlite.ts';
import type { Unlocking } from '../adapters/kms-file/token.ts';
import { folderAuthority } from './folder-authority.ts';
import { openAnnouncer, openProofKeys, refuseOtherProofs } from './coordinator-keys.ts';
import { type KeyVault, openKeyVault } from './key-vault.ts';
import type { CoordinatorParts } from '../coordinator/parts.ts';
import type { KeySource } from '../ports/key-source.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import { channelProfiles } from '../core/protocol/channel-profile.ts';
import { createGraphCompute } from '../core/vector/graph-compute.ts';
import { createWasmCompute } from '../core/vector/wasm.ts';
import { findOnnxRuntime } from './training-engine.ts';

/** Opened updates up to this size together stay in memory; what is more goes to files. */
const heldBytesMax = 32 << 20;

/** Where a coordinator's files are. */
export type CoordinatorFiles = Readonly<
  Record<
    | 'folder'
    | 'keys'
    | 'state'
    | 'database'
    | 'blobs'
    | 'roundKeys'
    | 'qkdEpochs'
    | 'tlsCertificate'
    | 'vault'
    | 'token',
    string
  >
>;

/** Puts a coordinator of Node's real adapters together from its files. */
export async function buildCoordinator(
  paths: CoordinatorFiles,
  plan: Plan,
  settings: {
    readonly orgId: string;
    readonly runId: string;
    readonly pin: string;
    /** What unlocks the keys of the folder. */
    readonly unlocking: Unlocking;
    /** The file of a privacy ledger that other runs share; in the run's own database unless given. */
    readonly ledger?: string | undefined;
    /** The QKD link of this coordinator: a key source for each site's SAE id. */
    readonly kme?: { readonly profile: string; sourceFor(saeId: string): KeySource } | undefined;
  },
): Promise<{ parts: CoordinatorParts; tls: { key: string; cert: string }; vault: KeyVault }> {
  const crypto = await startNodeCrypto();
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  // Without its keys the folder is another coordinator: none are made here.
  await Promise.all([access(paths.token), access(paths.vault)]);
  const vault = await openKeyVault(paths.keys, settings.unlocking, crypto);
  await vault.replaceExpired();
  const [key, cert, announcer, test, compute, proofKeys] = await Promise.all([
    vault.secret('tls'),
    readFile(paths.tlsCertificate, 'utf8'),
    openAnnouncer(vault, settings, crypto),
    plan.data.test === undefined ? null : readDatasetFolder(resolve(paths.folder, plan.data.test)),
    plan.aggregation.engine === 'onnx' ? createGraphCompute(findOnnxRuntime()) : createWasmCompute(),
    openProofKeys(vault, crypto),
  ]);
  refuseOtherProofs(proofKeys, plan.security.suite);
  const engine = createWasmEngine();
  const authority =
    plan.security.clientCertificates === 'off'
      ? undefined
      : await folderAuthority(paths.keys, vault, {
          orgId: settings.orgId,
          runId: settings.runId,
          algorithm: channelProfiles[plan.security.profile].signature,
        });
  const { orgId, runId, pin } = settings;
  const parts: CoordinatorParts = {
    orgId,
    runId,
    plan,
    pin,
    test,
    crypto,
    compute,
    engine,
    proofKeys,
    authority,
    announcer,
    clock: createSystemClock(),
    deflate: createNodeDeflate(),
    entropy: createNodeEntropy(),
    store: createSqliteStore(paths.database, { orgId, runId, ledger: settings.ledger }),
    blobs: createFileBlobs(paths.blobs, vault.atRest),
    atRest: vault.atRest,
    roundKeys: createFileRoundKeys(paths.roundKeys, vault.atRest),
    spool: createFileSpool(join(paths.state, 'spool'), { heldBytesMax }),
    qkd: settings.kme && {
      tlsProfile: settings.kme.profile,
      sourceFor: settings.kme.sourceFor,
      epochs: createFileRoundKeys(paths.qkdEpochs, vault.atRest),
    },
  };
  return { parts, tls: { key: new TextDecoder().decode(key), cert }, vault };
}
