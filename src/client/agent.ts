import { parsePlan } from '../core/plan/plan.ts';
import { type RefusalCode, refusalCodes } from '../core/intake/rejection.ts';
import {
  type Announcement,
  declineBytes,
  type DeclineRequest,
  type SignedAnnouncement,
  signedAnnouncement,
} from '../core/protocol/messages.ts';
import type { OwnPrivacy } from '../core/protocol/own-privacy.ts';
import { purposes } from '../core/protocol/purposes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Identity } from '../ports/identity.ts';
import type { SiteMemory } from '../ports/site-memory.ts';
import type { SiteLedgerStore } from '../ports/site-ledger.ts';
import type { Trainer } from '../ports/trainer.ts';
import { type Transport, TransportError } from '../ports/transport.ts';
import { createAnnouncementTrust } from './announcement-trust.ts';
import { createDeviceKey } from './device-key.ts';
import { createDownload } from './download.ts';
import { RefusedError, TrainerError, VersionError } from './ends.ts';
import { createLogWatch, type LogDeparture } from './log-watch.ts';
import { createClientQkd, NoQkdKeyError, type SiteQkd } from './qkd.ts';
import type { Room } from './room.ts';
import { createOwnPrivacy } from './own-privacy.ts';
import { createPaceKeeper } from './pace.ts';
import { createLocalPrivacy } from './local-privacy.ts';
import { createDelivery } from './upload.ts';
import { BudgetSpentError, contribute } from './work.ts';

const backoffMsMin = 200;
const backoffMsMax = 5000;
const trainerFailuresMax = 3;
const cachedFilesMax = 2;

export type AgentParts = {
  readonly identity: Identity;
  /** Keeps what this device must remember between starts. */
  readonly saveIdentity: (identity: Identity) => Promise<void>;
  /** The QKD link of this site, where it has one. */
  readonly siteQkd?: SiteQkd | undefined;
  /** SHA-256 of the server's TLS key in hexadecimal. */
  readonly pin: string;
  readonly transport: Transport;
  readonly crypto: Crypto;
  readonly deflate: Deflate;
  /** Noise under local privacy. */
  readonly entropy: Entropy;
  /** What this site has released under local privacy; in memory unless given. */
  readonly siteLedger?: SiteLedgerStore | undefined;
  readonly trainer: Trainer;
  /** What the site remembers from round to round. */
  readonly memory: SiteMemory;
  readonly clock: Clock;
  /** How long to go on trying when the coordinator cannot be reached. */
  readonly patienceMs: number;
  /** Envelopes above this size are uploaded in parts; the protocol's own limit unless given. */
  readonly wholeBytesMax?: number;
  /** Memory for one envelope after the other, where the transport keeps nothing of what it has sent. */
  readonly room?: Room | undefined;
  /** Where it is kept that the log departs from what this site has seen; without it the log is not watched. */
  readonly keepDeparture?: (found: LogDeparture) => Promise<void>;
  /** What happens, for people. */
  readonly say: (text: string) => void;
};

/** How a run ended for this site. */
export type Outcome = {
  readonly end: NonNullable<Announcement['end']>;
  readonly reason: string;
  readonly contributions: number;
  /** What this client was told of its own loss; under central privacy alone. */
  readonly privacy?: OwnPrivacy;
};

