import type {
  CertificateAuthority,
  CertificateRecord,
  Generation,
  RevocationReason,
  Trust,
} from '../ports/authority.ts';
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
  readonly lists: readonly { readonly generation: number; readonly pem: string; readonly nextUpdateMs: number }[];
};

/** Where the register lies and the keys are; a key is named by the id that it was kept under. */
export type AuthorityStorage = {
  load(): Promise<AuthorityState | undefined>;
  save(state: AuthorityState): Promise<void>;
  keepKey(pkcs8: Uint8Array): Promise<string>;
  key(id: string): Promise<Uint8Array>;
};

/** Opens the authority of a storage, or undefined where there is none yet. */
export async function openAuthority(
  storage: AuthorityStorage,
  nowMs: () => number,
): Promise<CertificateAuthority | undefined> {
  const state = await storage.load();
  return state && authorityOf(state, storage, nowMs);
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

function indexed({ certificates }: AuthorityState): ReadonlyMap<string, CertificateRecord> {
  return new Map(certificates.map((row) => [row.serial, row]));
}

function publicOf({ keyId: _keyId, ...generation }: StoredGeneration): Generation {
  return generation;
}
