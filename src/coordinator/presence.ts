import type { SignedAnnouncement } from '../core/protocol/messages.ts';
import type { Round, RoundEvent } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import type { Draft } from './journal.ts';
import type { RunLog } from './run-log.ts';
import { roundEventData } from './state.ts';

/** What a client read from its own connection. */
export type ClientTls = { readonly group: string; readonly protocol: string; readonly cipher: string };

type Listener = (message: SignedAnnouncement) => void;

type Connection = { readonly device: Device; readonly listener: Listener; readonly saeId: string | undefined };

/** Who is there, and who hears announcements. Coming and going is journaled, and told to the open round. */
export type Presence = {
  /** The device hears announcements until the function that is returned is called. */
  connect(device: Device, tls: ClientTls | null, listener: Listener, saeId?: string): () => void;
  announceToAll(): void;
  devices(): readonly Device[];
  /** The SAE id that a connected device says its site has at its key management entity. */
  saeOf(deviceId: string): string | undefined;
  /** Clients that take part and have not heard that the run is done. */
  untold(): readonly string[];
};

export function createPresence(parts: {
  readonly log: RunLog;
  readonly nowMs: () => number;
  readonly announcementFor: (device: Device) => SignedAnnouncement;
  readonly isHalted: () => boolean;
  readonly spawn: (work: Promise<unknown>) => void;
}): Presence {
  const { log, announcementFor } = parts;
  const connections = new Map<string, Connection>();
  /** Devices that have heard that the run is done. */
  const told = new Set<string>();

  function tell({ device, listener }: Connection): void {
    const message = announcementFor(device);
    if (message.announcement.state === 'done') told.add(device.deviceId);
    listener(message);
  }

  function toldTo(round: Round | null, event: RoundEvent & { readonly clientId: string }): Draft[] {
    if (round === null || !round.participants.includes(event.clientId)) return [];
    return [{ kind: 'round.event', round: round.number, data: roundEventData(event, parts.nowMs()) }];
  }

  function leave({ clientId, deviceId }: Device): Promise<void> {
    // A site that has enrolled again is there with its new device when the old one goes.
    const isHere = [...connections.values()].some((other) => other.device.clientId === clientId);
    return log.record(({ run }) => ({
      drafts: [
        { kind: 'client.disconnected', data: { clientId, deviceId } },
        ...(isHere ? [] : toldTo(run.round, { kind: 'left', clientId })),
      ],
      result: undefined,
    }));
  }

  return {
    connect(device, tls, listener, saeId) {
      const connection: Connection = { device, listener, saeId };
      const { clientId, deviceId } = device;
      connections.set(deviceId, connection);
      parts.spawn(
        log.record(({ run }) => ({
          drafts: [
            { kind: 'client.connected', data: { clientId, deviceId, ...(tls === null ? {} : { tls }) } },
            ...toldTo(run.round, { kind: 'joined', clientId }),
          ],
          result: undefined,
        })),
      );
      tell(connection);
      return () => {
        if (connections.get(deviceId) !== connection) return;
        connections.delete(deviceId);
        if (!parts.isHalted()) parts.spawn(leave(device));
      };
    },
    announceToAll() {
      for (const connection of connections.values()) tell(connection);
    },
    saeOf: (deviceId) => connections.get(deviceId)?.saeId,
    devices: () => [...connections.values()].map(({ device }) => device),
    untold: () =>
      [...log.snapshot().devices.values()]
        .filter(({ deviceId, status }) => status === 'approved' && !told.has(deviceId))
        .map(({ clientId }) => clientId),
  };
}
