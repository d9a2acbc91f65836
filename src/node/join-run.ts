import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSystemClock } from '../adapters/clock-system.ts';
import { startNodeCrypto } from '../adapters/crypto-node.ts';
import { createNodeDeflate } from '../adapters/deflate-node.ts';
import { createNodeEntropy } from '../adapters/entropy-node.ts';
import { takeFileLock } from '../adapters/file-lock.ts';
import { createFileIdentityStore } from '../adapters/identity-file.ts';
import type { Unlocking } from '../adapters/kms-file/token.ts';
import { createFileTlsIdentity } from '../adapters/tls-identity-file.ts';
import { createHttpsTransport } from '../adapters/transport-https.ts';
import { createFileSiteLedger } from '../adapters/site-ledger-file.ts';
import { createFileSiteMemory } from '../adapters/site-memory-files.ts';
import { type Outcome, takePart } from '../client/agent.ts';
import { clockNote } from '../client/clock-note.ts';
import { RefusedError } from '../client/ends.ts';
import { enrol } from '../client/enrol.ts';
import type { SiteQkd } from '../client/qkd.ts';
import { createRoom } from '../client/room.ts';
import type { Link } from '../client/link.ts';
import { type Plan, parsePlan } from '../core/plan/plan.ts';
import { certifiedTransport } from './certified-transport.ts';
import { holdCertificate } from './device-certificate.ts';
import { openKeyVault } from './key-vault.ts';
import { channelProfiles, clientChannel, describeProfile } from '../core/protocol/channel-profile.ts';
import { suiteDefault } from '../core/protocol/suite.ts';
import type { Identity } from '../ports/identity.ts';
import type { Trainer } from '../ports/trainer.ts';
import { TransportError } from '../ports/transport.ts';
import { writeSynced } from '../primitives/synced-file.ts';

const firstContactAttempts = 5;

/** Enrols with a link and takes part with real adapters until the run ends. */
export async function joinRun(options: {
  readonly link: Link;
  readonly name: string;
  readonly stateFolder: string;
  /** What unlocks the keys of that folder. */
  readonly unlocking: Unlocking;
  readonly patienceMs: number;
  /** The log may be shorter than what this site has seen of it, this once: the operator has restored a backup. */
  readonly acceptRewoundLog?: boolean;
  readonly say: (text: string) => void;
  /** The QKD link of this site, where it has one. */
  readonly siteQkd?: SiteQkd | undefined;
  readonly trainerFor: (plan: Plan, identity: Identity) => Promise<Trainer>;
}): Promise<Outcome & { readonly clientId: string; readonly runId: string }> {
  const { link, name, say } = options;
  const crypto = await startNodeCrypto();
  const clock = createSystemClock();
  const lock = await lockState(options.stateFolder);
  const profile = link.profile ?? 'default';
  const target = { host: link.host, port: link.port, pin: link.pin, ...clientChannel(profile) };
  let transport = createHttpsTransport(target);
  let stopRenewing = () => {};
  try {
    const { atRest } = await openKeyVault(join(options.stateFolder, 'keys'), options.unlocking, crypto);
    const store = createFileIdentityStore(options.stateFolder, atRest);
    const identity = await withRetries(() => enrol({ link, name, store, crypto, transport }), clock.sleep);
    const plan = parsePlan(identity.plan);
    if (plan.security.profile !== profile)
      throw new RefusedError(
        `Cannot join as link and plan must name one channel: ${profile} and ${plan.security.profile}`,
      );
    const suite = link.suite ?? suiteDefault;
    if (plan.security.suite !== suite)
      throw new RefusedError(`Cannot join as link and plan must name one suite: ${suite} and ${plan.security.suite}`);
    if (!channelProfiles[profile].isPostQuantum) say(`channel: ${describeProfile(profile)}`);
    say(`enrolled as ${identity.clientId} in ${identity.runId}`);
    const { dateMs } = await withRetries(() => transport.request({ method: 'GET', path: '/health' }), clock.sleep);
    const note = clockNote(clock.wallMs(), dateMs);
    if (note !== undefined) say(note);
    if (plan.security.clientCertificates === 'required') {
      const parts = {
        deviceId: identity.deviceId,
        identity: store,
        store: createFileTlsIdentity(options.stateFolder, atRest),
        crypto,
        pin: link.pin.toHex(),
        algorithm: channelProfiles[profile].signature,
      };
      const certified = await withRetries(
        () => holdCertificate({ ...parts, open: () => createHttpsTransport(target), say }),
        clock.sleep,
      );
      stopRenewing = certified.stop;
      transport.close();
      const shown = createHttpsTransport({ ...target, certificate: certified.current });
      transport = certifiedTransport(shown, () => createHttpsTransport(target));
    }
    const trainer = await options.trainerFor(plan, identity);
    const outcome = await takePart({
      identity: options.acceptRewoundLog === true ? { ...identity, log: undefined } : identity,
      saveIdentity: store.save,
      siteQkd: options.siteQkd,
      pin: link.pin.toHex(),
      transport,
      crypto,
      deflate: createNodeDeflate(),
      entropy: createNodeEntropy(),
      siteLedger: createFileSiteLedger(options.stateFolder),
      trainer,
      memory: createFileSiteMemory(options.stateFolder, atRest),
      clock,
      patienceMs: options.patienceMs,
      room: createRoom(),
      keepDeparture: (found) =>
        writeSynced(join(options.stateFolder, 'log-departure.json'), `${JSON.stringify(found, null, 1)}\n`),
      say,
    });
    return { clientId: identity.clientId, runId: identity.runId, ...outcome };
  } finally {
    stopRenewing();
    transport.close();
    lock.release();
  }
}

/** One process for one device: two would take each other's place for ever. */
async function lockState(folder: string): Promise<{ release(): void }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = takeFileLock(join(folder, 'join.lock'));
  if (lock === undefined) {
    throw new RefusedError(`Cannot join with the key in ${folder} as no other process may use it: one does`);
  }
  return lock;
}

/** At first contact a coordinator that cannot be reached is more likely a wrong link than a cut: a few tries only. */
async function withRetries<T>(work: () => Promise<T>, sleep: (ms: number) => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isTransient = error instanceof TransportError && error.kind === 'network';
      if (!isTransient || attempt === firstContactAttempts) throw error;
      await sleep(300 * attempt);
    }
  }
}
