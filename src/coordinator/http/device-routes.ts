import { rejected } from '../../core/intake/rejection.ts';
import type { SignedAnnouncement } from '../../core/protocol/messages.ts';
import type { Coordinator } from '../coordinator.ts';
import { readBody } from './body.ts';
import { connectHeaders, type DeviceSurface } from './device-surface.ts';
import { openEventStream } from './event-stream.ts';
import { HttpError, type Route } from './routes.ts';

/** What a site calls, over HTTP: enrolment, session, events, models, contributions. */
export function deviceRoutes(coordinator: Coordinator, surface: DeviceSurface, base: string): readonly Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/enrol',
      role: 'public',
      summary: 'Enrol a device with a single-use token and a proof that it holds its key',
      handle: ({ request }) => surface.enrol(request.body),
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
      handle: ({ request }) => surface.openSession(request.body),
    },
    {
      method: 'GET',
      url: `${base}/events`,
      role: 'device',
      summary: 'Announcements as server-sent events',
      handle({ request, reply, device }) {
        const stream = openEventStream(reply, () => disconnect());
        const header = (name: string) => {
          const value = request.headers[name];
          return typeof value === 'string' ? value : undefined;
        };
        const send = (message: SignedAnnouncement) => {
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
        return reply.type('application/octet-stream').send(await surface.model(hash));
      },
    },
    {
      method: 'POST',
      url: `${base}/contributions`,
      role: 'device',
      summary: 'A sealed and signed envelope: an update or metrics',
      async handle({ request, reply, device }) {
        const bytes = await readBody(request.raw, coordinator.bodyBytesMax).catch(async (error: unknown) => {
          if (error instanceof HttpError && error.code === 'too-large') {
            await coordinator.refuse(
              device,
              rejected('too-large', error.message),
              Number(request.headers['content-length']),
            );
          }
          throw error;
        });
        return reply.code(201).send(await surface.contribute(device, bytes));
      },
    },
    {
      method: 'POST',
      url: `${base}/declines`,
      role: 'device',
      summary: 'A signed word that this device cannot contribute to a phase',
      handle: ({ request, device }) => surface.decline(device, request.body),
    },
  ];
}
