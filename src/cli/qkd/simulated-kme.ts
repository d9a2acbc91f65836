import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createNodeEntropy } from '../../adapters/entropy-node.ts';
import { KEY_SOURCE_TLS_PROFILES } from '../../adapters/key-source-etsi014.ts';
import { createKmeAuthority, type KmeIdentity } from '../../adapters/kme-authority.ts';
import { createKmeServer } from '../../adapters/kme-server.ts';
import type { SaeRule } from '../../core/qkd/sae-id.ts';
import { createMlDsaTranscriptSigner, generateTranscriptKeys } from '../../adapters/transcript-signer-mldsa.ts';
import { secretWords } from '../../core/entropy/entropy.ts';
import { signatureAuthentication } from '../../core/qkd/authentication.ts';
import { answerKmeRequest } from '../../core/qkd/etsi014-rules.ts';
import { createKeyPool } from '../../core/qkd/key-pool.ts';
import type { SessionSettings } from '../../core/qkd/session.ts';
import { createSimulatedLink } from '../../core/qkd/simulated-link.ts';
import { createRng } from '../../core/random/rng.ts';
import type { KeySourceTlsProfile } from '../../ports/key-source.ts';
import { writeWhole } from '../coordinator-folder.ts';

type Options = {
  readonly folder: string;
  readonly saeIds: readonly string[];
  /** Where a certificate names its SAE. */
  readonly saeRule: SaeRule;
  readonly profile: KeySourceTlsProfile;
  readonly port: number;
  readonly link: Omit<SessionSettings, 'sessionId'>;
  readonly say: (text: string) => void;
};

const keySizeBits = 256;
const lowWaterBytes = 1024;
const capacityBytes = 1 << 20;

/**
 * A key management entity over a *simulated* link: certificates for its SAEs in a folder, both ends in this process,
 * sessions whenever the pool runs low.
 */
export async function startSimulatedKme(options: Options): Promise<{
  readonly url: string;
  close(): Promise<void>;
}> {
  const { folder, saeIds, profile, say } = options;
  const { ca, identity } = await identities(options);
  const entropy = createNodeEntropy();
  let refilling: NodeJS.Timeout | undefined;
  const pool = createKeyPool({ entropy, capacityBytes, lowWaterBytes, onLowWater: refillSoon });
  const bootstrap = () => {
    const authenticator = signatureAuthentication(createMlDsaTranscriptSigner(generateTranscriptKeys()));
    return { alice: authenticator, bob: authenticator };
  };
  const rng = createRng(secretWords(entropy)());
  const link = createSimulatedLink({ settings: options.link, rng, entropy, pool, bootstrap });

  function refill(): void {
    refilling = undefined;
    const { alice } = link.run();
    if (alice.outcome === 'key') say(`simulated session: ${pool.distilledBytes()} bytes of key in the pool`);
    else say(`simulated session ended without a key: ${alice.reason}`);
    if (pool.distilledBytes() < lowWaterBytes) refilling = setTimeout(refill, 1000);
  }

  function refillSoon(): void {
    refilling ??= setTimeout(refill, 0);
  }

  refill();
  const kme = {
    pool,
    kmeId: 'kme-simulated-a',
    peerKmeId: 'kme-simulated-b',
    saeIds,
    keySizeBits,
    keySizeBitsMin: 64,
    keySizeBitsMax: 4096,
    keysPerRequestMax: 128,
    keyCountMax: (8 * capacityBytes) / keySizeBits,
    additionalSaesMax: 0,
    extensions: [],
  };
  const server = createKmeServer({
    tls: { ...KEY_SOURCE_TLS_PROFILES[profile], ...identity, ca },
    saeRule: options.saeRule,
    answer: (request) => answerKmeRequest(kme, request),
  });
  const port = await listen(server, options.port);
  say(`certificates are in ${folder}`);
  return {
    url: `https://127.0.0.1:${port}`,
    async close() {
      clearTimeout(refilling);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Certificates for the entity and each SAE; those of an earlier start serve again while all of them are there. */
async function identities({ folder, saeIds, profile }: Options): Promise<{ ca: string; identity: KmeIdentity }> {
  const names = ['kme', ...saeIds];
  const pathOf = (name: string, kind: 'cert' | 'key') => join(folder, `${name}.${kind}.pem`);
  const caPath = join(folder, 'ca.pem');
  const files = [caPath, ...names.flatMap((name) => [pathOf(name, 'cert'), pathOf(name, 'key')])];
  if (!files.every((path) => existsSync(path))) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const authority = await createKmeAuthority(profile, Date.now());
    await writeWhole(caPath, authority.ca);
    for (const name of names) {
      const { cert, key } = await authority.issue(name);
      await writeWhole(pathOf(name, 'cert'), cert);
      await writeWhole(pathOf(name, 'key'), key, 0o600);
    }
  }
  const [ca, cert, key] = await Promise.all([
    readFile(caPath, 'utf8'),
    readFile(pathOf('kme', 'cert'), 'utf8'),
    readFile(pathOf('kme', 'key'), 'utf8'),
  ]);
  return { ca, identity: { cert, key } };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
