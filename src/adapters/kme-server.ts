import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { KmeHttpRequest, KmeHttpResponse } from '../core/qkd/etsi014-rules.ts';
import { type SaeRule, saeIdOf } from '../core/qkd/sae-id.ts';

type KmeServerOptions = {
  /** Certificate, key and the authority of the clients; the profile's versions and groups with them. */
  readonly tls: SecureContextOptions;
  readonly answer: (request: KmeHttpRequest) => KmeHttpResponse;
  /** Where a client certificate names its SAE. */
  readonly saeRule: SaeRule;
};

const BODY_BYTES_MAX = 65_536;
const REQUEST_MS_MAX = 10_000;

/**
 * Serves ETSI GS QKD 014 over mutual TLS: a client without a certificate of the authority does not get past the
 * handshake, and whom a request speaks for is read from the certificate alone.
 */
export function createKmeServer(options: KmeServerOptions): Server {
  const server = createServer(
    { ...options.tls, requestCert: true, rejectUnauthorized: true, maxHeaderSize: 16_384 },
    (request, response) => void answer(request, response, options),
  );
  server.headersTimeout = REQUEST_MS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  return server;
}

class TooLarge extends Error {}

async function answer(request: IncomingMessage, response: ServerResponse, options: KmeServerOptions): Promise<void> {
  const { status, body } = await respond(request, options).catch((error: unknown): KmeHttpResponse => {
    if (error instanceof TooLarge) return { status: 413, body: { message: 'Body is too large' } };
    return { status: 500, body: { message: 'Internal error' } };
  });
  const close = status === 413 ? { connection: 'close' } : {};
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...close });
  response.end(JSON.stringify(body));
}

async function respond(request: IncomingMessage, options: KmeServerOptions): Promise<KmeHttpResponse> {
  const socket = request.socket as TLSSocket;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new TooLarge();
    chunks.push(chunk);
  }
  return options.answer({
    method: request.method ?? '',
    target: request.url ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
    saeId: socket.authorized ? saeIdOf(options.saeRule, socket.getPeerCertificate()) : undefined,
  });
}
