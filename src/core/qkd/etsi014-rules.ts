import type { KeyContainer, KeyRequest, KmeError, KmeStatus } from './etsi014-messages.ts';
import { keyIdsSchema, keyRequestSchema } from './etsi014-messages.ts';
import type { KeyPool, PooledKey } from './key-pool.ts';

export type KmeOptions = {
  readonly pool: KeyPool;
  readonly kmeId: string;
  readonly peerKmeId: string;
  /** SAEs that may ask here or be asked for. */
  readonly saeIds: readonly string[];
  readonly keySizeBits: number;
  readonly keySizeBitsMin: number;
  readonly keySizeBitsMax: number;
  readonly keysPerRequestMax: number;
  readonly keyCountMax: number;
  readonly additionalSaesMax: number;
  /** Names of mandatory extensions that are understood. */
  readonly extensions: readonly string[];
};

export type KmeHttpRequest = {
  readonly method: string;
  /** Path and query as received. */
  readonly target: string;
  readonly body: string;
  /** From the client's certificate, never from the request. */
  readonly saeId: string | undefined;
};

export type KmeHttpResponse = { readonly status: number; readonly body: KmeStatus | KeyContainer | KmeError };

/** Ends a request with an error of the contract. */
class KmeRefusal extends Error {
  readonly status: number;
  readonly details: readonly Record<string, unknown>[];

