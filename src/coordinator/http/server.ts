import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { channelProfiles } from '../../core/protocol/channel-profile.ts';
import type { KeyRecord } from '../../core/keys/lifecycle.ts';
import { proves } from '../../core/protocol/channel-binding.ts';
import type { Device } from '../../ports/store.ts';
import type { Coordinator } from '../coordinator.ts';
import type { CoordinatorParts } from '../parts.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { createCertificateGuard } from './certificate-guard.ts';
import { deviceRoutes } from './device-routes.ts';
import { createDeviceSurface } from './device-surface.ts';
import { healthRoutes } from './health-routes.ts';
import { logRoutes } from './log-routes.ts';
import { ownerRoutes, type RevokeKey } from './owner-routes.ts';
import { createRefusalNotes } from './refusal-notes.ts';
import { watchRefusals } from './refusal-watch.ts';
import { createRateLimit, rateLimitDefaults } from './rate-limit.ts';
import { HttpError, type Role, type Route } from './routes.ts';
import { channelOf } from './socket-channel.ts';

const jsonBytesMax = 64 << 10;
/** Refusals that no other place journals. */
const journaledHere = new Set([
  'malformed',
  'not-authenticated',
  'challenge-expired',
  'no-such-model',
  'no-such-upload',
  'length-required',
]);

export type TlsIdentity = { readonly key: string; readonly cert: string };

export type ServerOptions = {
  readonly tls: TlsIdentity;
  /** The owner token in use, which may be replaced while the server runs; undefined where none is taken. */
  readonly ownerToken: () => string | undefined;
  /** Replaces a key while the run goes on; undefined where that is not possible. */
  readonly rotateKey?: (purpose: string) => Promise<KeyRecord | undefined>;
  readonly revokeKey?: RevokeKey;
  readonly linkOf: (token: string) => string;
  /** How many requests an address may send before it is known. */
  readonly rateLimit?: { readonly burst: number; readonly perSecond: number };
};

/**
 * The coordinator's HTTPS surface: TLS 1.3 with the one group of the plan's profile, one role for each route.
 *
 * A server cannot read the negotiated group from its socket, so the list holds one entry and nothing else can be
 * negotiated.
 */
export function createServer(
  coordinator: Coordinator,
  parts: CoordinatorParts,
  options: ServerOptions,
): { readonly app: FastifyInstance; readonly routes: readonly Route[] } {
  const { crypto, orgId, runId } = parts;
  const notes = createRefusalNotes(coordinator, parts.clock);
  const surface = createDeviceSurface(coordinator, parts, notes);
  const limit = createRateLimit(() => parts.clock.monotonicMs(), options.rateLimit ?? rateLimitDefaults);
  let floodsJournaled = 0;

  /** What nobody has authenticated yet is counted by address, and said once a minute. */
  function admit(request: FastifyRequest): void {
    if (limit.take(request.ip)) return;
    const minute = Math.floor(parts.clock.monotonicMs() / 60_000) + 1;
    if (floodsJournaled < minute) {
      floodsJournaled = minute;
      // The path, not the address, which is personal.
      void coordinator.note('requests.flood', { path: request.url.split('?')[0]! }).catch(() => {});
    }
    throw new HttpError(429, 'too-many-requests', 'Too many requests from this address: wait a little');
  }

  const { group, serverSignatures } = channelProfiles[parts.plan.security.profile];
  const sigalgs = parts.authority?.isDual === true ? `${serverSignatures}:ecdsa_secp384r1_sha384` : serverSignatures;
  const channel = { ...options.tls, minVersion: 'TLSv1.3', ecdhCurve: group, sigalgs } as const;
  const guard = createCertificateGuard(coordinator, parts);
  const app = fastify({
    https: {
      ...channel,
      ...guard?.tls(),
      handshakeTimeout: 10_000,
      // How often the limits below are looked at: Node's own half a minute would triple them.
      connectionsCheckingInterval: 2000,
    },
    bodyLimit: jsonBytesMax,
    requestTimeout: 300_000,
    forceCloseConnections: true,
    return503OnClosing: false,
  });
  app.server.headersTimeout = 15_000;
  guard?.watch(app.server, channel);
  watchRefusals(app.server, notes);
  // Bodies of contributions are read by their route, straight into one array.
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null, undefined));

  const routes: readonly Route[] = [
    ...healthRoutes(coordinator, parts.clock),
    ...deviceRoutes(coordinator, surface, { plan: parts.plan, base: `/v1/orgs/${orgId}/runs/${runId}` }),
    ...logRoutes(coordinator, `/v1/orgs/${orgId}/runs/${runId}`),
    ...ownerRoutes(coordinator, parts, options),
    ...certificateRoutes(coordinator, parts),
  ];

  function authenticate(request: FastifyRequest, role: Role): Device | undefined {
    if (role === 'public') return undefined;
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme === 'Bearer' && role === 'owner') {
      const owner = options.ownerToken();
      if (owner !== undefined && proves(token, owner, channelOf(request.raw.socket), crypto)) return undefined;
    }
    if (scheme === 'Bearer' && role === 'device') {
      const device = surface.deviceOf(token, channelOf(request.raw.socket));
      if (device !== undefined && (guard === undefined || guard.names(request.raw.socket, device))) return device;
    }
    admit(request);
    throw new HttpError(401, 'not-authenticated', 'This route needs a valid session');
  }

  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.url,
      handler: (request, reply) => {
        if (route.role === 'public') admit(request);
        const device = authenticate(request, route.role);
        // Bodies that may be cut are counted by their route, as they come.
        if (route.role !== 'owner' && route.method !== 'PATCH') {
          coordinator.countBytes('up', Number(request.headers['content-length'] ?? 0));
        }
        return route.handle({ request, reply, device: device as Device });
      },
      ...(route.role === 'owner'
        ? {}
        : {
            onSend: async (_request: unknown, _reply: unknown, payload: unknown) => {
              coordinator.countBytes('down', sizeOf(payload));
            },
          }),
    });
  }

  /** Journals what is no request of ours; other refusals are journaled where they are made. */
  function noteRefusal(code: string, request: FastifyRequest): void {
    notes.add('request.refused', code, { route: request.routeOptions.url ?? 'none' });
  }

  app.setNotFoundHandler((request, reply) => {
    noteRefusal('no-such-route', request);
    return reply.code(404).send({ error: 'no-such-route', message: 'There is no such route' });
  });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof HttpError) {
      if (journaledHere.has(error.code)) noteRefusal(error.code, request);
      if (error.status === 413 || error.status === 411) request.raw.resume();
      return reply.code(error.status).send({ error: error.code, message: error.message });
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) {
      noteRefusal('malformed', request);
      return reply.code(status).send({ error: 'malformed', message: (error as Error).message });
    }
    process.emitWarning(error as Error);
    return reply.code(500).send({ error: 'internal', message: 'The coordinator failed on this request' });
  });
  return { app, routes };
}

function sizeOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.length : 0;
}
