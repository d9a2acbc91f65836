import type { SignedAnnouncement } from '../core/protocol/messages.ts';
import type { Round, RoundEvent } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import type { Draft } from './journal.ts';
import type { RunLog } from './run-log.ts';
import { roundEventData } from './state.ts';

/** What a client read from its own connection. */
export type ClientTls = { readonly group: string; readonly protocol: string; readonly cipher: string };

/** What a client says of itself when it connects: claims, each used for one purpose. */
export type ClientClaims = {
  /** The SAE id that its site has at its key management entity. */
  readonly saeId?: string | undefined;
  /** How many seconds a round takes it: for the choice of participants. */
  readonly secondsExpected?: number | undefined;
};

type Listener = (message: SignedAnnouncement) => void;

type Connection = {
  readonly device: Device;
  readonly listener: Listener;
  readonly claims: ClientClaims;
  readonly onReplaced: (() => void) | undefined;
};

/** Who is there, and who hears announcements. Coming and going is journaled, and told to the open round. */
export type Presence = {
  /** The device hears announcements until the function that is returned is called. */
  connect(
    device: Device,
    tls: ClientTls | null,
    listener: Listener,
    claims?: ClientClaims,
    onReplaced?: () => void,
  ): () => void;
  announceToAll(): void;
  devices(): readonly Device[];
  /** The SAE id that a connected device says its site has at its key management entity. */
  saeOf(deviceId: string): string | undefined;
  /** The connected device that says it has this SAE id: one site's, as a key goes to one. */
  holderOf(saeId: string): Device | undefined;
  /** How many seconds a connected client says that a round takes it. */
  secondsOf(clientId: string): number | undefined;
  /** Clients that take part and have not heard that the run is done. */
  untold(): readonly string[];
};

const toldToAll: ReadonlySet<string> = new Set([
  'run.completed',
  'run.stopped',
  'run.failed',
  'device.status',
  'device.enrolled',
  'device.key-asked',
]);

/** Whether an entry of the journal changes what devices are to be told, beside a round's own steps. */
export function isToldToAll(kind: string): boolean {
  return toldToAll.has(kind);
}

export function createPresence(parts: {
  readonly log: RunLog;
  readonly nowMs: () => number;
  /** Undefined while there is no key that may sign: nothing is said then. */
  readonly announcementFor: (device: Device) => SignedAnnouncement | undefined;
  readonly isHalted: () => boolean;
  readonly spawn: (work: Promise<unknown>) => void;
}): Presence {
  const { log, announcementFor } = parts;
  const connections = new Map<string, Connection>();
  /** Devices that have heard that the run is done. */
  const told = new Set<string>();

  function tell({ device, listener }: Connection): void {
    const message = announcementFor(device);
    if (message === undefined) return;
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
    connect(device, tls, listener, claims = {}, onReplaced) {
      const connection: Connection = { device, listener, claims, onReplaced };
      const { secondsExpected } = claims;
      const { clientId, deviceId } = device;
      const earlier = connections.get(deviceId);
      connections.set(deviceId, connection);
      earlier?.onReplaced?.();
      const data = {
        clientId,
        deviceId,
        ...(tls === null ? {} : { tls }),
        ...(secondsExpected === undefined ? {} : { secondsExpected }),
      };
      parts.spawn(
        log.record(({ run }) => ({
          drafts: [{ kind: 'client.connected', data }, ...toldTo(run.round, { kind: 'joined', clientId })],
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
    saeOf: (deviceId) => connections.get(deviceId)?.claims.saeId,
    holderOf: (saeId) => [...connections.values()].find(({ claims }) => claims.saeId === saeId)?.device,
    secondsOf: (clientId) =>
      [...connections.values()].find(({ device }) => device.clientId === clientId)?.claims.secondsExpected,
    devices: () => [...connections.values()].map(({ device }) => device),
    untold: () =>
      [...log.snapshot().devices.values()]
        .filter(({ deviceId, status }) => status === 'approved' && !told.has(deviceId))
        .map(({ clientId }) => clientId),
  };
}
