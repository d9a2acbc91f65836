import { parsePlan } from '../core/plan/plan.ts';
import { type Announcement, announcementBytes, signedAnnouncement } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { Identity } from '../ports/identity.ts';
import type { Trainer } from '../ports/trainer.ts';
import { type Transport, TransportError } from '../ports/transport.ts';
import { createClientQkd, NoQkdKeyError, type SiteQkd } from './qkd.ts';
import { openSession } from './session.ts';
import { contribute } from './work.ts';

const backoffMsMin = 200;
const backoffMsMax = 5000;
const trainerFailuresMax = 3;

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
  readonly trainer: Trainer;
  readonly clock: Clock;
  /** How long to go on trying when the coordinator cannot be reached. */
  readonly patienceMs: number;
  /** What happens, for people. */
  readonly say: (text: string) => void;
};

/** Takes part in a run until it ends, through any number of lost connections. Gives how the run ended. */
export async function takePart(
  parts: AgentParts,
): Promise<{ readonly reason: string; readonly contributions: number }> {
  const { identity, transport, crypto, clock, say } = parts;
  const plan = parsePlan(identity.plan);
  const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
  const coordinatorKey = Uint8Array.fromBase64(identity.coordinatorKey);
  const { siteQkd: site, saveIdentity: save } = parts;
  const qkd = createClientQkd({ plan, identity, save, site, say });
  const base = `/v1/orgs/${identity.orgId}/runs/${identity.runId}`;

  let session = '';
  let newest: Announcement | undefined;
  let end: string | undefined;
  let contributions = 0;
  let trainerFailures = 0;
  let failure: unknown;
  let isWorking = false;
  let stream = new AbortController();
  const done = new Set<string>();

  async function authenticate(): Promise<void> {
    session = await openSession(transport, { deviceId: identity.deviceId, key, pin: parts.pin });
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
    const { protocol, group, cipher } = transport.negotiated()!;
    const headers = {
      'qflare-tls': `${protocol} ${group} ${cipher}`,
      ...(site === undefined ? {} : { 'qflare-sae': site.saeId }),
    };
    for await (const event of transport.events(
      { method: 'GET', path: `${base}/events`, session, headers },
      stream.signal,
    )) {
      if (event.event !== 'announcement') continue;
      const announcement = await verify(event.data);
      newest = announcement;
      if (announcement.state === 'done') {
        end = announcement.reason ?? 'the run has ended';
        stream.abort();
        return;
      }
      if (announcement.reason !== undefined) say(announcement.reason);
      if (announcement.state === 'work') startWork();
    }
  }

  /** A message that the coordinator's key has not signed for this device is an attack or a mix-up: nothing is done. */
  async function verify(data: string): Promise<Announcement> {
    const message = signedAnnouncement.parse(JSON.parse(data));
    const signature = Uint8Array.fromBase64(message.signature);
    const bytes = announcementBytes(message.announcement);
    const isSigned = await crypto.verify(coordinatorKey, purposes.announcement, bytes, signature);
    const { orgId, runId, deviceId } = message.announcement;
    const isOurs = orgId === identity.orgId && runId === identity.runId && deviceId === identity.deviceId;
    if (!isSigned || !isOurs)
      throw new TransportError('security', 'An announcement is not signed by the coordinator for this device');
    return message.announcement;
  }

  /** Works on the newest announcement; one that arrives meanwhile is taken up afterwards. */
  function startWork(): void {
    if (isWorking) return;
    isWorking = true;
    void (async () => {
      try {
        while (newest?.state === 'work' && !done.has(keyOf(newest)) && end === undefined) await work(newest);
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
    try {
      envelope = await contribute(announcement, { ...parts, plan, clientId: identity.clientId, key, fetchModel, qkd });
      trainerFailures = 0;
    } catch (error) {
      if (error instanceof TransportError) throw error;
      done.add(keyOf(announcement));
      say(`round ${announcement.round}: ${(error as Error).message}`);
      // The next round brings another key; the trainer has not failed.
      if (error instanceof NoQkdKeyError) return;
      trainerFailures += 1;
      if (trainerFailures >= trainerFailuresMax) throw error;
      return;
    }
    await send(announcement, envelope);
  }

  /** Sends until it is accepted, refused, or the phase is over. The same bytes each time: sending twice is no harm. */
  async function send(announcement: Announcement, envelope: Uint8Array): Promise<void> {
    const isCurrent = () => newest !== undefined && keyOf(newest) === keyOf(announcement) && end === undefined;
    for (let attempt = 0; isCurrent(); attempt++) {
      const reply = await transport
        .request({ method: 'POST', path: `${base}/contributions`, session, bytes: envelope })
        .catch((error: unknown) => {
          if (error instanceof TransportError && error.kind === 'network') return undefined;
          throw error;
        });
      if (reply?.status === 201) {
        contributions += 1;
        done.add(keyOf(announcement));
        return;
      }
      if (reply !== undefined && reply.status !== 401 && reply.status < 500) {
        done.add(keyOf(announcement));
        say(`round ${announcement.round}, ${announcement.phaseId}: refused: ${new TextDecoder().decode(reply.body)}`);
        return;
      }
      await clock.sleep(backoffMs(attempt));
      if (reply?.status === 401) await renewSession();
    }
  }

  // The model that a site evaluates in one round is the one it trains from in the next.
  let cached: { readonly hash: string; readonly bytes: Uint8Array } | undefined;

  async function fetchModel(hash: string): Promise<Uint8Array> {
    if (cached?.hash === hash) return cached.bytes;
    const bytes = await downloadModel(hash);
    if (crypto.sha256(bytes).toHex() !== hash) {
      throw new TransportError('security', 'A model does not match the hash under which it was announced');
    }
    cached = { hash, bytes };
    return bytes;
  }

  async function downloadModel(hash: string): Promise<Uint8Array> {
    for (let attempt = 0; ; attempt++) {
      try {
        const reply = await transport.request({ method: 'GET', path: `${base}/models/${hash}`, session });
        if (reply.status === 200) return reply.body;
        if (reply.status === 401) await renewSession();
        else throw new TransportError('network', `The coordinator has no model ${hash}`);
      } catch (error) {
        if (!(error instanceof TransportError) || error.kind === 'security' || attempt > 20) throw error;
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
    if (end !== undefined) return { reason: end, contributions };
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

function isTransient(error: unknown): boolean {
  return error instanceof TransportError && error.kind === 'network';
}

function keyOf({ round, phaseId }: Announcement): string {
  return `${round}/${phaseId}`;
}
