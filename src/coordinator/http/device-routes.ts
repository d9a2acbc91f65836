import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FastifyReply } from 'fastify';
import type { Plan } from '../../core/plan/plan.ts';
import { rejected } from '../../core/intake/rejection.ts';
import type { Receipt, SignedAnnouncement } from '../../core/protocol/messages.ts';
import type { Device } from '../../ports/store.ts';
import type { Coordinator } from '../coordinator.ts';
import type { UploadState } from '../uploads.ts';
import { bodyParts, readBody } from './body.ts';
import { connectHeaders, type DeviceSurface } from './device-surface.ts';
import { openEventStream } from './event-stream.ts';
import { rangeStart } from './range.ts';
import { HttpError, type Route } from './routes.ts';
import { seenChannel } from './seen-channel.ts';
import { channelOf } from './socket-channel.ts';

/** What a site calls, over HTTP: enrolment, session, events, models, contributions. */
export function deviceRoutes(
  coordinator: Coordinator,
  surface: DeviceSurface,
  { plan, base }: { plan: Plan; base: string },
): readonly Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/enrol',
      role: 'public',
      summary: 'Enrol a device with a single-use invitation: signed under it and under the key of the device',
      handle: ({ request }) => surface.enrol(request.body, channelOf(request.raw.socket)),
    },
    {
      method: 'POST',
      url: '/v1/challenges',
      role: 'public',
      summary: 'Ask for a challenge to sign',
      handle: ({ request }) => surface.challenge(request.body),
    },
    {
      method: 'POST',
      url: '/v1/sessions',
      role: 'public',
      summary: 'Open a session with a signed challenge',
      handle: ({ request }) => surface.openSession(request.body, channelOf(request.raw.socket)),
    },
    {
      method: 'POST',
      url: '/v1/certificates',
      role: 'public',
      summary: 'Ask for a certificate for TLS connections, under the key of the device and a challenge',
      handle: ({ request }) => surface.certify(request.body, channelOf(request.raw.socket)),
    },
    {
      method: 'GET',
      url: `${base}/events`,
      role: 'device',
      summary: 'Announcements as server-sent events',
      handle({ request, reply, device }) {
        const seen = seenChannel(request.raw.socket as TLSSocket, plan);
        const said = request.headers['qflare-tls'];
        if (said !== undefined && said !== seen) {
          const data = { deviceId: device.deviceId, said: String(said).slice(0, 200), seen };
          void coordinator.note('channel.differs', data).catch(() => {});
          throw new HttpError(400, 'channel-differs', 'The two ends of this channel differ: somebody is in between');
        }
        const header = (name: string) => {
          const value = name === 'qflare-tls' ? seen : request.headers[name];
          return typeof value === 'string' ? value : undefined;
        };
        surface.checkClaims(device, connectHeaders(header));
        const stream = openEventStream(reply, () => disconnect());
        const send = (message: SignedAnnouncement) => {
          const own = surface.ownPrivacy(device);
          if (own !== undefined) coordinator.countBytes('down', stream.send('privacy', own));
          coordinator.countBytes('down', stream.send('announcement', message));
        };
        const replaced = () => {
          stream.send('replaced', {});
          stream.close();
        };
        const disconnect = surface.listen(device, connectHeaders(header), send, replaced);
        return reply;
      },
    },
    {
      method: 'GET',
      url: `${base}/models/:hash`,
      role: 'device',
      summary: 'A model by the hash of its bytes',
      async handle({ request, reply }) {
        const { hash } = request.params as { hash: string };
        const { size, read } = await surface.model(hash);
        const etag = `"${hash}"`;
        const condition = request.headers['if-range'];
        const start = condition === undefined || condition === etag ? rangeStart(request.headers.range, size) : 0;
        const range = start === 0 ? {} : { 'content-range': `bytes ${start}-${size - 1}/${size}` };
        const type = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
        reply.hijack();
        reply.raw.writeHead(start === 0 ? 200 : 206, { ...type, ...range, etag, 'content-length': size - start });
        await sendParts(reply.raw, counted(read(start)));
        return reply;
      },
    },
    {
      method: 'POST',
      url: `${base}/contributions`,
      role: 'device',
      summary: 'A sealed and signed envelope: an update or metrics',
      async handle({ request, reply, device }) {
        const bytes = await bodyOrRefusal(request.raw, device, coordinator.bodyBytesMax);
        return reply.code(201).send(await surface.contribute(device, bytes));
      },
    },
    {
      method: 'PUT',
      url: `${base}/contributions/:hash`,
      role: 'device',
      summary: 'The head of an envelope that comes in parts: how far it has come, or its receipt',
      async handle({ request, reply, device }) {
        const { hash } = request.params as { hash: string };
        const head = await bodyOrRefusal(request.raw, device, coordinator.headBytesMax);
        return answerUpload(reply, await surface.beginUpload(device, hash, head));
      },
    },
    {
      method: 'PATCH',
      url: `${base}/contributions/:hash`,
      role: 'device',
      summary: 'Bytes of such an envelope from `upload-offset` on',
      async handle({ request, reply, device }) {
        const { hash } = request.params as { hash: string };
        const offset = Number(request.headers['upload-offset']);
        const body = bodyParts(request.raw, (bytes) => coordinator.countBytes('up', bytes));
        return answerUpload(reply, await surface.continueUpload(device, hash, offset, body));
      },
    },
    {
      method: 'GET',
      url: `${base}/contributions/:hash`,
      role: 'device',
      summary: 'How far such an envelope has come',
      handle({ request, reply, device }) {
        const { hash } = request.params as { hash: string };
        return answerUpload(reply, surface.uploadState(device, hash));
      },
    },
    {
      method: 'POST',
      url: `${base}/keys`,
      role: 'device',
      summary: 'A new key of this device, signed by the one in use and by itself',
      handle: ({ request, device }) => surface.replaceKey(device, request.body),
    },
    {
      method: 'POST',
      url: `${base}/declines`,
      role: 'device',
      summary: 'A signed word that this device cannot contribute to a phase',
      handle: ({ request, device }) => surface.decline(device, request.body),
    },
  ];

  async function* counted(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      coordinator.countBytes('down', part.length);
      yield part;
    }
  }

  /** A body, or a journaled refusal of one that is too large. */
  async function bodyOrRefusal(request: IncomingMessage, device: Device, bytesMax: number): Promise<Uint8Array> {
    try {
      return await readBody(request, bytesMax);
    } catch (error) {
      if (error instanceof HttpError && error.code === 'too-large') {
        const length = Number(request.headers['content-length']);
        await coordinator.refuse(device, rejected('too-large', error.message), length);
      }
      throw error;
    }
  }
}

/** Writes each part and waits until it is off, as its array is used again. A line that is cut ends it. */
async function sendParts(raw: ServerResponse, parts: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const part of parts) {
      await new Promise<void>((resolve, reject) => {
        raw.write(part, (error) => (error ? reject(error) : resolve()));
      });
    }
    raw.end();
  } catch {
    raw.destroy();
  }
}

function answerUpload(reply: FastifyReply, answer: UploadState | Receipt): FastifyReply {
  if ('contentHash' in answer) return reply.code(201).send(answer);
  return reply.header('upload-offset', answer.offset).send(answer);
}
