import { createSystemClock } from '../adapters/clock-system.ts';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { createNodeDeflate } from '../adapters/deflate-node.ts';
import { createFileIdentityStore } from '../adapters/identity-file.ts';
import { createHttpsTransport } from '../adapters/transport-https.ts';
import { takePart } from '../client/agent.ts';
import { enrol } from '../client/enrol.ts';
import type { SiteQkd } from '../client/qkd.ts';
import type { Link } from '../client/link.ts';
import { type Plan, parsePlan } from '../core/plan/plan.ts';
import type { Identity } from '../ports/identity.ts';
import type { Trainer } from '../ports/trainer.ts';
import { TransportError } from '../ports/transport.ts';

const firstContactAttempts = 5;

/** Enrols with a link and takes part with real adapters until the run ends. */
export async function joinRun(options: {
  readonly link: Link;
  readonly name: string;
  readonly stateFolder: string;
  readonly patienceMs: number;
  readonly say: (text: string) => void;
  /** The QKD link of this site, where it has one. */
  readonly siteQkd?: SiteQkd | undefined;
  readonly trainerFor: (plan: Plan, identity: Identity) => Promise<Trainer>;
}): Promise<{
  readonly clientId: string;
  readonly runId: string;
  readonly reason: string;
  readonly contributions: number;
}> {
  const { link, name, say } = options;
  const crypto = createNodeCrypto();
  const clock = createSystemClock();
  const transport = createHttpsTransport({ host: link.host, port: link.port, pin: link.pin, group: 'X25519MLKEM768' });
  try {
    const store = createFileIdentityStore(options.stateFolder);
    const identity = await withRetries(() => enrol({ link, name, store, crypto, transport }), clock.sleep);
    const plan = parsePlan(identity.plan);
    say(`enrolled as ${identity.clientId} in ${identity.runId}`);
    const trainer = await options.trainerFor(plan, identity);
    const outcome = await takePart({
      identity,
      saveIdentity: store.save,
      siteQkd: options.siteQkd,
      pin: link.pin.toHex(),
      transport,
      crypto,
      deflate: createNodeDeflate(),
      trainer,
      clock,
      patienceMs: options.patienceMs,
      say,
    });
    return { clientId: identity.clientId, runId: identity.runId, ...outcome };
  } finally {
    transport.close();
  }
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
