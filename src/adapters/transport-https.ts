import type { X509Certificate } from 'node:crypto';
import { createHash, timingSafeEqual } from '../primitives/index.ts';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { credentialOf, exporterOf } from '../core/protocol/channel-binding.ts';
import { refusalIn } from '../core/protocol/refusal-text.ts';
import {
  type Call,
  type Negotiated,
  type Reply,
  type StreamEvent,
  type Transport,
  TransportError,
} from '../ports/transport.ts';

const replyBytesMax = 2 ** 31;
const silenceMsMax = 60_000;
const partBytes = 1 << 20;
const handshakeMsMax = 20_000;

/**
 * HTTPS to a coordinator whose TLS key is pinned. Before a byte is sent, the protocol must be TLS 1.3, the group the
 * post-quantum one, and the server's key the pinned one.
 */
export function createHttpsTransport(target: {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the server's SubjectPublicKeyInfo. */
  readonly pin: Uint8Array;
  readonly group: string;
  /** What the server may sign its handshake with; any that OpenSSL knows unless given. */
  readonly sigalgs?: string;
  /** The certificate of this device and its key, PEM, where it has one; asked for at each connection. */
  readonly certificate?: () => { readonly cert: string; readonly key: string } | undefined;
  /** How long connecting and the handshake may take together. */
  readonly handshakeMsMax?: number;
}): Transport {
  let newest: Negotiated | null = null;

  function openSocket(callback: (error: Error | null, socket?: TLSSocket) => void): void {
    const socket = connect({
      host: target.host,
      port: target.port,
      minVersion: 'TLSv1.3',
      ecdhCurve: target.group,
      ...(target.sigalgs === undefined ? {} : { sigalgs: target.sigalgs }),
      ...target.certificate?.(),
      // The pin replaces the chain: a self-made certificate has none. The handshake's signature is checked all the same.
      rejectUnauthorized: false,
    });
    const onError = (error: Error) => callback(networkError(error, target));
    socket.once('error', onError);
    // A peer that is stopped takes connections and never answers: without a limit the client would wait for ever.
    const limit = setTimeout(
      () => socket.destroy(new Error('the coordinator does not answer')),
      target.handshakeMsMax ?? handshakeMsMax,
    );
    socket.once('close', () => clearTimeout(limit));
    socket.once('secureConnect', () => {
      clearTimeout(limit);
      socket.off('error', onError);
      try {
        newest = checkPeer(socket, target);
        callback(null, socket);
      } catch (error) {
        socket.destroy();
        callback(error as Error);
      }
    });
  }

  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0, maxSockets: 4 });
  agent.createConnection = (_options: unknown, callback: unknown) => {
    openSocket(callback as (error: Error | null, socket?: TLSSocket) => void);
    return undefined as never;
  };

  function send(call: Call, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent,
        method: call.method,
        path: call.path,
        host: target.host,
        port: target.port,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          ...call.headers,
        },
      });
      outgoing.setTimeout(silenceMsMax, () => outgoing.destroy(new Error('the coordinator is silent')));
      outgoing.once('error', (error) => reject(networkError(error, target)));
      outgoing.once('response', resolve);
      outgoing.once('socket', (socket) => {
        // An error here is one of the request, whose promise it rejects.
        try {
          begin(outgoing, call, exporterOf(socket as TLSSocket));
        } catch (error) {
          outgoing.destroy(error as Error);
        }
      });
    });
  }

  return {
    async request(call): Promise<Reply> {
      const response = await send(call);
      try {
        const dateMs = Date.parse(response.headers.date ?? '');
        const body = await readAll(response);
        const status = response.statusCode ?? 0;
        return { status, headers: headersOf(response), body, ...(Number.isNaN(dateMs) ? {} : { dateMs }) };
      } catch (error) {
        throw networkError(error as Error, target);
      }
    },
    async fetch(call, receive): Promise<Reply> {
      const response = await send(call);
      const status = response.statusCode ?? 0;
      const headers = headersOf(response);
      try {
        if (status < 200 || status > 299) return { status, headers, body: await readAll(response) };
        for await (const part of response as AsyncIterable<Uint8Array>) receive(part, headers);
        return { status, headers, body: new Uint8Array() };
      } catch (error) {
        throw networkError(error as Error, target);
      }
    },
    async *events(call, signal) {
      const response = await send(call, signal);
      if (response.statusCode !== 200) {
        const body = await readAll(response);
        // The coordinator will not take this site as it is: to ask again does not help.
        if (response.statusCode === 409) throw new TransportError('security', refusalIn(body));
        throw new TransportError('network', `status ${response.statusCode}: ${new TextDecoder().decode(body)}`);
      }
      try {
        yield* parseEvents(response);
      } catch (error) {
        if (!signal.aborted) throw networkError(error as Error, target);
      }
    },
    negotiated: () => newest,
    close: () => agent.destroy(),
  };
}