/** Takes part in a run until it ends, through any number of lost connections. Gives how the run ended. */
export async function takePart(parts: AgentParts): Promise<Outcome> {
  const { identity, transport, crypto, clock, say } = parts;
  const plan = parsePlan(identity.plan);
  let kept = identity;
  // What different parts of the agent keep goes into one file.
  const keep = (
    part: Partial<Pick<Identity, 'qkd' | 'local' | 'signingSeed' | 'nextSeed' | 'announcementVersion' | 'log'>>,
  ) => {
    kept = { ...kept, ...part };
    return parts.saveIdentity(kept);
  };
  const deviceKey = createDeviceKey({ identity, crypto, transport, pin: parts.pin, save: keep });
  const isFromCoordinator = createAnnouncementTrust({ identity, crypto, nowMs: () => clock.wallMs(), save: keep });
  const qkd = createClientQkd({ plan, identity, save: keep, site: parts.siteQkd, say });
  const local = createLocalPrivacy({
    plan,
    entropy: parts.entropy,
    released: identity.local?.released ?? 0,
    answers: identity.local?.reports,
    head: identity.local?.ledger,
    ledger: parts.siteLedger,
    owner: { subject: identity.clientId, run: identity.runId },
    save: (next) => keep({ local: next }),
  });
  await local?.open();
  const own = createOwnPrivacy(say);
  const pace = createPaceKeeper({ plan, trainer: parts.trainer, memory: parts.memory, clock });
  const { keepDeparture } = parts;
  const log = keepDeparture && createLogWatch({ identity, transport, crypto, save: keep, keepDeparture });
  const base = `/v1/orgs/${identity.orgId}/runs/${identity.runId}`;

  let session = '';
  let newest: Announcement | undefined;
  let end: Pick<Outcome, 'end' | 'reason'> | undefined;
  let contributions = 0;
  let trainerFailures = 0;
  let failure: unknown;
  let isWorking = false;
  let stream = new AbortController();
  /** The announcement that asked for the newest key of this device. */
  let rotatedFor: Announcement | undefined;
  const done = new Set<string>();

  async function authenticate(): Promise<void> {
    session = await deviceKey.openSession();
  }

  /** A session ends after half a day, or with the coordinator's process: the stream may live on, or not be back yet. */
  async function renewSession(): Promise<void> {
    await authenticate().catch((error: unknown) => {
      if (!isTransient(error)) throw error;
    });
  }

  async function listen(): Promise<void> {
    await authenticate();
    stream = new AbortController();
    own.connected();
    const { protocol, group, cipher } = transport.negotiated()!;
    const roundSeconds = await pace.claim();
    const headers = {
      ...(roundSeconds === undefined ? {} : { 'qflare-round-seconds': roundSeconds.toPrecision(3) }),
      'qflare-tls': `${protocol} ${group} ${cipher}`,
      ...(parts.siteQkd === undefined ? {} : { 'qflare-sae': parts.siteQkd.saeId }),
    };
    for await (const event of transport.events(
      { method: 'GET', path: `${base}/events`, session, headers },
      stream.signal,
    )) {
      if (event.event === 'replaced') {
        throw new RefusedError(
          'Another process takes part with the key of this device, and only one may: end it, or join with a link of its own',
        );
      }
      if (event.event === 'privacy') own.hear(event.data);
      if (event.event !== 'announcement') continue;
      own.started();
      const announcement = await verify(event.data);
      newest = announcement;
      if (announcement.state === 'done') {
        end = { end: announcement.end ?? 'completed', reason: announcement.reason ?? 'the run has ended' };
        stream.abort();
        return;
      }
      if (announcement.reason !== undefined) say(announcement.reason);
      if (announcement.state === 'work' || announcement.rotateKey === true) startWork();
    }
  }

  /** A message that the coordinator's key has not signed for this device is an attack or a mix-up: nothing is done. */
  async function verify(data: string): Promise<Announcement> {
    const message = readAnnouncement(data);
    const { orgId, runId, deviceId } = message.announcement;
    const isOurs = orgId === identity.orgId && runId === identity.runId && deviceId === identity.deviceId;
    if (!isOurs || !(await isFromCoordinator(message)))
      throw new TransportError('security', 'An announcement is not signed by the coordinator for this device');
    return message.announcement;
  }

  /** Works on the newest announcement; one that arrives meanwhile is taken up afterwards. */
  function startWork(): void {
    if (isWorking) return;
    isWorking = true;
    void (async () => {
      try {
        while (newest !== undefined && end === undefined) {
          const current = newest;
          if (current.rotateKey === true && current !== rotatedFor) {
            rotatedFor = current;
            await deviceKey.replace(session);
          } else if (current.state !== 'work' || done.has(keyOf(current))) break;
          else await work(current);
        }
      } catch (error) {
        failure = error;
        stream.abort();
      } finally {
        isWorking = false;
      }
    })();
  }

  async function work(announcement: Announcement): Promise<void> {
    let envelope: Uint8Array;
    if (announcement.collects === 'update') await log?.check(announcement);
    try {
      envelope = await contribute(announcement, {
        ...parts,
        plan,
        clientId: identity.clientId,
        key: deviceKey.current(),
        fetchModel,
        pace,
        qkd,
        local,
      });
      trainerFailures = 0;
    } catch (error) {
      if (error instanceof TransportError) throw error;
      done.add(keyOf(announcement));
      say(`round ${announcement.round}: ${(error as Error).message}`);
      const reason = declineReason(error);
      await decline(announcement, reason);
      // The next round brings another key; a budget stays spent. Neither is a failure of the trainer.
      if (reason !== 'trainer-failed') return;
      trainerFailures += 1;
      if (trainerFailures >= trainerFailuresMax) {
        throw new TrainerError(
          `Cannot take part as the trainer must work: it failed ${trainerFailures} times in a row, last with: ${(error as Error).message}`,
        );
      }
      return;
    }
    await pace.transferring(() => send(announcement, envelope));
    if (announcement.collects === 'update') await pace.settle();
  }

  /** Tells the round not to wait. Lost on the way it costs the round its deadline, and nothing else. */
  async function decline(
    { orgId, runId, deviceId, round, phaseId }: Announcement,
    reason: DeclineRequest['decline']['reason'],
  ): Promise<void> {
    const body = { version: 1, orgId, runId, deviceId, round, phaseId, reason } as const;
    const signature = deviceKey.current().sign(purposes.decline, declineBytes(body)).toBase64();
    await transport
      .request({ method: 'POST', path: `${base}/declines`, session, json: { decline: body, signature } })
      .catch((error: unknown) => {
        if (!isTransient(error)) throw error;
      });
  }

  /** Sends until it is accepted, refused, or the phase is over. The same bytes each time: sending twice is no harm. */
  async function send(announcement: Announcement, envelope: Uint8Array): Promise<void> {
    const isCurrent = () => newest !== undefined && keyOf(newest) === keyOf(announcement) && end === undefined;
    const deliver = createDelivery(envelope, {
      transport,
      path: `${base}/contributions`,
      session: () => session,
      contentHash: () => crypto.sha256(envelope).toHex(),
      wholeBytesMax: parts.wholeBytesMax,
    });
    for (let attempt = 0; isCurrent(); attempt++) {
      const delivery = await deliver().catch((error: unknown) => {
        if (isTransient(error)) return undefined;
        throw error;
      });
      const reply = delivery?.kind === 'answered' ? delivery.reply : undefined;
      if (reply?.status === 201) {
        contributions += 1;
        if (announcement.collects === 'update') log?.counted(announcement);
        done.add(keyOf(announcement));
        return;
      }
      if (reply !== undefined && reply.status !== 401 && reply.status < 500) {
        done.add(keyOf(announcement));
        const code = refusalOf(reply.body);
        say(`round ${announcement.round}, ${announcement.phaseId}: refused: ${refusalCodes[code] ?? code}`);
        if (code === 'wrong-version') throw new VersionError(refusalCodes[code]);
        return;
      }
      if (delivery?.kind === 'again' && delivery.hasMoved) attempt = 0;
      await clock.sleep(backoffMs(attempt));
      if (reply?.status === 401) await renewSession();
    }
  }

  // The model that a site evaluates in one round is the one it trains from in the next; another file may go beside it.
  const cached = new Map<string, Uint8Array>();

  async function fetchModel(hash: string): Promise<Uint8Array> {
    const known = cached.get(hash);
    if (known !== undefined) return known;
    const bytes = await pace.transferring(() => downloadModel(hash));
    if (crypto.sha256(bytes).toHex() !== hash) {
      throw new TransportError('security', 'A model does not match the hash under which it was announced');
    }
    cached.set(hash, bytes);
    if (cached.size > cachedFilesMax) cached.delete(cached.keys().next().value!);
    return bytes;
  }

  async function downloadModel(hash: string): Promise<Uint8Array> {
    const download = createDownload(transport, `${base}/models/${hash}`, hash);
    for (let attempt = 0; ; attempt++) {
      const before = download.received();
      try {
        const answer = await download.attempt(session);
        if (answer instanceof Uint8Array) return answer;
        if (answer.status === 401) await renewSession();
        else throw new TransportError('network', `The coordinator has no model ${hash}`);
      } catch (error) {
        // What came before a cut is kept, so that any line that brings bytes brings the model.
        if (download.received() > before) attempt = 0;
        else if (!isTransient(error) || attempt > 20) throw error;
      }
      await clock.sleep(backoffMs(attempt));
    }
  }

  function backoffMs(attempt: number): number {
    const jitter = 0.5 + (crypto.randomBytes(1)[0] ?? 0) / 256;
    return Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(attempt, 10)) * jitter;
  }

  let lastContactMs = clock.monotonicMs();
  for (let attempt = 0; ; attempt++) {
    const before = newest;
    try {
      await listen();
    } catch (error) {
      if (failure === undefined && !isTransient(error)) throw error;
      if (attempt === 0 && failure === undefined) say(`${(error as Error).message}; trying again`);
    }
    if (failure !== undefined) {
      if (!isTransient(failure)) throw failure;
      failure = undefined;
    }
    const privacy = own.newest();
    if (end !== undefined) return { ...end, contributions, ...(privacy === undefined ? {} : { privacy }) };
    if (newest !== before) {
      attempt = 0;
      lastContactMs = clock.monotonicMs();
    }
    if (clock.monotonicMs() - lastContactMs > parts.patienceMs) {
      throw new TransportError(
        'network',
        'The coordinator could not be reached for too long; join again with the same link',
      );
    }
    await clock.sleep(backoffMs(attempt));
  }
}

