import { Agent, request as httpsRequest } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { keyContainerSchema, kmeErrorSchema, kmeStatusSchema } from '../core/qkd/etsi014-messages.ts';
import type { KeySource, KeySourceStatus, KeySourceTlsProfile, SharedKey } from '../ports/key-source.ts';

/**
 * The TLS towards a key management entity. Vendors speak classical TLS, so `classical` exists, must be chosen by name,
 * and is shown in every status; keys that came over it are mixed with ML-KEM and X25519, never used alone.
 */
export const KEY_SOURCE_TLS_PROFILES = {
  'post-quantum': { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' },
  classical: { minVersion: 'TLSv1.2', ecdhCurve: 'X25519:P-256:P-384' },
} as const satisfies Record<KeySourceTlsProfile, SecureContextOptions & { readonly ecdhCurve: string }>;

type Etsi014Options = {
  /** For example https://kme-a.example:8443 */
  readonly url: string;
  /** The SAE at the other end of the link. */
  readonly peerSaeId: string;
  readonly profile: KeySourceTlsProfile;
  /** This SAE's certificate and key, and the authority of the entity. */
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
  readonly timeoutMs?: number;
};

/** What a key management entity answered instead of keys. */
export class KeySourceError extends Error {
  /** The HTTP status; 0 when there was no usable answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(`Cannot fetch keys as the key source must answer 200: current value is ${status} (${message})`);
    this.name = 'KeySourceError';
    this.status = status;
  }
}

type Reply = { readonly status: number; readonly json: unknown; readonly tlsGroup: string | undefined };

const ANSWER_BYTES_MAX = 1 << 20;

/** A client of ETSI GS QKD 014 V1.1.1 for any vendor's entity, and for ours. */
export function createEtsi014KeySource(options: Etsi014Options): KeySource & { close(): void } {
  const agent = new Agent({
    ...options.tls,
    ...KEY_SOURCE_TLS_PROFILES[options.profile],
    rejectUnauthorized: true,
    keepAlive: true,
  });
  const base = new URL(`/api/v1/keys/${encodeURIComponent(options.peerSaeId)}/`, options.url);
  if (base.protocol !== 'https:') {
    throw new RangeError(`Cannot make a key source as its url must be https: current value is ${options.url}`);
  }

  const call = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> => {
    const reply = await exchangeJson({
      method,
      url: new URL(path, base),
      body,
      agent,
      timeoutMs: options.timeoutMs ?? 10_000,
    });
    if (reply.status === 200) return reply;
    const error = kmeErrorSchema.safeParse(reply.json);
    throw new KeySourceError(reply.status, error.success ? error.data.message : 'no error message');
  };
  const keysOf = (json: unknown): SharedKey[] => {
    const parsed = keyContainerSchema.safeParse(json);
    if (!parsed.success) throw new KeySourceError(0, 'malformed key container');
    return parsed.data.keys.map((entry) => ({ keyId: entry.key_ID, bytes: Uint8Array.fromBase64(entry.key) }));
  };

  return {
    async status(): Promise<KeySourceStatus> {
      const { json, tlsGroup } = await call('GET', 'status');
      const parsed = kmeStatusSchema.safeParse(json);
      if (!parsed.success) throw new KeySourceError(0, 'malformed status');
      const extension = parsed.data.status_extension as { readonly source?: unknown } | undefined;
      return {
        source: extension?.source === 'simulated' ? 'simulated' : 'unknown',
        tlsProfile: options.profile,
        tlsGroup,
        storedKeyCount: parsed.data.stored_key_count,
        keySizeBits: parsed.data.key_size,
        keysPerRequestMax: parsed.data.max_key_per_request,
      };
    },
    async reserve({ count, sizeBits }) {
      const keys = keysOf((await call('POST', 'enc_keys', { number: count, size: sizeBits })).json);
      if (keys.length !== count || keys.some((key) => key.bytes.length * 8 !== sizeBits)) {
        throw new KeySourceError(0, `not ${count} keys of ${sizeBits} bits`);
      }
      return keys;
    },
    async collect(keyIds) {
      const body = { key_IDs: keyIds.map((keyId) => ({ key_ID: keyId })) };
      const keys = keysOf((await call('POST', 'dec_keys', body)).json);
      const byId = new Map(keys.map((key) => [key.keyId, key]));
      return keyIds.map((keyId) => {
        const key = byId.get(keyId);
        if (key === undefined) throw new KeySourceError(0, 'another key than asked for');
        return key;
      });
    },
    close: () => agent.destroy(),
  };
}

type Call = {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly body: unknown;
  readonly agent: Agent;
  readonly timeoutMs: number;
};

function exchangeJson({ method, url, body, agent, timeoutMs }: Call): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const request = httpsRequest(url, { method, agent, headers, timeout: timeoutMs }, (response) => {
      const group = (response.socket as TLSSocket).getEphemeralKeyInfo() as { readonly name?: string } | null;
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) request.destroy(new KeySourceError(0, 'answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, json: parseJson(Buffer.concat(chunks)), tlsGroup: group?.name });
      });
    });
    request.on('timeout', () => request.destroy(new KeySourceError(0, `no answer in ${timeoutMs} ms`)));
    request.on('error', reject);
    request.end(payload);
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