function checkPeer(socket: TLSSocket, target: { readonly pin: Uint8Array; readonly group: string }): Negotiated {
  const protocol = socket.getProtocol() ?? 'none';
  if (protocol !== 'TLSv1.3') throw new TransportError('security', `The channel must be TLS 1.3: it is ${protocol}`);
  const group = (socket.getEphemeralKeyInfo() as { name?: string } | null)?.name ?? 'none';
  if (group !== target.group) {
    throw new TransportError('security', `The key exchange must be ${target.group}: it is ${group}`);
  }
  const certificate = socket.getPeerX509Certificate() as X509Certificate | undefined;
  const spki = certificate?.publicKey.export({ type: 'spki', format: 'der' }) ?? Buffer.alloc(0);
  const actual = createHash('sha256').update(spki).digest();
  if (target.pin.length !== actual.length || !timingSafeEqual(actual, target.pin)) {
    throw new TransportError(
      'security',
      'The server does not hold the key that the link names: this is another coordinator, or somebody in between',
    );
  }
  return { protocol, group, cipher: socket.getCipher().standardName };
}

function networkError(error: Error, target: { readonly host: string; readonly port: number }): TransportError {
  if (error instanceof TransportError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code?.startsWith('ERR_SSL')) {
    return new TransportError('security', `The coordinator refused the secure channel (${code})`);
  }
  return new TransportError(
    'network',
    `Cannot reach the coordinator at ${target.host}:${target.port}: ${error.message}`,
  );
}

/** Sends a request over the connection that it was given: what proves the sender's identity is made for that one. */
function begin(outgoing: ClientRequest, call: Call, channel: string): void {
  if (call.session !== undefined) outgoing.setHeader('authorization', `Bearer ${credentialOf(call.session, channel)}`);
  const json = call.jsonOver === undefined ? call.json : call.jsonOver(channel);
  const body = call.bytes ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)));
  if (body !== undefined) {
    outgoing.setHeader('content-type', call.bytes === undefined ? 'application/json' : 'application/octet-stream');
    outgoing.setHeader('content-length', body.length);
  }
  if (body !== undefined && body.length > partBytes) void sendParts(outgoing, body);
  else outgoing.end(body);
}

/** Writes a large body in parts, no faster than the line takes them. An error shows at the request itself. */
async function sendParts(outgoing: ClientRequest, body: Uint8Array): Promise<void> {
  const closed = new Promise((resolve) => outgoing.once('close', resolve));
  for (let at = 0; at < body.length && !outgoing.destroyed; at += partBytes) {
    if (outgoing.write(body.subarray(at, at + partBytes))) continue;
    await Promise.race([closed, new Promise((resolve) => outgoing.once('drain', resolve))]);
  }
  if (!outgoing.destroyed) outgoing.end();
}

function headersOf(response: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > replyBytesMax) throw new Error(`the reply is larger than ${replyBytesMax} bytes`);
  }
  return Buffer.concat(chunks, length);
}

/** The HTML standard's event stream format, as far as the coordinator writes it. */
async function* parseEvents(response: IncomingMessage): AsyncGenerator<StreamEvent> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const text of response as unknown as AsyncIterable<string>) {
    rest += text;
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const fields = new Map(
        rest
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, Math.max(0, line.indexOf(':'))), line.slice(line.indexOf(':') + 2)]),
      );
      rest = rest.slice(end + 2);
      const data = fields.get('data');
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', id: fields.get('id'), data };
    }
  }
}