/** Reads an announcement before its signature is checked: of another version there may be none that we know. */
function readAnnouncement(data: string): SignedAnnouncement {
  const message: unknown = JSON.parse(data);
  const parsed = signedAnnouncement.safeParse(message);
  if (parsed.success) return parsed.data;
  const version = (message as { announcement?: { version?: unknown } } | null)?.announcement?.version;
  throw new VersionError(
    version === 1 ? 'its announcement has another form' : `its announcement is of version ${JSON.stringify(version)}`,
  );
}

/** The code with which a contribution was refused; what no coordinator of ours says is shown as it is. */
function refusalOf(body: Uint8Array): RefusalCode {
  const text = new TextDecoder().decode(body);
  try {
    return (JSON.parse(text) as { error: RefusalCode }).error;
  } catch {
    return text.slice(0, 200) as RefusalCode;
  }
}

function declineReason(error: unknown): DeclineRequest['decline']['reason'] {
  if (error instanceof NoQkdKeyError) return 'no-qkd-key';
  return error instanceof BudgetSpentError ? 'privacy-budget-spent' : 'trainer-failed';
}

function isTransient(error: unknown): boolean {
  return error instanceof TransportError && error.kind === 'network';
}

function keyOf({ round, phaseId }: Announcement): string {
  return `${round}/${phaseId}`;
}
