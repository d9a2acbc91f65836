import type { z } from 'zod';
import type { Outcome, RefusalCode } from '../../core/intake/rejection.ts';
import { planHash } from '../../core/plan/plan.ts';
import {
  certificateRequest,
  certificateRequestBytes,
  challengeRequest,
  declineBytes,
  declineRequest,
  enrolRequest,
  type EnrolResponse,
  type Receipt,
  rotateKeyRequest,
  sessionRequest,
  type SignedAnnouncement,
} from '../../core/protocol/messages.ts';
import { invitationHash } from '../../core/protocol/invitation.ts';
import type { OwnPrivacy } from '../../core/protocol/own-privacy.ts';
import { purposes } from '../../core/protocol/purposes.ts';
import type { Device, DeviceStatus } from '../../ports/store.ts';
import type { Coordinator } from '../coordinator.ts';
import type { ModelFile } from '../models.ts';
import type { ClientTls } from '../presence.ts';
import type { UploadState } from '../uploads.ts';
import type { CoordinatorParts } from '../parts.ts';
import { createCertificateDesk } from './certificate-desk.ts';
import { createRefusalNotes, type RefusalNotes } from './refusal-notes.ts';
import { HttpError } from './routes.ts';
import { createSessions } from './sessions.ts';

/** What a client says of itself in the headers of its event stream. */
export type ConnectHeaders = {
  readonly tls?: string | undefined;
  readonly saeId?: string | undefined;
  readonly seconds?: string | undefined;
};

/** The headers of an event stream, whatever carries them. */
export function connectHeaders(header: (name: string) => string | undefined): ConnectHeaders {
  return { tls: header('qflare-tls'), saeId: header('qflare-sae'), seconds: header('qflare-round-seconds') };
}

/**
 * What a site calls, whatever carries the calls: HTTPS in production, a simulated network in a simulated world. Bodies
 * come as they were sent; an answer that is an error is a HttpError.
 */
