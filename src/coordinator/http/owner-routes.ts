import type { KeyRecord } from '../../core/keys/lifecycle.ts';
import { deviceStatusRequest, inviteRequest, revokeKeyRequest } from '../../core/protocol/messages.ts';
import type { Coordinator } from '../coordinator.ts';
import type { CoordinatorParts } from '../parts.ts';
import { followJournal } from '../journal-feed.ts';
import { statusOf } from '../status.ts';
import { parse } from './device-surface.ts';
import { openEventStream } from './event-stream.ts';
import { HttpError, type Route } from './routes.ts';

/** Ends a key, and says what is in use in its place. */
export type RevokeKey = (
  id: string,
  reason: string,
) => Promise<{ readonly revoked: KeyRecord; readonly inUse: KeyRecord | null }>;

/** What the operator calls, with the owner token of the coordinator's folder. */
export function ownerRoutes(
  coordinator: Coordinator,
  parts: CoordinatorParts,
  {
    linkOf,
    rotateKey,
    revokeKey,
  }: {
    readonly linkOf: (token: string) => string;
    readonly rotateKey?: ((purpose: string) => Promise<KeyRecord | undefined>) | undefined;
    readonly revokeKey?: RevokeKey | undefined;
  },
): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/admin/status',
      role: 'owner',
      summary: 'Where the run stands',
      handle: () => statusOf(coordinator, parts),
    },
    {
      method: 'POST',
      url: '/v1/admin/invitations',
      role: 'owner',
      summary: 'Make single-use links',
      async handle({ request }) {
        const { count, subject } = parse(inviteRequest, request.body);
        const invited = await coordinator.enrolment.invite(count, subject);
        return {
          links: invited.map(({ subject: name, token, expiresAtMs }) => ({
            subject: name,
            link: linkOf(token),
            expiresAtMs,
          })),
        };
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/devices/:deviceId',
      role: 'owner',
      summary: 'Approve or remove a device',
      async handle({ request }) {
        const { deviceId } = request.params as { deviceId: string };
        const { status } = parse(deviceStatusRequest, request.body);
        const device = await coordinator.enrolment.setStatus(deviceId, status);
        if (device === undefined) throw new HttpError(404, 'no-such-device', `There is no device ${deviceId}`);
        return { deviceId, clientId: device.clientId, status };
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/devices/:deviceId/key',
      role: 'owner',
      summary: 'Ask a device for a new key; it makes one before it contributes again',
      async handle({ request }) {
        const { deviceId } = request.params as { deviceId: string };
        const device = await coordinator.deviceKeys.ask(deviceId);
        if (device === undefined) throw new HttpError(404, 'no-such-device', `There is no device ${deviceId}`);
        return { deviceId, clientId: device.clientId, asked: true };
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/keys/:purpose',
      role: 'owner',
      summary: 'Replace the key in use for a purpose, while the run goes on',
      async handle({ request }) {
        const { purpose } = request.params as { purpose: string };
        const made = await rotateKey?.(purpose);
        if (made === undefined) throw new HttpError(404, 'no-such-key', `No key for "${purpose}" can be replaced`);
        return made;
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/revocations/:id',
      role: 'owner',
      summary: 'Revoke a key that somebody else may know; a new one takes its place where it was in use',
      async handle({ request }) {
        const { id } = request.params as { id: string };
        const { reason } = parse(revokeKeyRequest, request.body);
        const done = await revokeKey?.(id, reason).catch((error: unknown) => {
          if (error instanceof RangeError) throw new HttpError(409, 'not-revoked', error.message);
          throw error;
        });
        if (done === undefined) throw new HttpError(404, 'no-such-key', `There is no key ${id} to revoke`);
        return done;
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/stop',
      role: 'owner',
      summary: 'End the run; the last model stays',
      async handle() {
        await coordinator.stop('stopped by the operator');
        return { stopped: true };
      },
    },
    {
      method: 'GET',
      url: '/v1/admin/journal',
      role: 'owner',
      summary: 'The journal from an entry on, then what happens, as server-sent events',
      handle({ request, reply }) {
        const resumeAfter = Number(request.headers['last-event-id'] ?? -1);
        // A place that makes no sense is no place: the reader gets everything.
        const from = Number.isSafeInteger(resumeAfter) && resumeAfter >= 0 ? resumeAfter + 1 : 0;
        const stream = openEventStream(reply, () => void feed.stop().catch(() => undefined));
        const feed = followJournal(coordinator, from, (rows) => {
          for (const { entry } of rows) stream.send('entry', entry, entry.sequence);
        });
        return reply;
      },
    },
  ];
}