  constructor(status: number, message: string, details: readonly Record<string, unknown>[] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

const bad = (message: string, ...details: Record<string, unknown>[]) => new KmeRefusal(400, message, details);

/**
 * Answers one request to a key management entity that is fed by *simulated* links (its status says so).
 *
 * Promises: 401 for an SAE that is not known or not the certificate's, and for one that asks for a key of others; 400 for anything malformed, outside the limits,
 *          not a multiple of 8 bits, or with an unknown mandatory extension; 503 when the pool holds too little; keys
 *          are handed out once per side, and a request that fails hands out none.
 * Source:  ETSI GS QKD 014 V1.1.1 (2019-02), sections 5 and 6.
 * Differs: unknown optional members are ignored, an unknown path is 404 and a wrong method 405, which the text leaves open.
 */
export function answerKmeRequest(options: KmeOptions, request: KmeHttpRequest): KmeHttpResponse {
  try {
    return { status: 200, body: route(options, request) };
  } catch (error) {
    if (!(error instanceof KmeRefusal)) throw error;
    const details = error.details.length > 0 ? { details: [...error.details] } : {};
    return { status: error.status, body: { message: error.message, ...details } };
  }
}

function route(options: KmeOptions, request: KmeHttpRequest): KmeStatus | KeyContainer {
  const [path, query] = splitTarget(request.target);
  const match = /^\/api\/v1\/keys\/([^/]+)\/(status|enc_keys|dec_keys)$/.exec(path);
  if (match === null) throw new KmeRefusal(404, 'Unknown path');
  const caller = request.saeId;
  if (caller === undefined || !options.saeIds.includes(caller)) throw new KmeRefusal(401, 'SAE is not authorised');
  const peer = decodeSegment(match[1]!);
  if (peer === caller || !options.saeIds.includes(peer))
    throw new KmeRefusal(401, 'SAE is not authorised for this peer');
  if (match[2] === 'status') {
    expectMethod(request.method, 'GET');
    return statusOf(options, caller, peer);
  }
  expectMethod(request.method, 'GET', 'POST');
  const isPost = request.method === 'POST';
  if (match[2] === 'enc_keys') {
    return encKeys(options, caller, peer, isPost ? parseBody(request.body, keyRequestSchema) : keyRequestOf(query));
  }
  const keyIds = isPost
    ? parseBody(request.body, keyIdsSchema).key_IDs.map((entry) => entry.key_ID)
    : parse({ key_IDs: [{ key_ID: only(query, 'key_ID') }] }, keyIdsSchema).key_IDs.map((entry) => entry.key_ID);
  return decKeys(options, peer, caller, keyIds);
}

function statusOf(options: KmeOptions, master: string, slave: string): KmeStatus {
  return {
    source_KME_ID: options.kmeId,
    target_KME_ID: options.peerKmeId,
    master_SAE_ID: master,
    slave_SAE_ID: slave,
    key_size: options.keySizeBits,
    stored_key_count: Math.min(
      options.keyCountMax,
      Math.floor((8 * options.pool.distilledBytes()) / options.keySizeBits),
    ),
    max_key_count: options.keyCountMax,
    max_key_per_request: options.keysPerRequestMax,
    max_key_size: options.keySizeBitsMax,
    min_key_size: options.keySizeBitsMin,
    max_SAE_ID_count: options.additionalSaesMax,
    status_extension: { source: 'simulated' },
  };
}

function encKeys(options: KmeOptions, master: string, slave: string, request: KeyRequest): KeyContainer {
  const { number = 1, size = options.keySizeBits, additional_slave_SAE_IDs: others = [] } = request;
  const unknown = (request.extension_mandatory ?? [])
    .flatMap((extension) => Object.keys(extension))
    .filter((name) => !options.extensions.includes(name));
  if (unknown.length > 0) {
    throw bad(
      'not all extension_mandatory parameters are supported',
      ...unknown.map((name) => ({ extension_mandatory_unsupported: `${name} is not supported` })),
    );
  }
  if (number > options.keysPerRequestMax)
    throw bad('number is too large', { max_key_per_request: options.keysPerRequestMax });
  if (size % 8 !== 0) throw bad('size shall be a multiple of 8', { size });
  if (size < options.keySizeBitsMin || size > options.keySizeBitsMax) {
    throw bad('size is out of range', { min_key_size: options.keySizeBitsMin, max_key_size: options.keySizeBitsMax });
  }
  if (others.length > options.additionalSaesMax) {
    throw bad('Too many additional_slave_SAE_IDs', { max_SAE_ID_count: options.additionalSaesMax });
  }
  const slaves = [slave, ...others];
  if (new Set([master, ...slaves]).size !== slaves.length + 1) throw bad('SAE IDs must differ');
  if (!others.every((sae) => options.saeIds.includes(sae)))
    throw new KmeRefusal(401, 'SAE is not authorised for this peer');
  const keys = options.pool.reserve({ count: number, sizeBytes: size / 8, master, slaves });
  if (keys === undefined) throw new KmeRefusal(503, 'Not enough keys are stored');
  return container(keys);
}

function decKeys(options: KmeOptions, master: string, slave: string, keyIds: readonly string[]): KeyContainer {
  if (keyIds.length > options.keysPerRequestMax) {
    throw bad('Too many key_IDs', { max_key_per_request: options.keysPerRequestMax });
  }
  const ids = keyIds.map((id) => id.toLowerCase());
  if (options.pool.isForOthers(ids, slave)) throw new KmeRefusal(401, 'SAE is not authorised for these keys');
  const keys = options.pool.collect({ keyIds: ids, master, slave });
  if (keys === undefined) throw bad('one or more keys specified are not found on KME');
  return container(keys);
}

function container(keys: readonly PooledKey[]): KeyContainer {
  return {
    keys: keys.map(({ keyId, bytes }) => {
      const key = bytes.toBase64();
      bytes.fill(0);
      return { key_ID: keyId, key };
    }),
  };
}

function splitTarget(target: string): [string, URLSearchParams] {
  const at = target.indexOf('?');
  return at < 0 ? [target, new URLSearchParams()] : [target.slice(0, at), new URLSearchParams(target.slice(at + 1))];
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw bad('Malformed SAE ID');
  }
}

function expectMethod(method: string, ...allowed: readonly string[]): void {
  if (!allowed.includes(method)) throw new KmeRefusal(405, `Method must be ${allowed.join(' or ')}`);
}

/** A parameter that stands at most once. */
function only(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw bad(`${name} stands more than once`);
  return values[0];
}

function keyRequestOf(query: URLSearchParams): KeyRequest {
  const integer = (name: string) => {
    const text = only(query, name);
    if (text === undefined) return {};
    if (!/^\d{1,9}$/.test(text)) throw bad(`${name} must be an integer`);
    return { [name]: Number(text) };
  };
  // What changes a request is never passed over: these travel in a body.
  for (const name of ['additional_slave_SAE_IDs', 'extension_mandatory']) {
    if (query.has(name)) throw bad(`${name} must be sent with POST`);
  }
  return parse({ ...integer('number'), ...integer('size') }, keyRequestSchema);
}

type Schema<T> = {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
};
type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

function parseBody<T>(text: string, schema: Schema<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw bad('Body is not JSON');
  }
  return parse(value, schema);
}

function parse<T>(value: unknown, schema: Schema<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw bad(
    'Malformed request',
    ...result.error.issues.slice(0, 8).map((issue) => ({ [issue.path.join('.')]: issue.message })),
  );
}