export type DeviceSurface = {
  /** `channel`: the exporter of the connection, as this end of it has it. */
  enrol(body: unknown, channel: string): Promise<EnrolResponse>;
  challenge(body: unknown): { readonly challenge: string };
  openSession(body: unknown, channel: string): Promise<{ readonly session: string; readonly status: DeviceStatus }>;
  /** A certificate for the TLS connections of a device that asks under its own key. */
  certify(body: unknown, channel: string): Promise<{ readonly certificate: string }>;
  /** The device of a session of which this is the proof for this connection, or undefined. */
  deviceOf(credential: string, channel: string): Device | undefined;
  /** Refuses claims that are another site's: two sites with one SAE id would be given each other's keys. */
  checkClaims(device: Device, said: ConnectHeaders): void;
  /** Starts telling a device what there is to do; gives the function that ends it. */
  listen(
    device: Device,
    said: ConnectHeaders,
    send: (message: SignedAnnouncement) => void,
    onReplaced?: () => void,
  ): () => void;
  /** What is told to an approved device alone, before each announcement: its client's own privacy loss. */
  ownPrivacy(device: Device): OwnPrivacy | undefined;
  /** Takes a device's new key. */
  replaceKey(device: Device, body: unknown): Promise<{ readonly replaced: true }>;
  model(hash: string): Promise<ModelFile>;
  contribute(device: Device, bytes: Uint8Array): Promise<Receipt>;
  /** Takes a device's signed word that it cannot contribute to a phase. */
  decline(device: Device, body: unknown): Promise<{ readonly declined: true }>;
  /** The head of an envelope that comes in parts. */
  beginUpload(device: Device, name: string, head: Uint8Array): Promise<UploadState | Receipt>;
  uploadState(device: Device, name: string): UploadState;
  /** What follows, from `offset` on. */
  continueUpload(
    device: Device,
    name: string,
    offset: number,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<UploadState | Receipt>;
};

export function createDeviceSurface(
  coordinator: Coordinator,
  parts: CoordinatorParts,
  notes: RefusalNotes = createRefusalNotes(coordinator, parts.clock),
): DeviceSurface {
  const { plan, orgId, runId, announcer, proofKeys, crypto } = parts;
  const sessions = createSessions(parts);
  const certificates = createCertificateDesk(coordinator, parts);
  const hash = planHash(plan);
  const knownDevice = (deviceId: string) => coordinator.snapshot().devices.get(deviceId);

  /** The two ends of one connection compute the same exporter: two values are two connections, with somebody in between. */
  function checkChannel(who: Readonly<Record<string, string>>, said: string, seen: string): void {
    if (said === seen) return;
    notes.add('channel.differs', 'exporter', who);
    throw new HttpError(400, 'channel-differs', 'The two ends of this channel differ: somebody is in between');
  }

  function refused(what: 'session' | 'certificate', deviceId: string): HttpError {
    notes.add('proof.refused', what, { deviceId });
    return new HttpError(401, 'not-authenticated', 'The proof was not accepted');
  }

  const removed = () =>
    new HttpError(403, 'removed', 'The operator has removed this device, or its key has expired: ask for a new link');

  return {
    async enrol(body, channel) {
      const request = parse(enrolRequest, body);
      const invitation = invitationHash(Uint8Array.fromBase64(request.invitation));
      checkChannel({ invitation: invitation.slice(0, 16) }, request.channel, channel);
      const result = await coordinator.enrolment.enrol(request);
      if (!result.ok) {
        throw new HttpError(403, 'link-refused', 'This link cannot be used: it is wrong, expired or used already');
      }
      const { deviceId, clientId, status } = result.device;
      return {
        orgId,
        runId,
        deviceId,
        clientId,
        status,
        coordinatorKey: announcer.rootKey.toBase64(),
        logKey: proofKeys.treeHead.publicKey.toBase64(),
        planHash: hash,
        plan: plan as unknown as EnrolResponse['plan'],
      };
    },
    challenge: (body) => ({ challenge: sessions.challenge(parse(challengeRequest, body).deviceId) }),
    async openSession(body, channel) {
      const { deviceId, challenge, proof, channel: said } = parse(sessionRequest, body);
      checkChannel({ deviceId }, said, channel);
      // Says nothing of the device: the coordinator was restarted since, or the answer was late.
      if (!sessions.isOpen(deviceId, challenge)) {
        throw new HttpError(409, 'challenge-expired', 'Ask for a new challenge');
      }
      const device = knownDevice(deviceId);
      const session = device && (await sessions.open(device, { challenge, proof }, channel));
      if (session === undefined) throw refused('session', deviceId);
      if (device!.status === 'removed') throw removed();
      return { session, status: device!.status };
    },
    async certify(body, channel) {
      const { deviceId, challenge, request, proof, channel: said } = parse(certificateRequest, body);
      checkChannel({ deviceId }, said, channel);
      const device = knownDevice(deviceId);
      const bytes = certificateRequestBytes({ deviceId, challenge, request, channel, pin: parts.pin });
      const isProven =
        sessions.spend(deviceId, challenge) &&
        device !== undefined &&
        (await crypto.verify(
          Uint8Array.fromBase64(device.publicKey),
          purposes.certificateRequest,
          bytes,
          Uint8Array.fromBase64(proof),
        ));
      if (!isProven) throw refused('certificate', deviceId);
      if (device.status === 'removed') throw removed();
      return { certificate: await certificates.issue(deviceId, request) };
    },
    deviceOf(credential, channel) {
      const deviceId = sessions.deviceOf(credential, channel);
      const device = deviceId === undefined ? undefined : knownDevice(deviceId);
      return device?.status === 'removed' ? undefined : device;
    },
    checkClaims({ deviceId, clientId }, said) {
      const saeId = saeIdOf(said.saeId);
      const holder = saeId === undefined ? undefined : coordinator.saeHolder(saeId);
      // A site that has enrolled again is the same site: its old connection may not have ended yet.
      if (holder === undefined || holder.clientId === clientId) return;
      notes.add('request.refused', 'sae-taken', { deviceId, holder: holder.deviceId, saeId: saeId! });
      throw new HttpError(
        409,
        'sae-taken',
        `Cannot take part as the SAE id ${saeId} as each site must have one of its own: another site is connected with it`,
      );
    },
    listen: (device, { tls, saeId, seconds }, send, onReplaced) =>
      coordinator.connect(
        device,
        tlsOf(tls),
        send,
        { saeId: saeIdOf(saeId), secondsExpected: secondsOf(seconds) },
        onReplaced,
      ),
    ownPrivacy: ({ deviceId, clientId }) =>
      knownDevice(deviceId)?.status === 'approved' ? coordinator.ownPrivacy(clientId) : undefined,
    async replaceKey(device, body) {
      const request = parse(rotateKeyRequest, body);
      const { rotation } = request;
      const isOurs = rotation.orgId === orgId && rotation.runId === runId && rotation.deviceId === device.deviceId;
      const outcome = isOurs ? await coordinator.deviceKeys.replace(device, request) : 'bad-signature';
      if (outcome === 'later') {
        throw new HttpError(
          409,
          'key-in-use',
          'The open round counts what the key in use has signed: ask again in the next',
        );
      }
      if (outcome !== 'replaced') throw new HttpError(422, outcome, 'The new key was not accepted');
      return { replaced: true };
    },
    async model(name) {
      const file = hashForm.test(name) ? await coordinator.modelFile(name) : undefined;
      if (file === undefined) throw new HttpError(404, 'no-such-model', `There is no model ${name.slice(0, 64)}`);
      return file;
    },
    contribute: async (device, bytes) => answer(await coordinator.submit(device, bytes)),
    beginUpload: async (device, name, head) => elsewhere(await coordinator.beginUpload(device, checked(name), head)),
    uploadState(device, name) {
      const state = coordinator.uploadState(device, checked(name));
      if (state === undefined) throw new HttpError(404, 'no-such-upload', 'There is no such upload: send its head');
      return state;
    },
    async continueUpload(device, name, offset, body) {
      return elsewhere(await coordinator.continueUpload(device, checked(name), offset, asAsync(body)));
    },
    async decline(device, body) {
      const request = parse(declineRequest, body);
      const { decline, signature } = request;
      const key = Uint8Array.fromBase64(device.publicKey);
      const bytes = declineBytes(decline);
      const isOurs = decline.orgId === orgId && decline.runId === runId && decline.deviceId === device.deviceId;
      if (!isOurs || !(await crypto.verify(key, purposes.decline, bytes, Uint8Array.fromBase64(signature)))) {
        throw new HttpError(422, 'bad-signature', 'The decline is not signed by this device for this run');
      }
      if (!(await coordinator.decline(device, request))) {
        throw new HttpError(409, 'round-closed', 'The phase has moved on');
      }
      return { declined: true };
    },
  };
}

const hashForm = /^[0-9a-f]{64}$/;

function checked(name: string): string {
  if (hashForm.test(name)) return name;
  throw new HttpError(400, 'malformed', 'An upload is named by the SHA-256 of its envelope in hexadecimal');
}

function answer<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new HttpError(statusOf(outcome.code), outcome.code, 'The contribution was refused');
}

