import type { AddressInfo } from 'node:net';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { enrol } from '../../src/client/enrol.ts';
import { formatLink, parseLink } from '../../src/client/link.ts';
import { openSession } from '../../src/client/session.ts';
import { type Coordinator, createCoordinator } from '../../src/coordinator/coordinator.ts';
import { createServer } from '../../src/coordinator/http/server.ts';
import type { CoordinatorParts } from '../../src/coordinator/parts.ts';
import { clientChannel } from '../../src/core/protocol/channel-profile.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Identity, IdentityStore } from '../../src/ports/identity.ts';
import type { Reply, Transport } from '../../src/ports/transport.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
import { createMemoryDisk, crypto, partsOf, smallPlan } from './world.ts';

export const tlsIdentity = await createServerIdentity(['127.0.0.1', 'localhost'], Date.now());
export const ownerToken = 'owner-token-of-the-test';

export type HttpsWorld = {
  readonly coordinator: Coordinator;
  readonly parts: CoordinatorParts;
  readonly clock: VirtualClock;
  readonly app: ReturnType<typeof createServer>['app'];
  readonly routes: ReturnType<typeof createServer>['routes'];
  readonly port: number;
  readonly linkOf: (token: string) => string;
  /** By way of another port where a line lies in between. */
  transport(through?: number): Transport;
  /** Enrols a site with a fresh link, as `qflare join` does. */
  enrolSite(): Promise<{ identity: Identity; transport: Transport; session(): Promise<string> }>;
  close(): Promise<void>;
};

/** A coordinator behind its real HTTPS surface on loopback, with a clock that stands still. */
export async function createHttpsWorld(
  options: {
    plan?: Plan;
    disk?: ReturnType<typeof createMemoryDisk>;
    qkd?: CoordinatorParts['qkd'];
    /** In place of the server key that all tests share: one of another profile. */
    tls?: typeof tlsIdentity;
    rateLimit?: { burst: number; perSecond: number };
    /** In place of the adapters in memory and the clock that stands still. */
    parts?: Partial<CoordinatorParts>;
  } = {},
): Promise<HttpsWorld> {
  const clock = createVirtualClock();
  const tls = options.tls ?? tlsIdentity;
  const pinBytes = Uint8Array.fromHex(tls.pin);
  const parts = {
    ...partsOf(options.plan ?? smallPlan(), options.disk ?? createMemoryDisk(), clock),
    pin: tls.pin,
    qkd: options.qkd,
    ...options.parts,
  };
  const { profile, suite } = parts.plan.security;
  const coordinator = createCoordinator(parts);
  await coordinator.start();
  let port = 0;
  const root = parts.crypto.sha256(parts.announcer.rootKey);
  const linkOf = (token: string) => formatLink({ host: '127.0.0.1', port, token, pin: pinBytes, root, profile, suite });
  const { app, routes } = createServer(coordinator, parts, {
    tls,
    ownerToken: () => ownerToken,
    linkOf,
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
  const transports: Transport[] = [];

  function transport(through = port): Transport {
    const made = createHttpsTransport({ host: '127.0.0.1', port: through, pin: pinBytes, ...clientChannel(profile) });
    transports.push(made);
    return made;
  }

  return {
    coordinator,
    parts,
    clock,
    app,
    routes,
    port,
    linkOf,
    transport,
    async enrolSite() {
      const [invited] = await coordinator.enrolment.invite(1);
      const own = transport();
      const link = parseLink(linkOf(invited!.token));
      const identity = await enrol({ link, name: 'site', store: memoryIdentity(), crypto, transport: own });
      const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
      const session = () => openSession(own, { deviceId: identity.deviceId, key, pin: tls.pin });
      return { identity, transport: own, session };
    },
    async close() {
      for (const one of transports) one.close();
      coordinator.halt();
      await app.close();
    },
  };
}

export function memoryIdentity(known?: Partial<Identity>): IdentityStore {
  let identity = known;
  return {
    load: async () => identity,
    save: async (next) => {
      identity = next;
    },
  };
}

export function bodyOf(reply: Reply): { error?: string; message?: string } & Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(reply.body)) as Record<string, unknown>;
}
