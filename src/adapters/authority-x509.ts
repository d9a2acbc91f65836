import {
  AnchorError,
  type CertificateAuthority,
  type CertificateRecord,
  type Generation,
  type RevocationReason,
  type Trust,
} from '../ports/authority.ts';
import { X509Certificate } from '../primitives/index.ts';
import {
  authorityCertificate,
  type CertificateAlgorithm,
  clientCertificate,
  freshKey,
  freshSerial,
  readRequest,
  revocationList,
  type Signer,
} from './authority-x509/certificates.ts';
import { chainProblem } from './authority-x509/offline-root.ts';

const dayMs = 86_400_000;
const skewMs = 300_000;

/** How long what the authority signs is good for. */
export const authorityTimes = { authorityMs: 3650 * dayMs, certificateMs: 90 * dayMs, listMs: 7 * dayMs } as const;

type StoredGeneration = Generation & { readonly keyId: string };

/** The authority's register: nothing in it is secret. */
export type AuthorityState = {
  readonly version: 1;
  readonly name: string;
  readonly algorithm: CertificateAlgorithm;
  /** Whether requests for EC certificates are answered too. */
  readonly dual: boolean;
  readonly listNumber: number;
  readonly generations: readonly StoredGeneration[];
  readonly certificates: readonly CertificateRecord[];
  /** The root above this authority, where one has signed it: what must lead to it is refused when it does not. */
  readonly anchor?: {
    readonly root: string;
    readonly vouched: readonly { readonly generation: number; readonly certificate: string }[];
  };
  readonly lists: readonly { readonly generation: number; readonly pem: string; readonly nextUpdateMs: number }[];
};

/** Where the register lies and the keys are; a key is named by the id that it was kept under. */
export type AuthorityStorage = {
  load(): Promise<AuthorityState | undefined>;
  save(state: AuthorityState): Promise<void>;
  keepKey(pkcs8: Uint8Array): Promise<string>;
  key(id: string): Promise<Uint8Array>;
};

/**
 * Opens the authority of a storage, or undefined where there is none yet.
 *
 * Errors: AnchorError when it has a root and an authority that is trusted does not lead to it.
 */
export async function openAuthority(
  storage: AuthorityStorage,
  nowMs: () => number,
): Promise<CertificateAuthority | undefined> {
  const state = await storage.load();
  if (state === undefined) return undefined;
  requireAnchored(state, nowMs());
  return authorityOf(state, storage, nowMs);
}

/** Makes an authority: its first key, its certificate and an empty list of revoked ones. */
export async function createAuthority(
  storage: AuthorityStorage,
  options: { readonly name: string; readonly algorithm: CertificateAlgorithm; readonly dual?: boolean },
  nowMs: () => number,
): Promise<CertificateAuthority> {
  const { name, algorithm, dual = false } = options;
  const empty = {
    version: 1,
    name,
    algorithm,
    dual,
    listNumber: 0,
    generations: [],
    certificates: [],
    lists: [],
  } as const;
  const made = authorityOf(empty, storage, nowMs);
  await made.rotate();
  return made;
}