/** An upload that is not known, was ended or stands at another place: its head says where to go on. */
function elsewhere<T>(outcome: Outcome<T> | undefined): T {
  if (outcome !== undefined) return answer(outcome);
  throw new HttpError(409, 'upload-elsewhere', 'The upload is not known or stands elsewhere: send its head');
}

async function* asAsync<T>(parts: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* parts;
}

/** Parses a JSON body, or answers 400 with the path of what is wrong. */
export function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new HttpError(400, 'malformed', `${path.join('.') || 'body'}: ${message}`);
}

function statusOf(code: RefusalCode): number {
  return code === 'round-closed' ? 409 : 422;
}

/** An id that a key management entity could know; anything else is none. */
function saeIdOf(header: string | undefined): string | undefined {
  return header !== undefined && /^[\w.:@-]{1,128}$/.test(header) ? header : undefined;
}

const secondsMax = 30 * 86_400;

/** How long a client says that a round takes it; anything that is no such number is no claim. */
function secondsOf(header: string | undefined): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return seconds >= 0 && seconds <= secondsMax ? seconds : undefined;
}

function tlsOf(header: string | undefined): ClientTls | null {
  const [protocol, group, cipher] = header?.slice(0, 200).split(' ') ?? [];
  if (protocol === undefined || group === undefined || cipher === undefined) return null;
  return { protocol, group, cipher };
}