function authorityOf(from: AuthorityState, storage: AuthorityStorage, nowMs: () => number): CertificateAuthority {
  let state = from;
  let bySerial = indexed(state);
  const listeners = new Set<() => void>();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other, each on disk before anybody sees it. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  }

  async function keep(next: AuthorityState): Promise<void> {
    await storage.save(next);
    state = next;
    bySerial = indexed(state);
  }

  const isLive = ({ notAfterMs }: { readonly notAfterMs: number }) => notAfterMs > nowMs();
  const activeOf = ({ generations }: AuthorityState) => generations.findLast((one) => one.state === 'active')!;

  async function signerOf({ keyId, certificate }: StoredGeneration): Promise<Signer> {
    return { algorithm: state.algorithm, key: await storage.key(keyId), certificate };
  }

  /** The state with a fresh list for each authority that is trusted. */
  async function relisted(next: AuthorityState): Promise<AuthorityState> {
    const number = next.listNumber + 1;
    const nextUpdateMs = nowMs() + authorityTimes.listMs;
    const lists = [];
    for (const one of next.generations.filter(isLive)) {
      const revoked = next.certificates.filter((row) => row.generation === one.number && row.revokedAtMs !== null);
      const thisUpdateMs = nowMs() - skewMs;
      const pem = await revocationList(await signerOf(one), { number, thisUpdateMs, nextUpdateMs, revoked });
      lists.push({ generation: one.number, pem, nextUpdateMs });
    }
    return { ...next, listNumber: number, lists };
  }

  async function changed(next: AuthorityState): Promise<void> {
    await keep(await relisted(next));
    for (const listener of listeners) listener();
  }

  async function revokeAll(
    isMeant: (row: CertificateRecord) => boolean,
    reason: RevocationReason,
  ): Promise<readonly CertificateRecord[]> {
    const isHit = (row: CertificateRecord) => isMeant(row) && row.revokedAtMs === null && isLive(row);
    const serials = new Set(state.certificates.filter(isHit).map(({ serial }) => serial));
    if (serials.size === 0) return [];
    const certificates = state.certificates.map((row) =>
      serials.has(row.serial) ? { ...row, revokedAtMs: nowMs(), reason } : row,
    );
    await changed({ ...state, certificates });
    return certificates.filter(({ serial }) => serials.has(serial));
  }

  return {
    issue: (text, subject) =>
      inTurn(async () => {
        const request = await readRequest(text);
        const isWanted = request?.algorithm === state.algorithm || (state.dual && request?.algorithm === 'ECDSA-P-384');
        if (request === undefined || !isWanted) return undefined;
        const generation = activeOf(state);
        const record: CertificateRecord = {
          serial: freshSerial(),
          subject,
          generation: generation.number,
          algorithm: request.algorithm,
          notBeforeMs: nowMs() - skewMs,
          notAfterMs: Math.min(nowMs() + authorityTimes.certificateMs, generation.notAfterMs),
          revokedAtMs: null,
          reason: null,
        };
        const { publicKey } = request;
        const certificate = await clientCertificate(await signerOf(generation), { ...record, publicKey });
        await keep({ ...state, certificates: [...state.certificates, record] });
        return { certificate, record };
      }),
    revoke: (serial, reason) =>
      inTurn(async () => {
        const [hit] = await revokeAll((row) => row.serial === serial, reason);
        return hit ?? bySerial.get(serial);
      }),
    revokeSubject: (subject, reason) => inTurn(() => revokeAll((row) => row.subject === subject, reason)),
    rotate: () =>
      inTurn(async () => {
        const former = state.generations.at(-1);
        const { anchor } = state;
        if (anchor !== undefined && !anchor.vouched.some(({ generation }) => generation === former!.number)) {
          throw new AnchorError(
            `Cannot rotate as the root must have signed authority ${former!.number} first: the next one would not lead to it`,
          );
        }
        const number = (former?.number ?? 0) + 1;
        const { algorithm } = state;
        const key = freshKey(algorithm);
        const own = {
          algorithm,
          key,
          name: `CN=${state.name} ${number}`,
          notBeforeMs: nowMs() - skewMs,
          notAfterMs: nowMs() + authorityTimes.authorityMs,
        };
        const certificate = await authorityCertificate(own);
        const cross = former === undefined ? null : await authorityCertificate(own, await signerOf(former));
        const keyId = await storage.keepKey(key);
        const made: StoredGeneration = {
          number,
          state: 'active',
          notAfterMs: own.notAfterMs,
          certificate,
          cross,
          keyId,
        };
        // A former authority is trusted as long as the longest certificate under it lasts.
        const until = nowMs() + authorityTimes.certificateMs;
        const generations = state.generations.map((one) =>
          one.state === 'active'
            ? { ...one, state: 'retired' as const, notAfterMs: Math.min(one.notAfterMs, until) }
            : one,
        );
        await changed({ ...state, generations: [...generations, made] });
        return publicOf(made);
      }),
    refresh: () =>
      inTurn(async () => {
        const isFresh = state.lists.every(({ nextUpdateMs }) => nextUpdateMs - nowMs() > authorityTimes.listMs / 2);
        if (!isFresh || state.lists.length !== state.generations.filter(isLive).length) await changed(state);
      }),
    anchor: ({ root, certificate }) =>
      inTurn(async () => {
        const active = activeOf(state);
        if (keyOf(certificate) !== keyOf(active.certificate)) {
          throw new AnchorError(`Cannot take the certificate as it must be for the key of authority ${active.number}`);
        }
        if (state.anchor !== undefined && state.anchor.root !== root) {
          throw new AnchorError('Cannot take the root as an authority must keep the one that it has');
        }
        const own = { generation: active.number, certificate };
        const vouched = (state.anchor?.vouched ?? []).filter(({ generation }) => generation !== active.number);
        const next = { ...state, anchor: { root, vouched: [...vouched, own] } };
        requireAnchored(next, nowMs());
        await keep(next);
      }),
    isDual: state.dual,
    certificates: () => state.certificates,
    generations: () => state.generations.map(publicOf),
    standingOf(serial) {
      const row = bySerial.get(serial);
      if (row === undefined) return 'unknown';
      if (row.revokedAtMs !== null) return 'revoked';
      return isLive(row) ? 'valid' : 'expired';
    },
    trust(): Trust {
      const live = state.generations.filter(isLive);
      return { ca: live.map(({ certificate }) => certificate), crl: state.lists.map(({ pem }) => pem) };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Every authority that is trusted leads to the root, where there is one: by its certificate, or by the authority before it. */
function requireAnchored({ anchor, generations }: AuthorityState, nowMs: number): void {
  if (anchor === undefined) return;
  for (const one of generations.filter(({ notAfterMs }) => notAfterMs > nowMs)) {
    const direct = anchor.vouched.find(({ generation }) => generation === one.number)?.certificate;
    const way = direct ?? one.cross;
    const isSameKey = way !== null && keyOf(way) === keyOf(one.certificate);
    const between = anchor.vouched.map(({ certificate }) => certificate);
    const problem = isSameKey
      ? chainProblem(way, { root: anchor.root, between, nowMs })
      : 'nothing vouches for its key';
    if (problem !== undefined) {
      throw new AnchorError(`Cannot trust authority ${one.number} as it must lead to the offline root: ${problem}`);
    }
  }
}

function keyOf(certificate: string): string {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
}

function indexed({ certificates }: AuthorityState): ReadonlyMap<string, CertificateRecord> {
  return new Map(certificates.map((row) => [row.serial, row]));
}

function publicOf({ keyId: _keyId, ...generation }: StoredGeneration): Generation {
  return generation;
}
